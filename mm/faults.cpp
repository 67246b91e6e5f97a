// Page faults: bringing a page in, copying it on the first write, growing a stack. See
// address_space.hpp.
//
//   no region, no stack to grow -> unmapped;  the region forbids it -> protection
//   nothing there:  anonymous -> a zeroed frame;  file -> the pager's frame, or its copy if a
//                   private mapping is written
//   read-only there, and written:  shared -> tell the pager;  private -> our own frame if nobody
//                   else has it, else a copy
//
// Spec: Intel SDM vol. 3A, 4.7; mmap(2).
#include <algorithm>
#include <utility>

#include "kernel/arch/traps.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/address_space.hpp"
#include "mm/frames.hpp"
#include "mm/paging_lab.hpp"
#include "mm/reclaim.hpp"
#include "mm/session.hpp"
#include "mm/table_pool.hpp"
#include "mm/tracked_frames.hpp"

namespace {

void note_private(ReplacementSet& pool, Frame frame, VirtAddr page) {
    if (swap_active) [[unlikely]]
        track_frame(frame, page, pool);
}

constexpr uint32_t kUserFlags = kEntryPresent | kEntryUser;

// Of FaultResult, and of what a fault event has as its cause.
constinit TraceNames result_names{"fault",
                                  [](uint32_t result) -> const char* {
                                      constexpr const char* kNames[] = {"resolved", "unmapped",
                                                                        "protection", "bus-error",
                                                                        "out-of-memory"};
                                      return kNames[result];
                                  },
                                  5};
constinit TraceNames cause_names{"cause",
                                 [](uint32_t cause) -> const char* {
                                     constexpr const char* kNames[] = {
                                         "kernel-read-absent",    "kernel-write-absent",
                                         "user-read-absent",      "user-write-absent",
                                         "kernel-read-protected", "kernel-write-protected",
                                         "user-read-protected",   "user-write-protected"};
                                     return kNames[cause];
                                 },
                                 8};

bool page_fault(VirtAddr address, bool write, bool user, bool present) {
    Thread& thread = Thread::current();
    if (!thread.space) return false;
    // A fault that had to wait for its page is a major one.
    trace<TraceType::fault_event>(address.raw(), user ? thread.user_frame().eip : 0,
                                  (write ? 1u : 0) | (user ? 2u : 0) | (present ? 4u : 0));
    const uint32_t waits = thread.voluntary_switches;
    const FaultResult result = thread.space->handle_fault(address, write, user, present);
    // One instruction each, so that no interrupt comes between.
    asm volatile("incl %%fs:%c0" : : "i"(offsetof(Cpu, page_faults)) : "memory");
    if (thread.voluntary_switches == waits) [[likely]] {
        ++thread.minor_faults;
    } else {
        ++thread.major_faults;
        asm volatile("incl %%fs:%c0" : : "i"(offsetof(Cpu, major_faults)) : "memory");
    }
    thread.fault_result = static_cast<uint8_t>(result);
    return result == FaultResult::resolved;
}

}  // namespace

void address_spaces_init() {
    table_pool_init();
    add_trace_names(result_names);
    add_trace_names(cause_names);
    memory_trace_init();
    trap_hooks.page_fault = page_fault;
    trap_hooks.single_step = [] {
        AddressSpace* space = Thread::current().space;
        return space && space->end_lab_step();
    };
}

// How long a fault takes whose page or frame has to be waited for.
class AddressSpace::PagingTime {
  public:
    explicit PagingTime(AddressSpace& space) : space_(space) {}
    void begin() {
        if (!since_) since_ = monotonic_now().raw();
    }
    ~PagingTime() {
        if (!since_) [[likely]]
            return;
        const auto spent = static_cast<uint32_t>((monotonic_now().raw() - since_) / 1000);
        __atomic_fetch_add(&space_.paging_.service, spent, __ATOMIC_RELAXED);
        __atomic_fetch_add(&space_.paging_.faults, 1, __ATOMIC_RELAXED);
    }

  private:
    AddressSpace& space_;
    uint64_t since_ = 0;
};

FaultResult AddressSpace::handle_fault(VirtAddr address, bool write, bool user, bool) {
    Awaited awaited;
    const FaultResult result = handle(address, write, user, awaited);
    trace<TraceType::fault_done_event>(address.raw(), static_cast<uint32_t>(result),
                                       static_cast<uint32_t>(awaited.source), awaited.got.raw());
    return result;
}

