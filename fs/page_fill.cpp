// How pages come into the cache and leave it. Pages that lie next to each other are read with one
// request, into a run of frames that is split into single ones afterwards.
#include <algorithm>
#include <bit>

#include "fs/page_hash.hpp"
#include "mm/reclaim.hpp"
#include "mm/shared_pages.hpp"
#include "kernel/lib/preemption.hpp"

constinit SpinLock page_cache_lock{LockRank::page_cache};
constinit CachedPages page_hash;

namespace {

constexpr uint32_t kLongestRead = 16;  // pages: 64 KiB
constinit Atomic<uint32_t> read_ahead = kLongestRead;

// Frames with one reference each, contiguous; `count` becomes less when there is no such run.
Result<Frame> allocate_run(uint32_t& count) {
    constexpr uint32_t kKeepFree = 256;  // frames: read-ahead is no reason to run short
    // Pages that were read together leave together, so what this frees is a run again mostly.
    if (count > 1 && memory_totals().low_free <= kKeepFree) reclaim_pages(4 * kLongestRead);
    while (count > 1 && memory_totals().low_free > kKeepFree / 2) {
        auto order = static_cast<uint32_t>(std::bit_width(count - 1));
        Result<Frame> run = allocate_frames(order, Zone::low);
        if (run.is_ok()) {
            Frame first = run.value();
            for (uint32_t i = 0; i < 1u << order; ++i) {
                FrameInfo& info = frame_info(first + i);
                info.order = 0;
                info.references = 1;
                if (i >= count) put_frame(first + i);
            }
            return first;
        }
        count = count > kLongestRead ? kLongestRead : 1;
    }
    count = 1;
    return allocate_frame(Zone::low);
}

// Descriptors for a run of frames, chained by hash_next; fewer if the heap has no more.
CachedPage* make_pages(PageCache& cache, uint32_t first, uint32_t count, Frame frame) {
    CachedPage* pages = nullptr;
    for (uint32_t i = count; i-- > 0;) {
        auto* page = new (std::nothrow) CachedPage(cache, first + i, frame + i);
        if (!page) {
            free_pages(pages);
            return nullptr;
        }
        page->hash_next = pages;
        pages = page;
    }
    return pages;
}

}  // namespace

void CachedPages::insert(CachedPage& page) {
    CachedPage*& chain = bucket(*page.cache, page.index);
    page.hash_next = chain;
    chain = &page;
    page.cache_next = page.cache->all_;
    page.cache_link = &page.cache->all_;
    if (page.cache_next) page.cache_next->cache_link = &page.cache_next;
    page.cache->all_ = &page;
    ++page.cache->pages_;
    ++totals.all;
    page.shared = page.cache->shared_ != nullptr;
    if (!page.cache->inode_) ++totals.of_devices;
    if (!page.cache->source_) ++totals.in_memory_only;
    if (page.cache->source_) policy().load(page, false, now);
}

void CachedPages::remove(CachedPage& page) {
    CachedPage** link = &bucket(*page.cache, page.index);
    while (*link != &page) link = &(*link)->hash_next;
    *link = page.hash_next;
    *page.cache_link = page.cache_next;
    if (page.cache_next) page.cache_next->cache_link = page.cache_link;
    --page.cache->pages_;
    if (page.frame.raw()) --totals.all;
    if (!page.cache->inode_) --totals.of_devices;
    if (!page.cache->source_) --totals.in_memory_only;
    if (page.aside)
        page.node.unlink();
    else if (page.node.linked())
        policy().remove(page);
    if (page.dirty && page.cache->source_) own_io_counts().bytes_cancelled += kPageSize;
    mark_clean(page);
}

void free_pages(CachedPage* pages) {
    while (pages) {
        CachedPage* next = pages->hash_next;
        if (pages->shared && pages->frame.raw()) forget_shared(pages->frame);
        if (pages->frame.raw())
            put_frame(pages->frame);
        else
            swap_drop_name(pages->entry);
        delete pages;
        pages = next;
    }
}

