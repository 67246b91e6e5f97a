// See shared_pages.hpp.
#include "mm/shared_pages.hpp"

#include "mm/tracked_frames.hpp"

namespace {

constinit List<SharedPages, &SharedPages::node> objects GUARDED_BY(swap_lock){};

void drop_slot(Frame frame) REQUIRES(swap_lock) {
    if (const SwapEntry entry = tracked(frame).entry) swap_cache_remove(entry, frame);
}

}  // namespace

void add_shared_pages(SharedPages& pages) {
    LockGuard guard(swap_lock);
    objects.push_back(pages);
}

void remove_shared_pages(SharedPages& pages) {
    LockGuard guard(swap_lock);
    pages.node.unlink();
}

SharedPages* AllSharedPages::next() {
    Ref<RefCounted> former = std::move(owner_);  // goes without the lock
    LockGuard guard(swap_lock);
    SharedPages* at = current_ ? objects.next(*current_) : objects.front();
    while (at && !at->owner().try_add_ref()) at = objects.next(*at);
    if (at) owner_ = Ref<RefCounted>::adopt(&at->owner());
    return current_ = at;
}

void track_shared(Frame frame, SharedPages& pages, uint32_t index) {
    if (!swap_active) [[likely]]
        return;
    LockGuard guard(swap_lock);
    TrackedFrame& page = tracked(frame);
    page.shared = &pages;
    page.index = index;
    if (page.node.linked()) return;
    page.pool = &common_pool;
    policy_of(common_pool).load(page, true, page.used);
}

void forget_shared(Frame frame) {
    if (!swap_active) return;
    LockGuard guard(swap_lock);
    TrackedFrame& page = tracked(frame);
    page.shared = nullptr;
    if (page.node.linked()) policy_of(page).remove(page);
    drop_slot(frame);
}

void note_shared_write(Frame frame) {
    if (!swap_active) return;
    LockGuard guard(swap_lock);
    drop_slot(frame);
}
