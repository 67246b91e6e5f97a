// AddressSpace: the user half of a virtual address space: regions (what should be there) and page
// tables (what is there now). Pages arrive by faults only.
//
//   0x00010000  lowest address that a program may map
//   0x08048000  where static programs are linked; the heap (brk) follows and grows up
//       ...     mappings, placed top-down from below the stack's room
//   0xC0000000  the stack, growing down by faults to its limit, kStackGuardGap free below it
//
// What is promised beyond what there is: commitment.hpp. When a page can't be had after all, the
// fault is out_of_memory.
// Locks: the regions' Mutex (rank address_space), taken by every function here. No user memory may
// be touched while it is held.
#pragma once

#include "kernel/arch/local_descriptors.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/sync/mutex.hpp"
#include "mm/memory_trace.hpp"
#include "mm/pager.hpp"
#include "mm/region.hpp"
#include "mm/replacement/policy_set.hpp"
#include "mm/user_pages.hpp"

// Spec: mmap(2), Linux values.
constexpr uint32_t kMapShared = 1, kMapPrivate = 2, kMapFixed = 0x10, kMapAnonymous = 0x20,
                   kMapGrowsDown = 0x100, kMapLocked = 0x2000, kMapNoReserve = 0x4000,
                   kMapPopulate = 0x8000, kMapFixedNoReplace = 0x100000;
constexpr uint32_t kLockCurrent = 1, kLockFuture = 2, kLockOnFault = 4;  // mlockall(2)
constexpr uint32_t kRemapMayMove = 1, kRemapFixed = 2, kRemapKeep = 4;   // mremap(2)
constexpr uint32_t kSyncAsync = 1, kSyncInvalidate = 2, kSyncNow = 4;    // msync(2)
constexpr VirtAddr kLowestMapping{0x10000};
extern uint32_t region_count_most;  // of one space; atomic

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

struct RegionUse {  // pages
    uint32_t resident = 0, shared_clean = 0, shared_dirty = 0, private_clean = 0, private_dirty = 0,
             referenced = 0, anonymous = 0, swapped = 0;
    uint32_t share_bytes = 0;  // each page's part, if all who have it share the cost
    uint32_t dirty_share_bytes = 0;
};
struct RegionInfo {  // for /proc/<pid>/maps and smaps
    VirtAddr start, end;
    uint32_t protection, flags;
    const Pager* pager;
    uint32_t page_offset;
    const char* label;  // "[heap]", "[stack]" or ""
    bool locked, may_write;
    OnFork on_fork;
    RegionUse use;  // if the visitor wants it
};
class RegionVisitor {
  public:
    virtual void visit(const RegionInfo& region) = 0;
    virtual bool wants_use() const { return false; }

  protected:
    ~RegionVisitor() = default;
};

struct MemoryUse {  // in pages
    uint32_t total, resident, data, stack, text, libraries, swapped, working_set, locked;
    uint32_t of_files, shared;           // of those resident
    uint32_t tables;                     // page tables
    uint32_t peak_total, peak_resident;  // since the program began
    VirtAddr text_start, text_end;       // of the first region that may be executed
};

struct TableUse {  // in pages
    uint32_t tables, locked;
};

// What a fault turned out to be. For a program, bad addresses become SIGSEGV, and
// bus_error SIGBUS.
enum class FaultResult : uint8_t {
    resolved,
    bad_address_unmapped,
    bad_address_protection,
    bus_error,
    out_of_memory,
    must_read,  // never seen outside mm: see Awaited
};

enum class FlushScope : uint8_t { none, here, all };

// What the MMU finds on its way: the directory's entry, then the table's (0: it does not get there).
struct PageWalk {
    PageEntry upper{}, lower{};
};

// What load control and allocation know of a space (load_control.hpp, frame_allocation.hpp).
struct PagingState {
    uint32_t faults = 0, service = 0;   // atomic; since the last look; microseconds of waiting
    uint32_t frames_most = UINT32_MAX;  // atomic; pages of its own that it may have in memory
    // The rest is the reclaim thread's; others may look.
    uint32_t rate = 0;             // faults in the last window
    uint32_t working_set = 0;      // pages used within the last kWorkingSetWindow
    uint32_t granted = 0;          // variable allocation
    uint64_t active_since = 0;     // nanoseconds
    uint64_t suspended_since = 0;  // 0: it is not
    uint32_t set_when_suspended = 0;
};
constexpr uint32_t kWorkingSetWindow = 500;  // milliseconds

