// See tracked_frames.hpp.
#include "mm/tracked_frames.hpp"

#include "mm/all_spaces.hpp"
#include "mm/session.hpp"
#include "mm/virtual_area.hpp"

constinit TrackedFrame* tracked_frames = nullptr;

namespace {
constinit ReplacementSet policies{};              // under swap_lock
constinit uint32_t chosen = 4;                    // its index in the set
constinit Mutex starting{LockRank::mount_table};  // start_tracking

// A tracked frame's entry leaves the list; it may be off it while it is being evicted.
void leave_policy(TrackedFrame& page) {
    if (page.node.linked()) replacement_policy().remove(page);
}
}  // namespace

ReplacementPolicy& replacement_policy() { return policies.at(chosen); }

bool choose_replacement(std::string_view name) {
    LockGuard guard(swap_lock);
    for (uint32_t i = 0; i < ReplacementSet::kCount; ++i) {
        ReplacementPolicy& next = policies.at(i);
        if (next.name() != name || next.knows_future()) continue;
        ReplacementPolicy& former = replacement_policy();
        for (uint32_t left = former.size(); left > 0; --left) {
            ResidentPage& page = *former.first();
            former.remove(page);
            next.load(page, page.modified, page.used);
        }
        chosen = i;
        return true;
    }
    return false;
}

void show_replacement(TextSink& to) {
    LockGuard guard(swap_lock);
    bool any = false;
    for (uint32_t i = 0; i < ReplacementSet::kCount; ++i) {
        if (policies.at(i).knows_future()) continue;
        format_to(to, i == chosen ? "{}[{}]" : "{}{}", any ? " " : "", policies.at(i).name());
        any = true;
    }
    to.put("\n");
}

Result<void> start_tracking() {
    LockGuard once(starting);
    if (swap_active) return {};
    void* table = TRY(allocate_wide(frame_table_size * sizeof(TrackedFrame)));
    tracked_frames = static_cast<TrackedFrame*>(table);
    for (uint32_t i = 0; i < frame_table_size; ++i) {
        new (&tracked_frames[i]) TrackedFrame;
        tracked_frames[i].page = i;
    }
    frame_freed_hook = untrack_freed_frame;
    __atomic_store_n(&swap_active, true, __ATOMIC_RELEASE);
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        space->track_all();
    return {};
}

void AddressSpace::track_all() {
    Session session(*this);
    pages_.for_each(VirtAddr(0), kUserTop, [](VirtAddr at, PageEntry& entry) {
        if (entry.holds_frame() && !entry.has(kEntryFile)) track_frame(entry.frame(), at);
    });
}

void track_frame(Frame frame, VirtAddr address) {
    LockGuard guard(swap_lock);
    TrackedFrame& page = tracked(frame);
    page.address = address;
    page.unwritten &= static_cast<bool>(page.entry);
    if (!page.node.linked()) replacement_policy().load(page, true, page.used);
}

void move_tracked(Frame frame, VirtAddr address) {
    LockGuard guard(swap_lock);
    if (frame_references(frame) == 1u + static_cast<bool>(tracked(frame).entry))
        tracked(frame).address = address;
}

void untrack_freed_frame(Frame frame) {
    LockGuard guard(swap_lock);
    leave_policy(tracked(frame));
}

bool withdraw_tracked(Frame frame) {
    LockGuard guard(swap_lock);
    TrackedFrame& page = tracked(frame);
    if (frame_references(frame) != 1 || page.entry) return false;
    leave_policy(page);
    return true;
}

void put_tracked(Frame frame) {
    if (__atomic_sub_fetch(&frame_info(frame).references, 1, __ATOMIC_ACQ_REL) > 0) return;
    leave_policy(tracked(frame));
    free_unhooked(frame);
}
