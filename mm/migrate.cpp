// An address space's part in compaction: which of its pages may move, and moving them. See
// compaction.hpp.
// Locks: the address space's; swap_lock.
#include "mm/compaction_plan.hpp"
#include "mm/migration.hpp"
#include "mm/paging_lab.hpp"
#include "mm/session.hpp"
#include "mm/tracked_frames.hpp"

namespace {

// A private page, present, that nobody else has: whoever works with its frame holds a reference.
bool may_move(const PageEntry& entry) {
    return entry.present() && !entry.has(kEntryFile) && frame_references(entry.frame()) == 1;
}

}  // namespace

void AddressSpace::note_movable(std::span<FrameUse> uses) {
    Session session(*this);
    pages_.for_each(VirtAddr(0), kUserTop, [&](VirtAddr page, PageEntry& entry) {
        if (may_move(entry) && !(lab_ && lab_->covers(page)))
            uses[entry.frame().raw()] = FrameUse::movable;
    });
}

// The page can't be reached while it is copied: who wants to waits for the lock.
bool AddressSpace::migrate_page(VirtAddr page, PageEntry& slot, Migration& migration) {
    const Frame from = slot.frame();
    Result<Frame> to = migration.target();
    if (to.is_error()) return false;
    if (swap_active && !withdraw_tracked(from)) {
        put_frame(to.value());
        return true;
    }
    const uint32_t hidden = slot.without(kEntryPresent).with(kEntryHeld).raw;
    const PageEntry old{__atomic_exchange_n(&slot.raw, hidden, __ATOMIC_ACQ_REL)};
    flush_range(pages_.directory(), page, page + kPageSize);
    copy_frame(to.value(), from);
    slot = PageEntry::make(to.value(), old.raw & kEntryFlags);
    if (swap_active) track_frame(to.value(), page, pool_);
    migration.moved_from(from);
    return true;
}

void AddressSpace::migrate(Migration& migration) {
    Session session(*this);
    pages_.for_each(VirtAddr(0), kUserTop, [&](VirtAddr page, PageEntry& entry) {
        if (migration.goes_on() && may_move(entry) && migration.covers(entry.frame()) &&
            !(lab_ && lab_->covers(page)))
            migrate_page(page, entry, migration);
    });
}