class PagingLab;
class Migration;
enum class FrameUse : uint8_t;
struct SwapEntry;
class TextSink;

class AddressSpace : public RefCounted {
  public:
    static Result<Ref<AddressSpace>> create();
    ~AddressSpace() override;
    Result<Ref<AddressSpace>> fork();  // private pages shared copy-on-write

    PhysAddr page_directory() const;

    Result<VirtAddr> map(const MapRequest& request);      // EINVAL, ENOMEM, EEXIST, EPERM, EAGAIN
    Result<void> unmap(VirtAddr start, uint32_t length);  // EINVAL
    // EINVAL, EACCES, ENOMEM
    Result<void> protect(VirtAddr start, uint32_t length, uint32_t protection);
    // EINVAL, EFAULT, ENOMEM, EAGAIN, EPERM
    Result<VirtAddr> remap(VirtAddr start, uint32_t old_length, uint32_t new_length, uint32_t flags,
                           VirtAddr new_start);
    Result<void> advise(VirtAddr start, uint32_t length, uint32_t advice);
    Result<void> sync(VirtAddr start, uint32_t length, uint32_t flags);
    // mlock(2) and its kin: what is locked is brought in (unless on_fault) and stays. EINVAL,
    // ENOMEM, EAGAIN; `limit` in bytes.
    Result<void> lock_range(VirtAddr start, uint32_t length, bool on_fault, uint32_t limit);
    Result<void> lock_all(uint32_t flags, uint32_t limit);
    Result<void> unlock_range(VirtAddr start, uint32_t length);
    void unlock_all();
    uint32_t limit_locked = UINT32_MAX;  // bytes, for what kLockFuture locks
    // mincore(2): for each page from `start` on whether an access would find it in memory. ENOMEM.
    Result<void> residency(VirtAddr start, std::span<uint8_t> to);

    // The program's heap: execve sets where it begins; brk(2) moves its end and returns it (the old
    // end if it can't).
    void set_break_start(VirtAddr start);
    VirtAddr set_break(VirtAddr end);
    // The stack region [top - limit, top), growing down by faults; a guard gap below is kept free.
    Result<void> map_stack(VirtAddr top, uint32_t limit_bytes);

    // `write`/`user`/`present` as in the page-fault error code.
    FaultResult handle_fault(VirtAddr address, bool write, bool user, bool present);

    void visit_regions(RegionVisitor& visitor);
    MemoryUse memory_use();
    TableUse table_use();

    PageWalk walk(VirtAddr address);  // any address, of the kernel's half too

    // For the debugger's view and ptrace-like access: the frame behind a user page if present.
    Result<Frame> frame_at(VirtAddr address);

    // A laboratory of page replacement (paging_lab.hpp) over `pages` pages of this space; any
    // former one ends. EINVAL, ENOMEM. end_lab_step: one instruction was stepped over; false: not
    // by us.
    Result<void> start_lab(VirtAddr start, uint32_t pages, uint32_t frames,
                           std::string_view policy);
    void stop_lab();
    void show_lab(TextSink& to);
    bool end_lab_step();

    // Two private pages of the caller's own change places, and only these TLBs learn of it. What the
    // others may still reach stays until end_stale() (or the next exchange). EINVAL, EFAULT.
    Result<void> exchange_pages(VirtAddr a, VirtAddr b, FlushScope scope);
    void end_stale();

    // The program's own segment descriptors (local_descriptors.cpp). Entry `index` becomes `raw`.
    // ENOMEM. And: copies entries from the first on, as far as there are any; how many.
    Result<void> set_local_descriptor(uint32_t index, uint64_t raw);
    uint32_t read_local_descriptors(std::span<uint64_t> out, uint32_t first);
    LocalDescriptorsSlot& local_descriptors() { return local_descriptors_; }

