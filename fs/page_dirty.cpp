// Dirty pages of a cache: marking them, and writing them back in runs of neighbours, which the
// source turns into few requests. See page_cache.hpp; who decides when: write_back.hpp.
// A page that is on its way is marked `writing`: it stays in the table, and truncation waits for it,
// so that no block is written after it was freed. It may be written to meanwhile, and is dirty then.
#include <algorithm>
#include <optional>

#include "fs/inode.hpp"
#include "fs/page_hash.hpp"
#include "fs/write_back.hpp"
#include "kernel/lib/preemption.hpp"

namespace {
constexpr uint32_t kLongestRun = 32;  // pages
}

Result<void> PageSource::write_pages(uint32_t, std::span<uint8_t* const>) { return Errno::rofs; }
Result<void> PageSource::resize(uint64_t) { return {}; }
Result<uint32_t> PageSource::prepare_write(uint64_t, uint32_t bytes) { return bytes; }

void CachedPages::mark_dirty(CachedPage& page, uint8_t sectors) {
    PageCache& cache = *page.cache;
    if (!page.dirty && cache.source_) {
        ++totals.dirty;
        own_io_counts().bytes_written += kPageSize;
        if (cache.write_back_ == WriteBack::by_thread) {
            if (cache.dirty_.empty()) {
                cache.dirty_since_ = write_back_clock();
                dirty_caches.push_back(cache);
            }
            cache.dirty_.push_back(page);
        }
    }
    page.dirty |= sectors;
}

void CachedPages::mark_clean(CachedPage& page) {
    if (!page.dirty) return;
    page.dirty = 0;
    if (!page.cache->source_) return;
    --totals.dirty;
    if (!page.dirty_node.linked()) return;
    page.dirty_node.unlink();
    if (page.cache->dirty_.empty()) page.cache->dirty_node_.unlink();
}

void PageCache::note_write_error(Errno error) {
    write_errors_.note(error);
    if (inode_) inode_->file_system().write_errors.note(error);
}

bool PageCache::is_dirty() const {
    LockGuard guard(page_cache_lock);
    return !dirty_.empty();
}

uint8_t PageCache::set_dirty(uint32_t index, uint8_t sectors) {
    LockGuard guard(page_cache_lock);
    CachedPage* page = page_hash.find(*this, index);
    if (!page) return 0;
    const auto fresh = static_cast<uint8_t>(sectors & ~page->dirty);
    page_hash.mark_dirty(*page, sectors);
    return fresh;
}

uint8_t PageCache::clear_dirty(uint32_t index, uint8_t sectors) {
    LockGuard guard(page_cache_lock);
    CachedPage* page = page_hash.find(*this, index);
    if (!page) return 0;
    const auto found = static_cast<uint8_t>(page->dirty & sectors);
    if (found && found == page->dirty)
        page_hash.mark_clean(*page);
    else
        page->dirty &= static_cast<uint8_t>(~sectors);
    return found;
}

CachedPage* PageCache::oldest_dirty(uint32_t first, uint32_t last) {
    for (CachedPage& page : dirty_)
        if (page.index >= first && page.index <= last) return &page;
    return nullptr;
}

// The oldest dirty page of the range and its dirty neighbours there, marked as being written; a
// reference to each.
uint32_t PageCache::take_dirty_run(std::span<CachedPage*> run, uint32_t first, uint32_t last) {
    LockGuard guard(page_cache_lock);
    const CachedPage* oldest = oldest_dirty(first, last);
    if (!oldest) return 0;
    wait_until_filled(oldest->index, true);
    oldest = oldest_dirty(first, last);
    if (!oldest || oldest->writing) return 0;
    auto wanted = [&](uint32_t index) REQUIRES(page_cache_lock) {
        CachedPage* page = index <= last ? page_hash.find(*this, index) : nullptr;
        return page && page->dirty && !page->writing && !page->filling ? page : nullptr;
    };
    uint32_t start = oldest->index, count = 0;
    while (start > first && oldest->index - start < run.size() - 1 && wanted(start - 1)) --start;
    while (count < run.size()) {
        CachedPage* page = wanted(start + count);
        if (!page) break;
        page_hash.mark_clean(*page);
        page->writing = true;
        ++page_hash.totals.writing;
        run[count++] = page;
    }
    return count;
}

Result<void> PageCache::write_run(std::span<CachedPage*> run) {
    const uint32_t first = run[0]->index;
    uint8_t* pages[kLongestRun];
    for (uint32_t i = 0; i < run.size(); ++i)
        pages[i] = static_cast<uint8_t*>(to_virtual(run[i]->frame));
    // From here on a mapping that writes says so again.
    if (written_by_mapping_ && ref_count())
        protect_pages_of(*this, first, static_cast<uint32_t>(run.size()));
    // What a mapping wrote behind the end is not the file's; but a writer may be about to move the end.
    if (written_by_mapping_ && writers_.try_lock()) {
        const uint32_t end = offset_in_page(size()), last = page_index(size()) - first;
        if (end && last < run.size()) __builtin_memset(pages[last] + end, 0, kPageSize - end);
        writers_.unlock();
    }
    Result<void> done = source_->write_pages(first, {pages, run.size()});
    const bool later = done.is_error() && done.error() == Errno::again;
    if (done.is_error() && !later) note_write_error(done.error());
    uint32_t left = 0;  // a bit for each page that still waits for room
    for (uint32_t i = 0; later && i < run.size(); ++i) {
        const uint64_t start = uint64_t{first + i} << kPageShift, end = size();
        if (start < end && !source_->has_room(start, smaller(end - start, kPageSize)))
            left |= 1u << i;
    }
    {
        LockGuard guard(page_cache_lock);
        for (uint32_t i = 0; i < run.size(); ++i) {
            if (left >> i & 1) page_hash.mark_dirty(*run[i], kWholePage);
            run[i]->writing = false;
        }
        page_hash.totals.writing -= static_cast<uint32_t>(run.size());
    }
    page_hash.filled.wake_all();
    return done;
}

