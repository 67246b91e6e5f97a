// Cached pages that programs map: they are taken away from those who don't use them, and are then
// as good as any other clean page. See page_hash.hpp and mm/reclaim.hpp.
#include <algorithm>
#include <utility>

#include "fs/page_hash.hpp"
#include "mm/reclaim.hpp"
#include "mm/replacers.hpp"

namespace {

constexpr uint32_t kBatch = 32;

struct Mapped {
    const PageCache* cache;  // only compared: it may be gone by now
    uint32_t index;
    Frame frame;
};

// The next mapped clean pages, each with one more reference.
uint32_t take_mapped(Mapped (&batch)[kBatch]) {
    LockGuard guard(page_cache_lock);
    uint32_t count = 0;
    page_hash.policy().prepare();
    while (count < kBatch) {
        CachedPage* page = page_hash.next_victim();
        if (!page) break;
        if (page->filling || page->dirty || frame_references(page->frame) < 2) continue;
        get_frame(page->frame);
        batch[count++] = {page->cache, page->index, page->frame};
    }
    return count;
}

}  // namespace

CachedPage* CachedPages::next_victim() {
    ResidentPage* page = policy().victim(now);
    if (!page) return nullptr;
    policy().remove(*page);
    aside.push_back(*page);
    auto& found = static_cast<CachedPage&>(*page);
    found.aside = true;
    return &found;
}

void CachedPages::put_back_aside() {
    while (ResidentPage* page = aside.pop_front()) {
        static_cast<CachedPage*>(page)->aside = false;
        policy().put_back(*page);
    }
}

// Under the table's lock. Clean pages that nobody uses leave the table, chained by hash_next.
uint32_t CachedPages::take_unused(uint32_t wanted, CachedPage*& victims) {
    uint32_t taken = 0;
    policy().prepare();
    while (taken < wanted) {
        CachedPage* page = next_victim();
        if (!page) break;
        if (page->filling || page->writing || page->dirty || frame_references(page->frame) > 1)
            continue;
        remove(*page);
        page->hash_next = victims;
        victims = page;
        ++taken;
    }
    return taken;
}

void PageCache::will_need(uint64_t offset, uint64_t end) {
    if (!source_) return;
    // Not so much that it drives itself out.
    const uint32_t most = memory_totals().low_free / 2;
    const auto first = static_cast<uint32_t>(offset >> kPageShift);
    end = std::min(end, size());
    if (offset >= end) return;
    const auto last = static_cast<uint32_t>((end - 1) >> kPageShift);
    for (uint32_t index = first; index <= last && index - first < most; ++index) {
        Result<Frame> page = get(index, last - index + 1);
        if (page.is_error()) return;
        put_frame(page.value());
    }
}

void PageCache::dont_need(uint64_t offset, uint64_t end) {
    if (!source_) return;
    const uint64_t first = (offset + kPageMask) >> kPageShift;
    // The file's last page is whole when it ends there.
    const uint64_t last = end >= size() ? UINT32_MAX : end >> kPageShift;  // behind it
    if (first >= last) return;
    static_cast<void>(write_back(static_cast<uint32_t>(first), static_cast<uint32_t>(last - 1)));
    drop_unused(first, last - 1);
}

// Clean pages of [first, last] that nobody else refers to.
void PageCache::drop_unused(uint64_t first, uint64_t last) {
    CachedPage* dropped = nullptr;
    {
        LockGuard guard(page_cache_lock);
        for (CachedPage *page = all_, *next; page; page = next) {
            next = page->cache_next;
            if (page->index < first || page->index > last || page->filling || page->writing ||
                page->dirty || frame_references(page->frame) > 1)
                continue;
            page_hash.remove(*page);
            page->hash_next = dropped;
            dropped = page;
        }
    }
    free_pages(dropped);
}

uint32_t reclaim_pages(uint32_t wanted) {
    uint32_t freed;
    CachedPage* victims = nullptr;
    {
        LockGuard guard(page_cache_lock);
        freed = page_hash.take_unused(wanted, victims);
        page_hash.put_back_aside();
    }
    free_pages(victims);
    return freed;
}

uint32_t reclaim_mapped_pages(uint32_t wanted, bool used_too) {
    uint32_t freed = reclaim_pages(wanted);
    Mapped batch[kBatch];
    // A space that is asked twice at once had no time to use the page in between.
    bool again = !used_too;
    for (uint32_t left = 2 * page_cache_totals().all / kBatch + 2; freed < wanted && left; --left) {
        const uint32_t count = take_mapped(batch);
        uint32_t unmapped = 0;
        for (uint32_t i = 0; i < count; ++i) {
            unmapped += unmap_page_of(*batch[i].cache, batch[i].index, batch[i].frame, false);
            put_frame(batch[i].frame);
        }
        if (unmapped) freed += reclaim_pages(wanted - freed);
        if (count) continue;
        LockGuard guard(page_cache_lock);
        page_hash.put_back_aside();
        if (std::exchange(again, true)) break;
    }
    LockGuard guard(page_cache_lock);
    page_hash.put_back_aside();
    return freed;
}

void page_replacement_init() NO_LOCK_ANALYSIS {
    static constinit Replacers policies{};
    page_hash.unused = {&policies, &policies.get<DefaultReplacer>()};
}

void choose_page_replacement(uint32_t policy) {
    LockGuard guard(page_cache_lock);
    ReplacementPolicy &former = page_hash.policy(), &next = page_hash.unused.policies->at(policy);
    if (&former == &next) return;
    page_hash.put_back_aside();
    page_hash.unused.policy = &next;
    while (ResidentPage* page = former.first()) {
        former.remove(*page);
        next.load(*page, false, page_hash.now);
    }
}

void tune_page_replacement(Replacers& like) {
    LockGuard guard(page_cache_lock);
    page_hash.unused.policies->copy_tunables(like);
}

void tick_page_replacement(uint32_t now) {
    LockGuard guard(page_cache_lock);
    page_hash.now = now;
    page_hash.policy().tick(now, nullptr);
}
