// An address space's part in compaction: which of its pages may move, and moving them. See
// compaction.hpp.
// Locks: the address space's; swap_lock.
#include "mm/compaction_plan.hpp"
#include "mm/migration.hpp"
#include "mm/paging_lab.hpp"
#include "mm/locked_space.hpp"
#include "mm/tracked_frames.hpp"

namespace {

// A private page, present, that no other space has: code that works with its frame holds a reference.
bool may_move(const PageEntry& entry) {
    return entry.present() && !entry.has(kEntryFile) && frame_references(entry.frame()) == 1;
}

bool in_lab(const LockedSpace& locked, VirtAddr page) {
    return locked->lab && locked->lab->covers(page);
}

// The page can't be reached while it is copied: a thread that wants it waits for the lock.
bool migrate_page(LockedSpace& locked, VirtAddr page, PageEntry& slot, Migration& migration) {
    const Frame from = slot.frame();
    Result<Frame> to = migration.target();
    if (to.is_error()) return false;
    if (swap_active && !withdraw_tracked(from)) {
        put_frame(to.value());
        return true;
    }
    const uint32_t hidden = slot.without(kEntryPresent).with(kEntryHeld).raw;
    const PageEntry old{__atomic_exchange_n(&slot.raw, hidden, __ATOMIC_ACQ_REL)};
    flush_range(locked->pages.directory(), page, page + kPageSize);
    copy_frame(to.value(), from);
    slot = PageEntry::make(to.value(), old.raw & kEntryFlags);
    if (swap_active) track_frame(to.value(), page, locked.space().pool());
    migration.moved_from(from);
    return true;
}

}  // namespace

void note_movable(AddressSpace& space, std::span<FrameUse> uses) {
    LockedSpace locked(space);
    locked->pages.for_each(VirtAddr(0), kUserTop, [&](VirtAddr page, PageEntry& entry) {
        if (may_move(entry) && !in_lab(locked, page)) uses[entry.frame().raw()] = FrameUse::movable;
    });
}

void migrate(AddressSpace& space, Migration& migration) {
    LockedSpace locked(space);
    locked->pages.for_each(VirtAddr(0), kUserTop, [&](VirtAddr page, PageEntry& entry) {
        if (migration.goes_on() && may_move(entry) && migration.covers(entry.frame()) &&
            !in_lab(locked, page))
            migrate_page(locked, page, entry, migration);
    });
}