void PageCache::wait_until_written(uint32_t first, uint32_t last) {
    LockGuard guard(page_cache_lock);
    page_hash.filled.wait(page_cache_lock,
                          [&]() REQUIRES(page_cache_lock) {
                              for (CachedPage* page = all_; page && page_hash.totals.writing;
                                   page = page->cache_next)
                                  if (page->writing && page->index >= first && page->index <= last)
                                      return false;
                              return true;
                          },
                          {.interruptible = false, .deadline = {}, .reason = "write"});
}

Result<void> PageCache::write_back(uint32_t first, uint32_t last) {
    for (;;) {
        Result<void> done = write_back_placed(first, last);
        if (done.is_ok() || done.error() != Errno::again) return done;
        TRY(source_->await_room());
    }
}

// A page that cannot get room goes to the end of the list: when the first such one is the oldest again, all
// others have been written.
Result<void> PageCache::write_back_placed(uint32_t first, uint32_t last) {
    uint32_t most;
    {
        LockGuard guard(page_cache_lock);
        most = pages_;  // who dirties on and on must not keep us here
    }
    Errno failure{};
    std::optional<uint32_t> refused;
    CachedPage* run[kLongestRun];
    for (uint32_t done = 0; done <= most;) {
        {
            LockGuard guard(page_cache_lock);
            const CachedPage* oldest = oldest_dirty(first, last);
            if (!oldest || oldest->index == refused) break;
        }
        const uint32_t count = take_dirty_run(run, first, last);
        if (!count) continue;
        const uint32_t start = run[0]->index;
        Result<void> written = write_run({run, count});
        done += written.is_ok() ? count : 1;
        if (written.is_error() && (failure == Errno{} || failure == Errno::again))
            failure = written.error();
        if (refused || failure != Errno::again) continue;
        LockGuard guard(page_cache_lock);
        for (uint32_t i = start; i < start + count && !refused; ++i)
            if (const CachedPage* page = page_hash.find(*this, i); page && page->dirty) refused = i;
    }
    wait_until_written(first, last);  // by others, too
    return failure;
}

uint32_t write_back_pages(uint32_t wanted, Nanoseconds dirty_before) {
    uint32_t total = 0;
    CachedPage* run[kLongestRun];
    while (total < wanted) {
        PageCache* cache = nullptr;
        Ref<RefCounted> owner;
        {
            LockGuard guard(page_cache_lock);
            for (PageCache& candidate : page_hash.dirty_caches) {
                if (candidate.dirty_since_ > dirty_before) continue;
                if (!candidate.owner_.try_add_ref()) continue;  // it is about to go
                owner = Ref<RefCounted>::adopt(&candidate.owner_);
                cache = &candidate;
                // The next one's turn comes next.
                candidate.dirty_node_.unlink();
                page_hash.dirty_caches.push_back(candidate);
                break;
            }
        }
        if (!cache) break;
        uint32_t count = 0;
        for (uint32_t rounds = 0; rounds < 16; ++rounds) {
            count = cache->take_dirty_run(run);
            if (!count) break;
            total += count;
            const Result<void> written = cache->write_run({run, count});
            if (written.is_error() && written.error() == Errno::again)
                static_cast<void>(cache->source_->await_room());  // told when a page is lost
        }
        if (!count) {
            LockGuard guard(page_cache_lock);
            if (!cache->dirty_.empty()) cache->dirty_since_ = write_back_clock();
        }
    }
    return total;
}

Result<void> write_back_file_system(const FileSystem& file_system) {
    Errno failure{};
    for (;;) {
        PageCache* cache = nullptr;
        Ref<RefCounted> owner;
        {
            LockGuard guard(page_cache_lock);
            for (PageCache& candidate : page_hash.dirty_caches) {
                if (!candidate.inode_ || &candidate.inode_->file_system() != &file_system) continue;
                if (!candidate.owner_.try_add_ref()) continue;
                owner = Ref<RefCounted>::adopt(&candidate.owner_);
                cache = &candidate;
                break;
            }
        }
        if (!cache) return failure;
        Result<void> done = cache->write_back();
        if (done.is_error() && failure == Errno{}) failure = done.error();
    }
}

// In pieces, between which others get the lock and the CPU. Where a piece has no page, the next one that there is
// is sought: a file may be nearly all hole.
PagerUse PageCache::use_of(uint32_t first, uint32_t last) {
    constexpr uint64_t kPiece = 256;
    PagerUse use;
    for (uint64_t at = first;; preemption_point()) {
        LockGuard guard(page_cache_lock);
        const uint64_t pages = (size_ + kPageMask) >> kPageShift;
        const uint64_t all = std::min(last + uint64_t(1), pages);
        if (at >= all) return use;
        bool any = false;
        for (const uint64_t end = std::min(all, at + kPiece); at < end; ++at) {
            const CachedPage* page = page_hash.find(*this, static_cast<uint32_t>(at));
            any |= page != nullptr;
            if (!page || page->filling) continue;
            const bool there = page->frame.raw();
            ++(there ? use.cached : use.evicted);
            use.dirty += there && source_ && page->dirty;
            use.writing += there && page->writing;
        }
        if (any) continue;
        uint64_t next = all;
        for (const CachedPage* page = all_; page; page = page->cache_next)
            if (page->index >= at) next = std::min<uint64_t>(next, page->index);
        at = next;
    }
}
