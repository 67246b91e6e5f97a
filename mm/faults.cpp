// Page faults: bringing a page in, copying it on the first write, growing a stack. See
// address_space.hpp.
//
//   no region, no stack to grow -> unmapped;  the region forbids it -> protection
//   nothing there:  anonymous -> a zeroed frame;  in swap -> the slot's contents;
//                   file -> the pager's frame, or its copy if a private mapping is written
//   read-only there, and written:  shared -> tell the pager;  private -> the same frame if no other
//                   page table has it, else a copy
//
// Spec: Intel SDM vol. 3A, 4.7; mmap(2).
#include "mm/fault.hpp"

#include "kernel/arch/traps.hpp"
#include "mm/fault_record.hpp"
#include "mm/frames.hpp"
#include "mm/mapping.hpp"
#include "mm/paging_lab.hpp"
#include "mm/table_pool.hpp"
#include "mm/tracked_frames.hpp"

namespace {

constexpr uint32_t kUserFlags = kEntryPresent | kEntryUser;

// A private page has this frame from now on.
void fill_private(LockedSpace& space, VirtAddr page, PageEntry* slot, Frame frame, bool writable) {
    if (swap_active) [[unlikely]]
        track_frame(frame, page, space.space().pool());
    space->pages.fill(slot,
                      PageEntry::make(frame, writable ? kUserFlags | kEntryWritable : kUserFlags));
}

// May it be touched so? What may be written or executed may be read too.
// Lab 12.7: stub { return region.attributes.protection || write; }
bool allows(const Region& region, bool write) {
    const uint32_t rights = region.attributes.protection;
    return write ? rights & kProtWrite : rights != 0;
}

// What a page that may be touched so lacks, by its entry in the page table.
enum class FaultCase : uint8_t {
    zeros,      // nothing is there yet, and no file stands behind the region
    file,       // nothing is there yet; the region's pager has it
    swapped,    // its contents are in swap
    read_only,  // it is there, and is to be written
    there,      // nothing: another thread was faster, or it was forbidden altogether until now
};
// Lab 12.7: stub { if (!slot.present()) return region.attributes.pager ? FaultCase::file : FaultCase::zeros; return write ? FaultCase::read_only : FaultCase::there; }
FaultCase case_of(const Region& region, PageEntry slot, bool write) {
    if (slot.swapped()) [[unlikely]]
        return FaultCase::swapped;
    if (!slot.present()) return region.attributes.pager ? FaultCase::file : FaultCase::zeros;
    return write && !slot.writable() ? FaultCase::read_only : FaultCase::there;
}

// Does the first write go to a copy? A private page's does if the frame has other users: a file
// (kEntryFile), or another page table.
// Lab 12.7: stub { return !region.attributes.shared || slot.raw == 0; }
bool needs_copy(const Region& region, PageEntry slot) {
    if (region.attributes.shared) return false;
    return slot.has(kEntryFile) || frame_references(slot.frame()) > 1;
}

Result<Frame> copy_of(Frame frame) {
    const Frame copy = TRY(allocate_frame(Zone::any));
    copy_frame(copy, frame);
    return copy;
}

bool grow_down(LockedSpace& space, Region& stack, VirtAddr page) {
    if (stack.end - page > space.space().limits.stack || page < kLowestMapping) return false;
    const Region* below = space->regions.previous(stack);
    if (below && below->attributes.protection &&
        (page <= below->end || page - below->end < kStackGuardGap))
        return false;
    const uint32_t pages = (stack.start - page) >> kPageShift;
    if (check_growth(space, pages, stack.attributes).is_error()) return false;
    trace_mapped(space, page, stack.start, stack.attributes);
    space->regions.set_start(stack, page);
    return true;
}

Region* region_for(LockedSpace& space, VirtAddr page) {
    if (Region* region = space->regions.find(page)) return region;
    Region* above = space->regions.find_from(page);
    if (!above || !above->attributes.grows_down || !grow_down(space, *above, page)) return nullptr;
    return above;
}

FaultResult fill_with_zeros(LockedSpace& space, Fault& fault, const Region& region,
                            PageEntry* slot) {
    const Result<Frame> frame = allocate_zeroed_frame(Zone::any);
    if (frame.is_error()) return FaultResult::out_of_memory;
    fill_private(space, fault.page, slot, frame.value(), region.attributes.protection & kProtWrite);
    return fault.resolved(FaultSource::zeroed, frame.value());
}

FaultResult map_file_page(LockedSpace& space, Fault& fault, const Region& region, PageEntry* slot) {
    Pager& pager = *region.attributes.pager;
    const uint32_t index = region.pager_index(fault.page);
    Frame frame;
    if (fault.write)
        pager.cached_frames(index, 1, {&frame, 1});
    else
        frame = map_around(space, region, fault.page, slot);
    if (!frame.raw()) return fault.must_read_page(region);
    if (fault.write && !region.attributes.shared) {
        const Result<Frame> copy = copy_of(frame);
        put_frame(frame);
        if (copy.is_error()) return FaultResult::out_of_memory;
        fill_private(space, fault.page, slot, copy.value(), true);
        return fault.resolved(FaultSource::file_copy, copy.value());
    }
    if (fault.write) pager.mark_dirty(index);
    const uint32_t flags = kUserFlags | kEntryFile | (fault.write ? kEntryWritable : 0u);
    space->pages.fill(slot, PageEntry::make(frame, flags));
    return fault.resolved(FaultSource::file, frame);
}

// What a trap with a page fault's vector calls (kernel/arch/traps.cpp). False: the program, or the
// kernel's copying for it, gets the error.
bool page_fault(VirtAddr address, bool write, bool user, bool present) {
    Thread& thread = Thread::current();
    if (!thread.space) return false;
    FaultCount count(thread, address, write, user, present);
    const FaultResult result = thread.space->handle_fault(address, write, user);
    thread.fault_result = static_cast<uint8_t>(result);
    return result == FaultResult::resolved;
}

// One attempt, with the lock.
FaultResult try_fault(AddressSpace& self, Fault& fault) {
    LockedSpace space(self);
    if (space->pages.resident() % 8 == 0) trace_resident(space);
    if (space->lab && space->lab->covers(fault.page)) [[unlikely]]
        return lab_fault(space, fault);
    return resolve(space, fault);
}

}  // namespace

