// The table of all cached pages, of all caches: (cache, page index) to frame. Its size follows the
// machine's memory, so that chains stay short. The page cache's own; others use page_cache.hpp.
// Locks: `lock`, for everything here.
#pragma once

#include "fs/page_cache.hpp"
#include "kernel/lib/list.hpp"

struct CachedPage {
    PageCache* cache;
    uint32_t index;
    Frame frame;
    CachedPage* hash_next = nullptr;
    CachedPage* cache_next = nullptr;   // in the cache's own list,
    CachedPage** cache_link = nullptr;  // and what points to us there
    ListNode clock{};                   // linked: may be given back
    bool filling = true;
    bool referenced = false;  // since the clock's hand came by
    bool dirty = false;       // newer than the source; stays in memory
};

struct PageTable {
    SpinLock lock{LockRank::page_cache};
    CachedPage** buckets = nullptr;
    uint32_t mask = 0;
    PageCacheTotals totals{};
    List<CachedPage, &CachedPage::clock> clock;
    WaitQueue filled;

    CachedPage*& bucket(const PageCache& cache, uint32_t index) {
        return buckets[(cache.hash_ + index) & mask];
    }
    CachedPage* find(const PageCache& cache, uint32_t index) {
        for (CachedPage* at = bucket(cache, index); at; at = at->hash_next)
            if (at->index == index && at->cache == &cache) return at;
        return nullptr;
    }
    void insert(CachedPage& page);
    void remove(CachedPage& page);  // the frame's reference becomes the caller's
};
extern PageTable page_table;

// Gives removed pages (chained by hash_next) and their frames back; without the lock.
void free_pages(CachedPage* pages);

void page_cache_init();
uint32_t reclaim_pages(uint32_t wanted);
uint32_t reclaim_mapped_pages(uint32_t wanted);  // sleeps; programs lose pages they don't use