void PageCache::wait_until_filled(uint32_t index, bool written_too) {
    page_hash.filled.wait(page_cache_lock,
                          [&]() REQUIRES(page_cache_lock) {
                              CachedPage* page = page_hash.find(*this, index);
                              return !page || !(page->filling || (written_too && page->writing));
                          },
                          {.interruptible = false, .deadline = {}, .reason = "page"});
}

// Pages that were read together mostly lie one behind the other in memory: how many more this piece has.
uint32_t PageCache::extend(Piece& piece, uint64_t offset, uint32_t wanted) {
    constexpr uint32_t kMost = 15;  // the lock is a spin lock
    const uint32_t left = smaller(size_ - offset, wanted);
    uint32_t more = 0;
    while (piece.bytes < left && more < kMost) {
        CachedPage* page = page_hash.find(*this, next_);
        if (!page || !is_in_memory(*page) || page->frame != piece.frame + (more + 1)) break;
        page_hash.note_hit(*page);
        get_frame(page->frame);
        ++next_;
        ++more;
        piece.bytes = std::min(left, piece.bytes + kPageSize);
    }
    return more;
}

// The page's frame, with a reference for the caller. `ahead`: how many pages from it on will
// probably be wanted too. A reader that announced sequential access gets twice as many.
Result<Frame> PageCache::get(uint32_t index, uint32_t ahead, AccessPattern pattern) {
    const uint32_t twice = pattern == AccessPattern::sequential ? 2 : 1;
    bool missed = false;
    for (;;) {
        CachedPage* swapped = nullptr;
        uint32_t asked = ahead;
        {
            LockGuard guard(page_cache_lock);
            wait_until_filled(index);
            const bool sequential = std::exchange(next_, index + 1) == index;
            if (CachedPage* page = page_hash.find(*this, index)) {
                page->referenced = true;
                if (page->frame.raw()) [[likely]] {
                    if (!missed) page_hash.note_hit(*page);
                    get_frame(page->frame);
                    return page->frame;
                }
                swapped = page;
                swapped->filling = true;
            }
            if (sequential && pattern != AccessPattern::random)
                ahead = std::max(ahead, twice * read_ahead.relaxed());
            uint32_t end = static_cast<uint32_t>((size_ + kPageMask) >> kPageShift);
            if (index >= end || !source_)
                ahead = 1;
            else
                ahead = std::min({ahead, twice * kLongestRead, end - index});
            asked = std::min(asked, ahead);
        }
        missed = true;
        Result<void> done = swapped ? bring_back(*swapped) : fill(index, ahead, asked);
        // Only tmpfs waits: its locks are none that making frames free could want.
        if (done.is_error() && !(done.error() == Errno::nomem && shared_ && wait_for_memory()))
            return done.error();
    }
}

// Puts pages [first, first + count), or fewer, into the table and fills them. Pages that another
// thread put there meanwhile are left alone. `asked`: how many of them are waited for.
Result<void> PageCache::fill(uint32_t first, uint32_t count, uint32_t asked) {
    Frame frame = TRY(allocate_run(count));
    CachedPage* fresh = make_pages(*this, first, count, frame);
    if (!fresh) {
        for (uint32_t i = 0; i < count; ++i) put_frame(frame + i);
        return Errno::nomem;
    }
    uint32_t taken = 0;
    {
        LockGuard guard(page_cache_lock);
        while (fresh && !page_hash.find(*this, first + taken)) {
            CachedPage* page = fresh;
            fresh = page->hash_next;
            page->ahead = taken >= asked;
            page_hash.insert(*page);
            ++taken;
        }
        if (source_) {
            page_hash.use.missed += std::min(taken, asked);
            page_hash.use.ahead += taken - std::min(taken, asked);
        }
    }
    free_pages(fresh);
    if (!taken) return {};
    if (source_) trace_cache_miss(*this, first, taken, asked);
    Result<void> filled = fill_frames(first, taken, frame);
    CachedPage* failed = nullptr;
    {
        LockGuard guard(page_cache_lock);
        for (uint32_t i = 0; i < taken; ++i) {
            CachedPage* page = page_hash.find(*this, first + i);
            page->filling = false;
            if (filled.is_ok() && shared_) track_shared(page->frame, *shared_, page->index);
            if (filled.is_ok()) continue;
            page_hash.remove(*page);
            page->hash_next = failed;
            failed = page;
        }
    }
    page_hash.filled.wake_all();
    free_pages(failed);
    // What was only read ahead may be what cannot be read.
    if (filled.is_error() && taken > 1) return fill(first, 1, 1);
    return filled;
}