void address_spaces_init() {
    table_pool_init();
    memory_trace_init();
    trap_hooks.page_fault = page_fault;
    trap_hooks.single_step = end_lab_step;
}

FaultResult AddressSpace::handle_fault(VirtAddr address, bool write, bool user) {
    Fault fault(address, write, user);
    FaultRecord record(*this, address, fault);
    if (address >= kUserTop) return record.result = FaultResult::bad_address_unmapped;
    keep_to_allocation(*this);
    for (;;) {
        record.result = try_fault(*this, fault);
        if (record.result < FaultResult::out_of_memory) [[likely]]
            return record.result;
        record.has_to_wait();
        if (!fault.wait(record.result)) return record.result;
    }
}

FaultResult resolve(LockedSpace& space, Fault& fault) {
    const Region* region = region_for(space, fault.page);
    if (!region) return FaultResult::bad_address_unmapped;
    if (!allows(*region, fault.write)) return FaultResult::bad_address_protection;
    const Result<PageEntry*> found = space->pages.slot(fault.page);
    if (found.is_error()) return FaultResult::out_of_memory;
    PageEntry* slot = found.value();
    // Once forbidden altogether, now allowed again.
    if (slot->has(kEntryHeld)) [[unlikely]]
        *slot = slot->without(kEntryHeld).with(kEntryPresent);
    switch (case_of(*region, *slot, fault.write)) {
        case FaultCase::swapped: return swap_in(space, fault, *region, slot);
        case FaultCase::file: return map_file_page(space, fault, *region, slot);
        case FaultCase::zeros: return fill_with_zeros(space, fault, *region, slot);
        case FaultCase::read_only: return allow_write(space, fault, *region, slot);
        case FaultCase::there: break;
    }
    // Only the TLB did not know.
    flush_range(space->pages.directory(), fault.page, fault.page + kPageSize);
    return fault.resolved(FaultSource::present, slot->frame());
}

FaultResult allow_write(LockedSpace& space, Fault& fault, const Region& region, PageEntry* slot) {
    bool copies = needs_copy(region, *slot);
    if (copies && swap_active && !slot->has(kEntryFile)) [[unlikely]]
        copies = !swap_take_over(slot->frame());
    if (!copies) {
        if (region.attributes.shared)
            region.attributes.pager->mark_dirty(region.pager_index(fault.page));
        *slot = slot->with(kEntryWritable);
        flush_range(space->pages.directory(), fault.page, fault.page + kPageSize);
        return fault.resolved(FaultSource::write, slot->frame());
    }
    const Result<Frame> copy = copy_of(slot->frame());
    if (copy.is_error()) return FaultResult::out_of_memory;
    if (swap_active) [[unlikely]]
        track_frame(copy.value(), fault.page, space.space().pool());
    space->pages.replace(fault.page, slot,
                         PageEntry::make(copy.value(), kUserFlags | kEntryWritable));
    return fault.resolved(FaultSource::copy, copy.value());
}

Result<Frame> AddressSpace::fault_in(VirtAddr address, bool write) {
    if (address >= kUserTop) return Errno::fault;
    Fault fault(address, write, false);
    for (;;) {
        FaultResult result = FaultResult::resolved;
        {
            LockedSpace space(*this);
            const PageEntry* entry = space->pages.find(fault.page);
            if (!entry || !entry->present() || (write && !entry->writable())) {
                result = resolve(space, fault);
                entry = space->pages.find(fault.page);
            }
            if (result == FaultResult::resolved) {
                get_frame(entry->frame());
                return entry->frame();
            }
        }
        if (result < FaultResult::out_of_memory) return Errno::fault;
        if (!fault.wait(result))
            return result == FaultResult::out_of_memory ? Errno::nomem : Errno::fault;
    }
}
