// See page_swap.hpp.
#include "fs/page_swap.hpp"

#include "fs/page_hash.hpp"

SwappedCache::SwappedCache(PageCache& cache) : cache_(cache) {
    cache_.shared_ = this;
    add_shared_pages(*this);
}

SwappedCache::~SwappedCache() {
    remove_shared_pages(*this);
    cache_.drop_from(0);
}

RefCounted& SwappedCache::owner() { return cache_.owner_; }
const Pager& SwappedCache::pager() const { return cache_; }

bool SwappedCache::give_up(uint32_t index, Frame frame, SwapEntry entry) {
    LockGuard guard(page_cache_lock);
    CachedPage* page = page_hash.find(cache_, index);
    if (page && !page->filling && page->entry == entry) return true;
    if (!page || page->filling || page->frame != frame) return false;
    swap_add_name(entry);
    page->entry = entry;
    page->frame = Frame(0);
    --page_hash.totals.all;
    put_frame(frame);
    return true;
}

// A frame takes the place of the slot; the reference is taken over. Under the table's lock.
void CachedPages::restore(CachedPage& page, Frame frame) {
    page.frame = frame;
    ++totals.all;
    track_shared(frame, *page.cache->shared_, page.index);
    swap_drop_name(std::exchange(page.entry, {}));
}

// The page is marked as being filled, so that it stays.
Result<void> PageCache::bring_back(CachedPage& page) {
    const Result<Frame> frame = swap_bring_in(page.entry);
    {
        LockGuard guard(page_cache_lock);
        page.filling = false;
        if (frame.is_ok()) page_hash.restore(page, frame.value());
    }
    page_hash.filled.wake_all();
    if (frame.is_error()) return frame.error();
    return {};
}

// The thread that changed it has its frame; so if it has gone, the swap cache has it still.
void PageCache::leave_slot(CachedPage& page) {
    Frame frame;
    if (!page.frame.raw() && swap_find(page.entry, frame)) page_hash.restore(page, frame);
    if (page.frame.raw()) note_shared_write(page.frame);
}

Result<void> SwappedCache::bring_in(uint32_t area) {
    for (;;) {
        CachedPage* found = nullptr;
        {
            LockGuard guard(page_cache_lock);
            for (CachedPage* page = cache_.all_; page && !found; page = page->cache_next)
                if (page->entry && page->entry.area() == area) found = page;
            if (!found) return {};
            if (found->filling) {
                cache_.wait_until_filled(found->index);
                continue;
            }
            found->filling = true;
        }
        TRY(cache_.bring_back(*found));
    }
}

void SwappedCache::track_all() {
    LockGuard guard(page_cache_lock);
    for (CachedPage* page = cache_.all_; page; page = page->cache_next)
        if (page->frame.raw() && !page->filling) track_shared(page->frame, *this, page->index);
}
