// The table of all cached pages, of all caches: (cache, page index) to frame. Its size follows the
// machine's memory, so that chains stay short. The page cache's own; others use page_cache.hpp.
// Locks: page_cache_lock, for everything here.
#pragma once

#include "fs/page_cache.hpp"
#include "kernel/lib/list.hpp"
#include "mm/replacement_set.hpp"

constexpr uint64_t kMaxCachedSize = 1ull << (32 + kPageShift);
constexpr uint32_t page_index(uint64_t offset) {
    return static_cast<uint32_t>(offset >> kPageShift);
}
constexpr uint32_t offset_in_page(uint64_t offset) {
    return static_cast<uint32_t>(offset) & kPageMask;
}
inline uint8_t* bytes_of(Frame frame) { return static_cast<uint8_t*>(to_virtual(frame)); }
constexpr uint32_t smaller(uint64_t a, uint32_t b) { return a < b ? static_cast<uint32_t>(a) : b; }

struct CachedPages {
    CachedPage** buckets GUARDED_BY(page_cache_lock) = nullptr;
    uint32_t mask GUARDED_BY(page_cache_lock) = 0;
    PageCacheTotals totals GUARDED_BY(page_cache_lock){};
    PageCacheUse use GUARDED_BY(page_cache_lock){};
    ReplacementSet unused GUARDED_BY(page_cache_lock){};  // clean pages that could be read again
    uint32_t now GUARDED_BY(page_cache_lock) = 0;         // their time
    // What a search has seen and couldn't free.
    List<ResidentPage, &ResidentPage::node> aside GUARDED_BY(page_cache_lock);
    // The one that waits longest first.
    List<PageCache, &PageCache::dirty_node_> dirty_caches GUARDED_BY(page_cache_lock);
    WaitQueue filled;  // or written

    CachedPage*& bucket(const PageCache& cache, uint32_t index) REQUIRES(page_cache_lock) {
        return buckets[(cache.hash_ + index) & mask];
    }
    CachedPage* find(const PageCache& cache, uint32_t index) REQUIRES(page_cache_lock) {
        for (CachedPage* at = bucket(cache, index); at; at = at->hash_next)
            if (at->index == index && at->cache == &cache) return at;
        return nullptr;
    }
    // It is wanted, and is there at once.
    void note_hit(CachedPage& page) REQUIRES(page_cache_lock) {
        page.referenced = true;
        ++use.hits;
        if (!page.ahead) [[likely]]
            return;
        page.ahead = false;
        ++use.ahead_used;
    }
    void insert(CachedPage& page) REQUIRES(page_cache_lock);
    // The frame's reference becomes the caller's.
    void remove(CachedPage& page) REQUIRES(page_cache_lock);
    void mark_dirty(CachedPage& page, uint8_t sectors) REQUIRES(page_cache_lock);
    void mark_clean(CachedPage& page) REQUIRES(page_cache_lock);
    ReplacementPolicy& policy() REQUIRES(page_cache_lock) { return *unused.policy; }
    CachedPage* next_victim() REQUIRES(page_cache_lock);  // it is set aside; null: no more
    void put_back_aside() REQUIRES(page_cache_lock);
    uint32_t take_unused(uint32_t wanted, CachedPage*& victims) REQUIRES(page_cache_lock);
    void restore(CachedPage& page, Frame frame) REQUIRES(page_cache_lock);  // page_swap.cpp
};
extern CachedPages page_hash;

// Gives removed pages (chained by hash_next) and their frames back; without the lock.
void free_pages(CachedPage* pages);

void page_cache_init();
// --- page_trace.cpp
void trace_cache_miss(const PageCache& cache, uint32_t first, uint32_t pages, uint32_t asked);
void trace_page_cache();  // each tick; takes no lock
void page_replacement_init();
void choose_page_replacement(uint32_t policy);
void tune_page_replacement(Replacers& like);
void tick_page_replacement(uint32_t now);
// Sleeps. Programs lose pages they haven't used since the last call; in need also those they have.
uint32_t reclaim_mapped_pages(uint32_t wanted, bool used_too);
