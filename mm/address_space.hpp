// AddressSpace: the user half of a virtual address space: regions (what should be there) and page
// tables (what is there now). Pages arrive by faults only.
//
//   0x00010000  lowest address that a program may map
//   0x08048000  where static programs are linked; the heap (brk) follows and grows up
//       ...     mappings, placed top-down from below the stack's room
//   0xC0000000  the stack, growing down by faults to its limit, kStackGuardGap free below it
//
// This is the core. What else is done to a space (mlock, madvise, mremap, eviction, its use in
// /proc, the labs) is functions in files of their own; they work through LockedSpace, as the core does.
// Locks: a Mutex (rank address_space) guards SpaceState, which only a LockedSpace reaches. While
// it is held, user memory must not be touched.
#pragma once

#include "kernel/arch/local_descriptors.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/sync/mutex.hpp"
#include "mm/paging_state.hpp"
#include "mm/region.hpp"
#include "mm/replacement_set.hpp"
#include "mm/user_pages.hpp"

// Spec: mmap(2), Linux values.
constexpr uint32_t kMapShared = 1, kMapPrivate = 2, kMapFixed = 0x10, kMapAnonymous = 0x20,
                   kMapGrowsDown = 0x100, kMapLocked = 0x2000, kMapNoReserve = 0x4000,
                   kMapPopulate = 0x8000, kMapFixedNoReplace = 0x100000;
constexpr VirtAddr kLowestMapping{0x10000};
extern Atomic<uint32_t> region_count_most;  // of one space

struct MapRequest {
    VirtAddr hint{0};
    uint32_t length = 0;       // bytes; rounded up
    uint32_t protection = 0;   // kProt*
    uint32_t flags = 0;        // kMap*
    Ref<Pager> pager{};        // null: anonymous
    Ref<OpenObject> opener{};  // null: what is shared lasts nowhere
    uint32_t page_offset = 0;  // of the first page in the pager's object
    bool may_write = true;     // false: a shared mapping can't become writable (EACCES)
};

// What a fault turned out to be. For a program, bad addresses become SIGSEGV, and
// bus_error SIGBUS.
enum class FaultResult : uint8_t {
    resolved,
    bad_address_unmapped,
    bad_address_protection,
    bus_error,
    out_of_memory,
    must_read,  // never seen outside mm: see Fault
};

struct SpaceLimits {  // bytes
    uint32_t address_space = UINT32_MAX, data = UINT32_MAX, stack = 8u << 20;
    uint32_t resident = UINT32_MAX;  // of its own pages, while there is swap
    uint32_t locked = UINT32_MAX;    // for what mlockall(MCL_FUTURE) locks
};

class PagingLab;

// Two pages that some TLB may see wrongly, as these frames, which are held (tlb_lab.hpp).
struct StalePages {
    VirtAddr pages[2] = {};
    Frame frames[2] = {};  // 0: none
};

// What an address space's lock guards.
struct SpaceState {
    RegionMap regions;
    UserPages pages;
    VirtAddr break_start{0}, break_end{0};      // the heap
    VirtAddr map_top{0};                        // mappings are placed below
    uint32_t charged = 0;                       // of regions.committed(), what the system knows
    uint32_t peak_total = 0;                    // pages of regions
    RegionLock lock_future = RegionLock::none;  // mlockall: of new regions
    // Each of these belongs to one file beside the core.
    PagingLab* lab = nullptr;      // paging_lab.hpp
    StalePages stale{};            // tlb_lab.hpp
    VirtAddr eviction_hand{0};     // page_out.hpp
    uint32_t resident_traced = 0;  // memory_trace.hpp: at which tick
};

class AddressSpace : public RefCounted {
  public:
    static Result<Ref<AddressSpace>> create();
    ~AddressSpace() override;
    Result<Ref<AddressSpace>> fork() NO_LOCK_ANALYSIS;  // private pages shared copy-on-write

    Result<VirtAddr> map(const MapRequest& request);      // EINVAL, ENOMEM, EEXIST, EPERM, EAGAIN
    Result<void> unmap(VirtAddr start, uint32_t length);  // EINVAL
    // EINVAL, EACCES, ENOMEM
    Result<void> protect(VirtAddr start, uint32_t length, uint32_t protection);
    // The program's heap: execve sets where it begins; brk(2) moves its end and returns it (the old
    // end if it can't).
    void set_break_start(VirtAddr start);
    VirtAddr set_break(VirtAddr end);
    // The stack region [top - limit, top), growing down by faults; a guard gap below is kept free.
    Result<void> map_stack(VirtAddr top, uint32_t limit_bytes);

    // `write` and `user` as in the page fault's error code.
    FaultResult handle_fault(VirtAddr address, bool write, bool user);
    // A user page's frame, with one more reference; brings the page in as an access would.
    // EFAULT, ENOMEM.
    Result<Frame> fault_in(VirtAddr address, bool write);
    // Copies between kernel memory and this space, current or not, with the program's own rights.
    Result<void> write(VirtAddr to, const void* from, uint32_t bytes);
    Result<void> read(void* to, VirtAddr from, uint32_t bytes);

    // Without the lock: one word each, which may have changed by the time that it is used.
    PhysAddr page_directory() const NO_LOCK_ANALYSIS { return state_.pages.directory(); }
    uint32_t own_resident() const NO_LOCK_ANALYSIS { return state_.pages.own_resident(); }
    uint32_t own_swapped() const NO_LOCK_ANALYSIS { return state_.pages.swapped(); }
    uint32_t peak_resident() const NO_LOCK_ANALYSIS { return state_.pages.peak(); }
    PagingState& paging() { return paging_; }
    ReplacementSet& pool() { return pool_; }  // under swap_lock
    LocalDescriptorsSlot& local_descriptors() { return local_descriptors_; }

    SpaceLimits limits{};
    ListNode all_node;  // all_spaces.hpp

  private:
    AddressSpace() = default;
    template <typename T, typename... Args>
    friend Result<Ref<T>> make_ref(Args&&... args);
    friend class LockedSpace;

    Mutex lock_{LockRank::address_space};
    SpaceState state_ GUARDED_BY(lock_){};
    PagingState paging_{};
    ReplacementSet pool_{};
    LocalDescriptorsSlot local_descriptors_ = nullptr;  // local_descriptors.hpp
};

// How a fault is taken: mm installs its handler with kernel/arch at start-up (traps.hpp).
void address_spaces_init();
