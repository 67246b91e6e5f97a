// Cached pages that programs map: they are taken away from those who don't use them, and are then
// as good as any other clean page. See page_table.hpp and mm/reclaim.hpp.
#include "fs/page_table.hpp"
#include "mm/reclaim.hpp"

namespace {

constexpr uint32_t kBatch = 32;

struct Mapped {
    const PageCache* cache;  // only compared: it may be gone by now
    uint32_t index;
    Frame frame;
};

// The next mapped clean pages at the clock's hand, each with one more reference.
uint32_t take_mapped(Mapped (&batch)[kBatch], uint32_t& look) {
    LockGuard guard(page_table.lock);
    uint32_t count = 0;
    for (; look && count < kBatch; --look) {
        CachedPage* page = page_table.clock.front();
        if (!page) look = 1;  // there are none: this was the last look
        if (!page) continue;
        page->clock.unlink();
        page_table.clock.push_back(*page);
        if (page->filling || page->dirty || frame_references(page->frame) < 2) continue;
        get_frame(page->frame);
        page->referenced = false;
        batch[count++] = {page->cache, page->index, page->frame};
    }
    return count;
}

}  // namespace

uint32_t reclaim_mapped_pages(uint32_t wanted) {
    uint32_t freed = reclaim_pages(wanted);
    uint32_t look = 2 * page_cache_totals().all;
    Mapped batch[kBatch];
    while (freed < wanted && look) {
        const uint32_t count = take_mapped(batch, look);
        uint32_t unmapped = 0;
        for (uint32_t i = 0; i < count; ++i) {
            unmapped += unmap_file_page(batch[i].cache, batch[i].index, batch[i].frame);
            put_frame(batch[i].frame);
        }
        if (unmapped) freed += reclaim_pages(wanted - freed);
    }
    return freed;
}
