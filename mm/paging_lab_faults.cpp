// What a paging lab does to the page tables of the space that it watches. See paging_lab.hpp.
#include <utility>

#include "kernel/sched/thread.hpp"
#include "mm/fault.hpp"
#include "mm/mapping.hpp"
#include "mm/paging_lab.hpp"

Result<void> start_lab(AddressSpace& of, VirtAddr start, uint32_t pages, uint32_t frames,
                       std::string_view policy) {
    PageRange range;
    if (!is_page_aligned(start) || pages > PagingLab::kPagesMost ||
        !make_range(start, pages << kPageShift, range))
        return Errno::inval;
    LockedSpace space(of);
    PagingLab*& lab = space->lab;
    if (!space->regions.is_covered(range.start, range.end)) return Errno::nomem;
    Box<PagingLab> fresh = TRY(PagingLab::create(start, pages, frames, policy, lab));
    if (lab) space->pages.clear(lab->start(), lab->end());
    space->pages.clear(range.start, range.end);
    delete std::exchange(lab, fresh.leak());
    return {};
}

void stop_lab(AddressSpace& of) {
    LockedSpace space(of);
    if (space->lab) space->pages.clear(space->lab->start(), space->lab->end());
    delete std::exchange(space->lab, nullptr);
}

void show_lab(AddressSpace& of, TextSink& to) {
    LockedSpace space(of);
    if (space->lab) space->lab->show_records(to);
}

namespace {

void hide_lab_pages(LockedSpace& space) {
    PagingLab& lab = *space->lab;
    while (lab.shown_count > 0) {
        const VirtAddr page = lab.address(lab.shown[--lab.shown_count]);
        PageEntry* entry = space->pages.find(page);
        if (!entry || !entry->present()) continue;
        *entry = entry->without(kEntryPresent).with(kEntryHeld);
        flush_range(space->pages.directory(), page, page + kPageSize);
    }
}

// Whether it was dirty.
bool evict_lab_page(LockedSpace& space, uint32_t page) {
    const VirtAddr address = space->lab->address(page);
    const PageEntry* entry = space->pages.find(address);
    const bool dirty = entry && entry->has(kEntryDirty);
    space->lab->take_out(page);
    if (entry && entry->holds_frame()) trace_evicted(space, address, entry->frame(), dirty);
    space->pages.clear(address, address + kPageSize);
    return dirty;
}

// The policy decides once: not before the page is certain to come.
void note_loaded(LockedSpace& space, uint32_t page, bool write) {
    const uint32_t victim = space->lab->victim();
    const bool dirty = victim != PagingLab::kNone && evict_lab_page(space, victim);
    space->lab->note_load(page, write, victim, dirty);
}

}  // namespace

FaultResult lab_fault(LockedSpace& space, Fault& fault) {
    PagingLab& lab = *space->lab;
    const uint32_t page = lab.index(fault.page);
    const PageEntry* entry = space->pages.find(fault.page);
    bool shown = false;
    for (uint32_t i = 0; i < lab.shown_count; ++i) shown |= lab.shown[i] == page;
    if (shown) return resolve(space, fault);  // read before, now written: one access
    // An instruction uses no more than that many pages of data; one that the kernel's own copying
    // showed stays until then.
    if (!fault.user || lab.shown_count == std::size(lab.shown)) hide_lab_pages(space);
    const bool hit = entry && entry->holds_frame() && lab.in_frame(page);
    if (!hit && lab.in_frame(page)) lab.take_out(page);  // unmapped meanwhile
    const FaultResult result = resolve(space, fault);
    if (result != FaultResult::resolved) return result;
    if (hit)
        lab.note_access(page, fault.write);
    else
        note_loaded(space, page, fault.write);
    for (uint32_t old; (old = lab.expired()) != PagingLab::kNone;) evict_lab_page(space, old);
    lab.shown[lab.shown_count++] = page;
    if (fault.user) Thread::current().user_frame().eflags |= kFlagTrap;
    return result;
}

bool end_lab_step() {
    AddressSpace* of = Thread::current().space;
    if (!of) return false;
    LockedSpace space(*of);
    if (!space->lab) return false;
    hide_lab_pages(space);
    Thread::current().user_frame().eflags &= ~kFlagTrap;
    return true;
}