    // Limits in bytes; obeyed by map, set_break and the stack.
    uint32_t limit_address_space = UINT32_MAX;
    uint32_t limit_data = UINT32_MAX;
    uint32_t limit_stack = 8u << 20;
    uint32_t limit_resident = UINT32_MAX;     // of its own pages, while there is swap
    void set_limit_resident(uint32_t bytes);  // obeyed from now on

    ListNode all_node;     // all_spaces.hpp
    void trace_regions();  // all of them, for the program that begins (memory_trace.hpp)

    // A user page's frame, with one more reference; brings the page in as an access would.
    // EFAULT, ENOMEM.
    Result<Frame> fault_in(VirtAddr address, bool write);
    // For compaction (compaction.hpp).
    void note_movable(std::span<FrameUse> uses);
    void migrate(Migration& migration);
    // Copies between kernel memory and this space, current or not, with the program's own rights.
    // For reclaim (reclaim.hpp), which waits for nobody's lock: false if it isn't free. The page
    // with this frame becomes the slot; all accessed bits are noted and cleared; a file's page goes
    // unless it was used.
    bool evict(Frame frame, VirtAddr page, SwapEntry entry);
    void sample(uint32_t milliseconds);
    bool give_up_file_page(const Pager& pager, uint32_t index, Frame frame, bool even_if_used);
    // The next private frames at the hand, each with one more reference; how many.
    uint32_t next_private(std::span<Frame> to);
    uint32_t own_resident() const { return pages_.own_resident(); }
    uint32_t own_swapped() const { return pages_.swapped(); }
    uint32_t peak_resident() const { return pages_.peak(); }
    PagingState& paging() { return paging_; }
    ReplacementSet& pool() { return pool_; }
    void leave_pool();                  // its pages compete in the common pool
    void enter_pool();                  // new: under the policy that is chosen
    void track_all();                   // tracked_frames.hpp
    bool bring_in_area(uint32_t area);  // swap.hpp; false: it can't
    Result<void> write(VirtAddr to, const void* from, uint32_t bytes);
    Result<void> read(void* to, VirtAddr from, uint32_t bytes);

  private:
    struct Range {
        VirtAddr start, end;
        uint32_t bytes() const { return end - start; }
        uint32_t pages() const { return bytes() >> kPageShift; }
    };
    class Session;
    class PagingTime;
    void keep_to_allocation();

    AddressSpace() = default;
    static bool make_range(VirtAddr start, uint32_t length, Range& out);

    // All below: lock held.
    void forget_stale();
    Result<void> copy_local_descriptors(const AddressSpace& from);
    struct Overlap {  // pages
        uint32_t all = 0, data = 0, committed = 0;
    };
    Overlap overlap(Range range) const;
    // ENOMEM, EAGAIN: so many pages more, less those that go, are beyond a limit.
    Result<void> check_growth(uint32_t pages, const RegionAttributes& attributes,
                              const Overlap& going) const;
    Result<void> check_growth(uint32_t pages, const RegionAttributes& attributes) const {
        return check_growth(pages, attributes, Overlap());
    }
    uint32_t locked_pages(Range within) const;
    Result<void> check_locked(uint32_t more, uint32_t limit) const;
    Result<void> check_count(uint32_t more) const;  // ENOMEM: too many regions
    Result<void> lock_session(Range range, RegionLock lock, uint32_t limit);
    Result<Range> place(const MapRequest& request);
    Result<void> unmap_range(Range range);
    Result<VirtAddr> find_room(uint32_t bytes) const;
    Result<VirtAddr> move_region(const Region& region, Range from, Range to, bool keep);
    Result<VirtAddr> remap_placed(Range from, Range to, uint32_t flags);
    Result<VirtAddr> resize(Range from, uint32_t bytes, uint32_t flags);
    Result<Region*> check_resize(Range from, uint32_t bytes, const Overlap& going);
    static Result<void> check_advice(const RegionAttributes& attributes, uint32_t advice);
    Result<void> discard_shared(Range range);
    Result<void> populate_advised(Range range, bool write);
    Result<Range> protected_range(VirtAddr start, uint32_t length, uint32_t grows) const;
    VirtAddr set_break_session(VirtAddr end, Range& grown);
    // Without the lock: brings in the range's pages as accesses would; absent_only: those that are
    // on a disk. ENOMEM.
    Result<void> populate(Range range, bool absent_only);
    RegionUse use_of(const Region& region);

