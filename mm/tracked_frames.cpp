// See tracked_frames.hpp.
#include "mm/tracked_frames.hpp"

#include "mm/all_spaces.hpp"
#include "mm/reclaim.hpp"
#include "mm/replacers.hpp"
#include "mm/locked_space.hpp"
#include "mm/shared_pages.hpp"
#include "mm/virtual_area.hpp"

constinit TrackedFrame* tracked_frames = nullptr;
constinit Atomic<bool> local_scope = false, some_unlocked = false;

namespace {
// Of new pools; and the tunables of the common pool, which new pools copy.
constinit uint32_t chosen_policy GUARDED_BY(swap_lock) = Replacers::kIndexOf<DefaultReplacer>;
constinit Replacers common_policies GUARDED_BY(swap_lock){}, locked_policies
    GUARDED_BY(swap_lock){};
constinit Mutex starting{LockRank::mount_table};  // start_tracking

// A tracked frame's entry leaves the list; it may be off it while it is being evicted.
void leave_policy(TrackedFrame& page) REQUIRES(swap_lock) {
    if (page.node.linked()) policy_of(page).remove(page);
}

// All of a pool's pages come into another pool, or under the other's policy.
void move_pages(ReplacementPolicy& from, ReplacementSet& pool) REQUIRES(swap_lock) {
    for (uint32_t left = from.size(); left > 0; --left) {
        auto& page = static_cast<TrackedFrame&>(*from.first());
        from.remove(page);
        page.pool = &pool;
        policy_of(pool).load(page, page.modified, page.used);
    }
}
void change_policy(ReplacementSet& pool) {
    LockGuard guard(swap_lock);
    ReplacementPolicy &former = policy_of(pool), &next = pool.policies->at(chosen_policy);
    if (&former == &next) return;
    pool.policy = &next;
    move_pages(former, pool);
}
void leave_pool(AddressSpace& space) {
    if (!swap_active) return;
    LockGuard guard(swap_lock);
    move_pages(policy_of(space.pool()), common_pool);
}
void copy_tunables_to(AddressSpace& space) {
    LockGuard guard(swap_lock);
    space.pool().policies->copy_tunables(common_policies);
}
}  // namespace

constinit ReplacementSet common_pool{&common_policies, &common_policies.get<DefaultReplacer>()};

constinit ReplacementSet locked_pool{&locked_policies, &locked_policies.get<FifoReplacement>()};

void compete_again() {
    LockGuard guard(swap_lock);
    move_pages(policy_of(locked_pool), common_pool);
}

Result<void> make_pool(AddressSpace& space) {
    auto* policies = new (std::nothrow) Replacers;
    if (!policies) return Errno::nomem;
    space.pool() = {policies, &policies->get<DefaultReplacer>()};
    return {};
}
void enter_pool(AddressSpace& space) {
    change_policy(space.pool());
    copy_tunables_to(space);
}
void drop_pool(AddressSpace& space) {
    if (!space.pool().policies) return;  // it could not be made
    leave_pool(space);
    delete space.pool().policies;
}

namespace {
template <typename F>
void for_each_space(F&& f) {
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        f(*space);
}

void choose_replacement(uint32_t which) {
    {
        LockGuard guard(swap_lock);
        chosen_policy = which;
    }
    change_policy(common_pool);
    if (file_reclaimer.choose) file_reclaimer.choose(which);
    for_each_space([](AddressSpace& space) { change_policy(space.pool()); });
}

void tune_replacement(const Tunable& fresh) NO_LOCK_ANALYSIS {  // only this changes them
    {
        LockGuard guard(swap_lock);
        common_policies.set_tunable(fresh);
    }
    if (file_reclaimer.tune) file_reclaimer.tune(common_policies);
    for_each_space(copy_tunables_to);
}
}  // namespace

void choose_scope(bool local) {
    local_scope.store_relaxed(local);
    for_each_space([&](AddressSpace& space) {
        if (local && swap_active)
            track_all(space);
        else
            leave_pool(space);
    });
}

constinit const PolicyChoice kReplacementChoice = {
    "vm.replacement",
    Replacers::kNames,
    []() NO_LOCK_ANALYSIS { return chosen_policy; },  // one word
    choose_replacement,
    "vm.",
    kTunablesOf<Replacers>.span(),
    [](uint32_t which) {
        LockGuard guard(swap_lock);
        return *common_policies.tunable(kTunablesOf<Replacers>.all[which].name);
    },
    tune_replacement};

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
    swap_active.store(true);
    for (Ref<AddressSpace> space = AllSpaces::next(nullptr); space;
         space = AllSpaces::next(space.get()))
        track_all(*space);
    AllSharedPages all;
    while (SharedPages* pages = all.next()) pages->track_all();
    return {};
}

void track_all(AddressSpace& space) {
    LockedSpace locked(space);
    locked->pages.for_each(VirtAddr(0), kUserTop, [&](VirtAddr at, PageEntry& entry) {
        if (entry.holds_frame() && !entry.has(kEntryFile))
            track_frame(entry.frame(), at, space.pool());
    });
}

void track_frame(Frame frame, VirtAddr address, ReplacementSet& pool) {
    LockGuard guard(swap_lock);
    TrackedFrame& page = tracked(frame);
    page.shared = nullptr;
    page.address = address;
    page.unwritten &= static_cast<bool>(page.entry);
    ReplacementSet& wanted = local_scope ? pool : common_pool;
    if (page.node.linked() && page.pool != &wanted) leave_policy(page);
    page.pool = &wanted;
    if (!page.node.linked()) policy_of(page).load(page, true, page.used);
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
    if (frame_info(frame).references.subtract(1) > 0) return;
    leave_policy(tracked(frame));
    free_unhooked(frame);
}
