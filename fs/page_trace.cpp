// What the trace says of the page cache. Fields: kernel/trace/events.hpp.
#include "fs/page_hash.hpp"
#include "kernel/trace/trace.hpp"

void trace_cache_miss(const PageCache& cache, uint32_t first, uint32_t pages, uint32_t asked) {
    if (!trace_wanted<TraceType::cache_miss_event>()) return;
    trace<TraceType::cache_miss_event>(cache.inode_number(), first, pages, asked);
}

void trace_page_cache() NO_LOCK_ANALYSIS {
    static constinit uint32_t last = 0;
    const PageCacheUse& use = page_hash.use;
    const uint32_t sum = use.hits + use.missed + use.ahead;
    if (sum == last || !trace_wanted<TraceType::cache_event>()) return;
    last = sum;
    trace<TraceType::cache_event>(use.hits, use.missed, use.ahead, use.ahead_used);
}
