// See page_cache.hpp: writing, and changes of size.
#include <algorithm>

#include "fs/mount.hpp"
#include "fs/page_hash.hpp"
#include "kernel/lib/vector.hpp"

Result<uint32_t> PageCache::write_at(ByteSource& from, uint64_t offset) {
    LockGuard guard(writers_);
    return write_locked(from, offset);
}

Result<uint32_t> PageCache::append(ByteSource& from, uint64_t& offset) {
    LockGuard guard(writers_);
    offset = size();
    return write_locked(from, offset);
}

// In pieces of a few pages: their pages are brought in, then the source finds room for them, then
// they are filled.
Result<uint32_t> PageCache::write_locked(ByteSource& from, uint64_t offset) {
    if (frozen()) return Errno::txtbsy;
    const uint64_t end = std::min(kMaxCachedSize, from.end());
    if (from.remaining() && offset >= end) {
        if (offset >= from.end()) from.note_refused();
        return Errno::fbig;
    }
    const uint64_t old_size = size();
    if (offset > old_size) TRY(clear_tail(old_size));
    uint32_t total = 0;
    while (from.remaining() && offset < end) {
        Result<uint32_t> done = write_chunk(from, offset);
        if (done.is_error()) return total ? Result<uint32_t>(total) : done.error();
        total += done.value();
        offset += done.value();
        const bool to_page_end = !offset_in_page(offset) || offset == end;
        if (!to_page_end && from.remaining()) return total ? Result<uint32_t>(total) : Errno::fault;
        if (!done.value()) return total ? Result<uint32_t>(total) : Errno::fault;
    }
    return total;
}

Result<uint32_t> PageCache::write_chunk(ByteSource& from, uint64_t offset) {
    constexpr uint32_t kPages = 16;
    const uint32_t first = page_index(offset), start = offset_in_page(offset);
    uint32_t bytes =
        std::min(smaller(std::min(kMaxCachedSize, from.end()) - offset, from.remaining()),
                 kPages * kPageSize - start);
    const uint64_t old_size = size();
    Frame frames[kPages];
    uint32_t count = 0;
    Errno failure{};
    for (; count * kPageSize < start + bytes; ++count) {
        const uint64_t page_start = uint64_t{first + count} << kPageShift;
        const bool whole = page_start >= old_size ||
                           (page_start >= offset && page_start + kPageSize <= offset + bytes);
        Result<Frame> frame = get_for_write(first + count, whole && source_);
        if (frame.is_error()) {
            failure = frame.error();
            break;
        }
        frames[count] = frame.value();
    }
    bytes = count ? std::min(bytes, count * kPageSize - start) : 0;
    if (bytes && source_) {
        Result<uint32_t> room = source_->prepare_write(offset, bytes);
        if (room.is_error()) failure = room.error();
        bytes = room.value_or(0);
    }
    uint32_t total = 0;
    for (uint32_t i = 0; i < count && total < bytes; ++i) {
        const uint32_t at = i ? 0 : start, piece = std::min(bytes - total, kPageSize - at);
        const uint32_t done = from.take(bytes_of(frames[i]) + at, piece);
        total += done;
        if (done < piece) break;
    }
    {
        LockGuard guard(page_cache_lock);
        for (uint32_t i = 0; i * kPageSize < start + total && total; ++i) note_write(first + i);
        if (total) size_ = std::max(size_, offset + total);
    }
    for (uint32_t i = 0; i < count; ++i) put_frame(frames[i]);
    if (source_ && total < bytes) TRY(source_->resize(size()));
    if (!total && failure != Errno{}) return failure;
    return total;
}

// What a mapping wrote beyond the end must not come to light when the end moves on.
Result<void> PageCache::clear_tail(uint64_t size) {
    if (!offset_in_page(size)) return {};
    return clear(size, kPageSize - offset_in_page(size));
}

// Bytes inside a page, if that is in memory or swap; else they are zeros, or will be read.
Result<void> PageCache::clear(uint64_t offset, uint32_t bytes) {
    const uint32_t index = page_index(offset);
    {
        LockGuard guard(page_cache_lock);
        const CachedPage* page = page_hash.find(*this, index);
        if (!page || (page->filling && source_)) return {};
    }
    const HeldPage page(TRY(get(index, 1)));
    __builtin_memset(page.data() + offset_in_page(offset), 0, bytes);
    if (!shared_) return {};
    LockGuard guard(page_cache_lock);
    note_write(index);
    return {};
}