    // What a fault has to wait for without the lock, and then holds until it is done.
    struct Awaited {
        uint32_t swapped = 0;  // a slot's name (swap.hpp)
        Ref<Pager> pager{};
        uint32_t index = 0;
        AccessPattern pattern = AccessPattern::normal;
        Frame frame{};
        FaultSource source{};  // and what it got, for the trace
        Frame got{};
        ~Awaited();
        FaultResult resolved(FaultSource from, Frame page) {
            source = from;
            got = page;
            return FaultResult::resolved;
        }
        FaultResult read();
    };
    FaultResult handle(VirtAddr address, bool write, bool user, Awaited& awaited);
    FaultResult handle_once(VirtAddr page, bool write, bool user, Awaited& awaited);
    FaultResult fault_in_once(VirtAddr page, bool write, Awaited& awaited, Frame& frame);
    FaultResult swap_in(Region& region, VirtAddr page, PageEntry* slot, bool write,
                        Awaited& awaited);
    template <typename F>
    bool try_session(F&& action);
    FaultResult resolve(VirtAddr page, bool write, Awaited& awaited);
    FaultResult load_page(Region& region, VirtAddr page, PageEntry* slot, bool write,
                          Awaited& awaited);
    FaultResult load_from_pager(Region& region, VirtAddr page, PageEntry* slot, bool write,
                                Awaited& awaited);
    Frame map_around(Region& region, VirtAddr page, PageEntry* slot);
    FaultResult allow_write(Region& region, VirtAddr page, PageEntry* slot, Awaited& awaited);
    Region* region_for(VirtAddr page);
    void trace_mapped(VirtAddr start, VirtAddr end, const RegionAttributes& attributes);
    void trace_unmapped(VirtAddr start, VirtAddr end);
    void trace_resident();
    void trace_evicted(VirtAddr page, Frame frame, bool dirty);
    bool grow_down(Region& region, VirtAddr page);

    bool migrate_page(VirtAddr page, PageEntry& slot, Migration& migration);
    FaultResult lab_fault(VirtAddr page, bool write, bool user, Awaited& awaited);
    void hide_lab_pages();
    void evict_lab_page(uint32_t page, bool& dirty);

    friend void unmap_pages_of(const Pager& pager, uint32_t first);
    friend void protect_pages_of(const Pager&, uint32_t, uint32_t);
    friend void unmap_shared_pages_of(const Pager&, uint32_t, uint32_t);
    void forget_pages_of(const Pager& pager, uint32_t first);
    template <typename F>
    void for_each_shared(const Pager& pager, uint32_t first, uint32_t count, F&& visit);
    void protect_pages_of(const Pager& pager, uint32_t first, uint32_t count);

    Mutex lock_{LockRank::address_space};
    RegionMap regions_;
    UserPages pages_;
    uint32_t charged_ = 0;                       // of regions_.committed(), what the system knows
    uint32_t peak_total_ = 0;                    // pages of regions
    RegionLock lock_future_ = RegionLock::none;  // mlockall: of new regions
    VirtAddr break_start_{0}, break_{0};
    PagingLab* lab_ = nullptr;
    PagingState paging_{};
    uint32_t resident_traced_ = 0;  // at which tick
    ReplacementSet pool_{};         // swap_lock
    VirtAddr hand_{0};              // next_private()
    LocalDescriptorsSlot local_descriptors_ = nullptr;
    VirtAddr stale_pages_[2] = {};  // that some TLB may see wrongly (tlb_lab.cpp)
    Frame stale_frames_[2] = {};    // ... as these, held; 0: none
    VirtAddr map_top_{0};           // mappings are placed below
    template <typename T, typename... Args>
    friend Result<Ref<T>> make_ref(Args&&... args);
};
// How a fault is taken: mm installs its handler with kernel/arch at start-up (traps.hpp).
void address_spaces_init();