// For a caller that is about to write into it: `whole` if nothing of it is worth reading.
Result<Frame> PageCache::get_for_write(uint32_t index, bool whole) {
    if (!whole) return get(index, 1);
    {
        LockGuard guard(page_cache_lock);
        wait_until_filled(index);
        if (CachedPage* page = page_hash.find(*this, index); page && page->frame.raw()) {
            page->referenced = true;
            get_frame(page->frame);
            return page->frame;
        }
    }
    return add_zeroed(index);
}

Result<Frame> PageCache::add_zeroed(uint32_t index) {
    uint32_t one = 1;
    Frame frame = TRY(allocate_run(one));
    CachedPage* fresh = make_pages(*this, index, 1, frame);
    if (!fresh) {
        put_frame(frame);
        return Errno::nomem;
    }
    fresh->filling = false;
    __builtin_memset(to_virtual(frame), 0, kPageSize);
    {
        LockGuard guard(page_cache_lock);
        if (!page_hash.find(*this, index)) {
            page_hash.insert(*fresh);
            get_frame(frame);
            return frame;
        }
    }
    free_pages(fresh);
    return get(index, 1);
}

Result<void> PageCache::fill_frames(uint32_t first, uint32_t count, Frame frame) {
    auto* to = static_cast<uint8_t*>(to_virtual(frame));
    const uint64_t start = uint64_t{first} << kPageShift, end = size();
    const uint32_t bytes = count << kPageShift;
    if (start >= end || !source_) {
        __builtin_memset(to, 0, bytes);
        return {};
    }
    TRY(source_->fill_pages(first, count, to));
    if (end - start < bytes) {
        auto valid = static_cast<uint32_t>(end - start);
        __builtin_memset(to + valid, 0, bytes - valid);
    }
    return {};
}

void PageCache::drop_from(uint32_t index, uint32_t last) {
    while (drop_some_from(index, last)) preemption_point();
}

// At most so many at a time, for the lock is a spin lock. Whether there may be more.
bool PageCache::drop_some_from(uint32_t index, uint32_t last) {
    constexpr uint32_t kMost = 1024;
    CachedPage* dropped = nullptr;
    uint32_t count = 0;
    {
        LockGuard guard(page_cache_lock);
        for (CachedPage* page = all_; page && count < kMost;) {
            if (page->index < index || page->index > last) {
                page = page->cache_next;
            } else if (page->filling || page->writing) {
                wait_until_filled(page->index, true);
                page = all_;
            } else {
                CachedPage* next = page->cache_next;
                page_hash.remove(*page);
                page->hash_next = dropped;
                dropped = page;
                page = next;
                ++count;
            }
        }
    }
    free_pages(dropped);
    return count == kMost;
}

void PageCache::set_size(uint64_t bytes) {
    LockGuard guard(page_cache_lock);
    size_ = bytes;
}

void page_cache_init() NO_LOCK_ANALYSIS {
    uint32_t buckets = std::bit_floor(std::clamp(memory_totals().total / 4, 256u, 1u << 18));
    page_hash.buckets = new (std::nothrow) CachedPage*[buckets]();
    VERIFY(page_hash.buckets);
    page_hash.mask = buckets - 1;
    page_replacement_init();
}

uint32_t cached_pages() NO_LOCK_ANALYSIS { return page_hash.totals.all; }  // it may be late

PageCacheTotals page_cache_totals() {
    LockGuard guard(page_cache_lock);
    return page_hash.totals;
}

uint32_t read_ahead_kib() { return read_ahead.relaxed() * (kPageSize / 1024); }

Result<void> set_read_ahead_kib(uint32_t kib) {
    if (kib > kLongestRead * (kPageSize / 1024)) return Errno::inval;
    read_ahead.store_relaxed(pages_for(kib * 1024));
    return {};
}

PageCacheUse page_cache_use() {
    LockGuard guard(page_cache_lock);
    return page_hash.use;
}