Result<void> PageCache::provide(uint64_t offset, uint64_t end, bool keep_size, uint32_t most) {
    if (end > kMaxCachedSize) return Errno::fbig;
    LockGuard guard(writers_);
    if (end > size()) TRY(clear_tail(size()));
    const uint32_t last = page_index(end - 1);
    Vector<uint32_t> fresh;
    Errno failure{};
    for (uint32_t index = page_index(offset); index <= last && failure == Errno{}; ++index) {
        {
            LockGuard table(page_cache_lock);
            if (page_hash.find(*this, index)) continue;
        }
        Result<void> noted = fresh.size() < most ? fresh.push_back(index) : Errno::nospc;
        Result<Frame> frame = noted.is_ok() ? get(index, 1) : noted.error();
        if (frame.is_ok())
            put_frame(frame.value());
        else
            failure = frame.error();
    }
    if (failure != Errno{})
        for (uint32_t index : fresh) drop_from(index, index);
    else if (end > size() && !keep_size)
        set_size(end);
    return failure;
}

Result<void> PageCache::punch(uint64_t offset, uint64_t end) {
    if (end > kMaxCachedSize) return Errno::fbig;
    LockGuard guard(writers_);
    const uint32_t first = page_index(offset + kPageMask), last = page_index(end);  // whole pages
    if (first > last) return clear(offset, static_cast<uint32_t>(end - offset));
    if (offset_in_page(offset)) TRY(clear(offset, kPageSize - offset_in_page(offset)));
    if (offset_in_page(end)) TRY(clear(end & ~uint64_t{kPageMask}, offset_in_page(end)));
    if (first == last) return {};
    drop_from(first, last - 1);
    if (ref_count()) unmap_shared_pages_of(*this, first, last - first);
    return {};
}

// Its contents are newer than any copy. The caller has its frame.
void PageCache::note_write(uint32_t index) {
    if (shared_) wait_until_filled(index);
    CachedPage* page = page_hash.find(*this, index);
    if (!page) return;
    if (shared_ && swap_active) leave_slot(*page);
    page_hash.mark_dirty(*page, kWholePage);
}

Result<void> PageCache::truncate(uint64_t bytes) {
    if (bytes > kMaxCachedSize) return Errno::fbig;
    LockGuard guard(writers_);
    if (frozen()) return Errno::txtbsy;
    const uint64_t old_size = size();
    const bool shrinks = bytes < old_size;
    if (bytes > old_size) TRY(clear_tail(old_size));
    if (shrinks && offset_in_page(bytes)) {
        // The rest of the last page must read as zeros when the file grows again.
        HeldPage last(TRY(get(page_index(bytes), 1)));
        std::fill(last.data() + offset_in_page(bytes), last.data() + kPageSize, uint8_t{0});
        LockGuard table(page_cache_lock);
        note_write(page_index(bytes));
    }
    if (!shrinks && source_) TRY(source_->resize(bytes));
    set_size(bytes);
    if (shrinks) {
        if (ref_count()) unmap_pages_of(*this, page_index(bytes + kPageMask));  // it is mapped
        if (source_) return source_->shrink(*this, bytes);
        drop_behind(bytes);
    }
    return {};
}

void PageCache::drop_behind(uint64_t bytes) { drop_from(page_index(bytes + kPageMask)); }

Result<void> PageSource::shrink(PageCache& cache, uint64_t bytes) {
    cache.drop_behind(bytes);
    return resize(bytes);
}

Result<void> PageCache::freeze() {
    LockGuard guard(writers_);
    if (frozen()) return Errno::busy;
    TRY(write_back());
    frozen_.store_relaxed(true);
    return {};
}

void PageCache::thaw() {
    LockGuard guard(writers_);
    frozen_.store_relaxed(false);
}

Result<HeldPage> PageCache::page_to_overwrite(uint32_t index) {
    return HeldPage(TRY(get_for_write(index, true)));
}

void PageCache::mark_dirty(uint32_t index) {
    LockGuard guard(page_cache_lock);
    written_by_mapping_ = true;
    note_write(index);
}