[[gnu::always_inline]] inline FaultResult AddressSpace::handle(VirtAddr address, bool write,
                                                               bool user, Awaited& awaited) {
    if (address >= kUserTop) return FaultResult::bad_address_unmapped;
    const VirtAddr page(address.raw() & ~kPageMask);
    PagingTime paging(*this);
    if (pages_.own_resident() > paging_.frames_most) [[unlikely]]
        keep_to_allocation();
    for (;;) {
        FaultResult result = handle_once(page, write, user, awaited);
        if (result < FaultResult::out_of_memory) [[likely]]
            return result;
        paging.begin();
        if (result == FaultResult::must_read) result = awaited.read();
        if (result == FaultResult::bus_error) return result;
        if (result == FaultResult::out_of_memory && !wait_for_memory()) return result;
    }
}

inline FaultResult AddressSpace::handle_once(VirtAddr page, bool write, bool user,
                                             Awaited& awaited) {
    Session session(*this);
    if (pages_.resident() % 8 == 0) trace_resident();
    if (lab_ && lab_->covers(page)) [[unlikely]]
        return lab_fault(page, write, user, awaited);
    return resolve(page, write, awaited);
}

Result<Frame> AddressSpace::fault_in(VirtAddr address, bool write) {
    if (address >= kUserTop) return Errno::fault;
    const VirtAddr page(address.raw() & ~kPageMask);
    Awaited awaited;
    for (;;) {
        Frame frame;
        FaultResult result = fault_in_once(page, write, awaited, frame);
        if (result == FaultResult::resolved) return frame;
        if (result == FaultResult::must_read) result = awaited.read();
        if (result < FaultResult::out_of_memory) return Errno::fault;
        if (result == FaultResult::out_of_memory && !wait_for_memory()) return Errno::nomem;
    }
}

FaultResult AddressSpace::fault_in_once(VirtAddr page, bool write, Awaited& awaited, Frame& frame) {
    Session session(*this);
    const PageEntry* entry = pages_.find(page);
    if (!entry || !entry->present() || (write && !entry->writable())) {
        const FaultResult result = resolve(page, write, awaited);
        if (result != FaultResult::resolved) return result;
        entry = pages_.find(page);
    }
    frame = entry->frame();
    get_frame(frame);
    return FaultResult::resolved;
}

bool AddressSpace::grow_down(Region& region, VirtAddr page) {
    if (region.end - page > limit_stack) return false;
    const Region* below = regions_.previous(region);
    if (page < kLowestMapping) return false;
    if (below && below->attributes.protection &&
        (page <= below->end || page - below->end < kStackGuardGap))
        return false;
    if (check_growth((region.start - page) >> kPageShift, region.attributes).is_error())
        return false;
    trace_mapped(page, region.start, region.attributes);
    regions_.set_start(region, page);
    return true;
}

Region* AddressSpace::region_for(VirtAddr page) {
    if (Region* region = regions_.find(page)) return region;
    Region* above = regions_.find_from(page);
    if (!above || !above->attributes.grows_down || !grow_down(*above, page)) return nullptr;
    return above;
}

FaultResult AddressSpace::resolve(VirtAddr page, bool write, Awaited& awaited) {
    Region* region = region_for(page);
    if (!region) return FaultResult::bad_address_unmapped;
    // Whatever may be written or executed may be read too.
    if (write ? !(region->attributes.protection & kProtWrite) : !region->attributes.protection)
        return FaultResult::bad_address_protection;
    Result<PageEntry*> found = pages_.slot(page);
    if (found.is_error()) return FaultResult::out_of_memory;
    PageEntry* slot = found.value();
    if (!slot->holds_frame()) {
        if (slot->swapped()) [[unlikely]]
            return swap_in(*region, page, slot, write, awaited);
        return load_page(*region, page, slot, write, awaited);
    }
    // Once forbidden altogether, now allowed again.
    if (!slot->present()) *slot = slot->without(kEntryHeld).with(kEntryPresent);
    if (write && !slot->writable()) return allow_write(*region, page, slot, awaited);
    flush_range(pages_.directory(), page, page + kPageSize);  // somebody else was faster
    return awaited.resolved(FaultSource::present, slot->frame());
}

