// Making, copying and destroying address spaces. See address_space.hpp.
#include "mm/address_space.hpp"

#include <algorithm>

#include "kernel/arch/cpu.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"
#include "mm/all_spaces.hpp"
#include "mm/frame_allocation.hpp"
#include "mm/frames.hpp"
#include "mm/kernel_map.hpp"
#include "mm/local_descriptors.hpp"
#include "mm/locked_space.hpp"
#include "mm/paging_lab.hpp"
#include "mm/tlb_lab.hpp"
#include "mm/tracked_frames.hpp"
#include "mm/window.hpp"

namespace {
constexpr uint32_t kStackRoomLeast = 128u << 20;
}

Result<Ref<AddressSpace>> AddressSpace::create() {
    Ref<AddressSpace> space = TRY(make_ref<AddressSpace>());
    {
        LockedSpace locked(*space);
        TRY(locked->pages.init());
        locked->map_top = kUserTop - kStackRoomLeast;
    }
    space->paging_.active_since = monotonic_now().raw();
    TRY(make_pool(*space));
    AllSpaces::add(*space);
    enter_pool(*space);
    return space;
}

AddressSpace::~AddressSpace() {
    AllSpaces::remove(*this);
    drop_pool(*this);
    delete state_.lab;
    UserPages& pages = state_.pages;
    if (!pages.made()) return;
    // The thread that dropped the last reference may still run on these page tables, and so may CPUs
    // whose last user thread was one of this space.
    leave_directory(pages.directory(), kernel_directory());
    if (Thread& self = Thread::current(); self.space == this) {
        self.space = nullptr;
        self.page_directory = PhysAddr(0);
        self.local_descriptors = nullptr;
    }
    free_local_descriptors(local_descriptors_);
    forget_stale(state_);
    for (Region* r = state_.regions.find_from(VirtAddr(0)); r; r = state_.regions.next(*r))
        pages.clear(r->start, r->end);
    change_commitment(-static_cast<int32_t>(state_.charged));
}

Result<Ref<AddressSpace>> AddressSpace::fork() {
    Ref<AddressSpace> child = TRY(create());
    SpaceState& to = child->state_;  // without its lock: no other thread knows it yet
    LockedSpace from(*this);
    to.break_start = from->break_start;
    to.break_end = from->break_end;
    to.map_top = from->map_top;
    child->limits = limits;
    set_limit_resident(*child, limits.resident);
    if (commitment_rule.overcommit == 2) TRY(check_commitment(from->regions.committed()));
    TRY(copy_local_descriptors(*this, *child));
    const Result<void> copied = to.regions.copy_from(from->regions);
    to.charged = to.regions.committed();
    change_commitment(static_cast<int32_t>(to.charged));
    TRY(copied);
    bool changed = false;
    Result<void> shared;
    for (Region* r = from->regions.find_from(VirtAddr(0)); r && shared.is_ok();
         r = from->regions.next(*r))
        if (r->attributes.on_fork == OnFork::same)
            shared = from->pages.share(to.pages, r->start, r->end, !r->attributes.shared, changed);
    if (changed) flush_range(from->pages.directory(), VirtAddr(0), kUserTop);
    TRY(shared);
    return child;
}

namespace {

// visit(offset, frame address in a page, bytes) for each page of a range of user memory.
template <typename F>
Result<void> for_each_piece(VirtAddr start, uint32_t bytes, F&& visit) {
    if (start >= kUserTop || bytes > kUserTop - start) return Errno::fault;
    for (uint32_t done = 0; done < bytes;) {
        const uint32_t offset = (start + done).raw() & kPageMask;
        const uint32_t piece = std::min(bytes - done, kPageSize - offset);
        TRY(visit(start + done, done, offset, piece));
        done += piece;
        preemption_point();
    }
    return {};
}

}  // namespace

Result<void> AddressSpace::write(VirtAddr to, const void* from, uint32_t bytes) {
    return for_each_piece(
        to, bytes,
        [&](VirtAddr at, uint32_t done, uint32_t offset, uint32_t piece) -> Result<void> {
            const Frame frame = TRY(fault_in(at, true));
            {
                FrameWindow window(frame);
                __builtin_memcpy(static_cast<char*>(window.data()) + offset,
                                 static_cast<const char*>(from) + done, piece);
            }
            put_frame(frame);
            return {};
        });
}

Result<void> AddressSpace::read(void* to, VirtAddr from, uint32_t bytes) {
    return for_each_piece(
        from, bytes,
        [&](VirtAddr at, uint32_t done, uint32_t offset, uint32_t piece) -> Result<void> {
            const Frame frame = TRY(fault_in(at, false));
            {
                FrameWindow window(frame);
                __builtin_memcpy(static_cast<char*>(to) + done,
                                 static_cast<const char*>(window.data()) + offset, piece);
            }
            put_frame(frame);
            return {};
        });
}