FaultResult AddressSpace::load_page(Region& region, VirtAddr page, PageEntry* slot, bool write,
                                    Awaited& awaited) {
    if (region.attributes.pager) return load_from_pager(region, page, slot, write, awaited);
    Result<Frame> frame = allocate_zeroed_frame(Zone::any);
    if (frame.is_error()) return FaultResult::out_of_memory;
    const bool writable = region.attributes.protection & kProtWrite;
    note_private(pool_, frame.value(), page);
    pages_.fill(
        slot, PageEntry::make(frame.value(), writable ? kUserFlags | kEntryWritable : kUserFlags));
    return awaited.resolved(FaultSource::zeroed, frame.value());
}

// The page's frame, with a reference, if it is in memory. Neighbours that are come into the address
// space along with it: a program that runs one page of a file will soon run the next.
Frame AddressSpace::map_around(Region& region, VirtAddr page, PageEntry* slot) {
    constexpr uint32_t kAround = 16, kAroundBytes = kAround * kPageSize;
    const VirtAddr block(align_down(page.raw(), kAroundBytes));
    const VirtAddr first = std::max(block, region.start);
    const uint32_t count = (std::min(block + kAroundBytes, region.end) - first) >> kPageShift;
    const uint32_t self = (page - first) >> kPageShift;
    PageEntry* slots = slot - self;  // of one table, as a block is aligned to its size
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < count; ++i) wanted |= static_cast<uint32_t>(!slots[i].raw) << i;
    if (lab_) wanted &= 1u << self;  // it is to see each page's first access
    Frame frames[kAround];
    region.attributes.pager->cached_frames(region.pager_index(first), wanted, {frames, count});
    const Frame own = std::exchange(frames[self], Frame(0));
    pages_.fill_from_file(slots, {frames, count}, kUserFlags);
    return own;
}

FaultResult AddressSpace::load_from_pager(Region& region, VirtAddr page, PageEntry* slot,
                                          bool write, Awaited& awaited) {
    Pager& pager = *region.attributes.pager;
    const uint32_t index = region.pager_index(page);
    Frame frame;
    if (write)
        pager.cached_frames(index, 1, {&frame, 1});
    else
        frame = map_around(region, page, slot);
    if (!frame.raw()) {
        awaited.pager = region.attributes.pager;
        awaited.index = index;
        awaited.pattern = region.attributes.pattern;
        return FaultResult::must_read;
    }
    uint32_t flags = kUserFlags | kEntryFile;
    if (write && region.attributes.shared) {
        pager.mark_dirty(index);
        flags |= kEntryWritable;
    } else if (write) {
        Result<Frame> copy = allocate_frame(Zone::any);
        if (copy.is_ok()) copy_frame(copy.value(), frame);
        put_frame(frame);
        if (copy.is_error()) return FaultResult::out_of_memory;
        note_private(pool_, copy.value(), page);
        pages_.fill(slot, PageEntry::make(copy.value(), kUserFlags | kEntryWritable));
        return awaited.resolved(FaultSource::file_copy, copy.value());
    }
    pages_.fill(slot, PageEntry::make(frame, flags));
    return awaited.resolved(FaultSource::file, frame);
}

FaultResult AddressSpace::allow_write(Region& region, VirtAddr page, PageEntry* slot,
                                      Awaited& awaited) {
    bool own = !slot->has(kEntryFile) && frame_references(slot->frame()) == 1;
    if (!own && swap_active && !slot->has(kEntryFile)) [[unlikely]]
        own = swap_take_over(slot->frame());
    if (region.attributes.shared || own) {
        if (region.attributes.shared) region.attributes.pager->mark_dirty(region.pager_index(page));
        *slot = slot->with(kEntryWritable);
        flush_range(pages_.directory(), page, page + kPageSize);
        return awaited.resolved(FaultSource::write, slot->frame());
    }
    Result<Frame> copy = allocate_frame(Zone::any);
    if (copy.is_error()) return FaultResult::out_of_memory;
    copy_frame(copy.value(), slot->frame());
    note_private(pool_, copy.value(), page);
    pages_.replace(page, slot, PageEntry::make(copy.value(), kUserFlags | kEntryWritable));
    return awaited.resolved(FaultSource::copy, copy.value());
}
