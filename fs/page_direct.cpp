// Reading and writing past the cache (O_DIRECT): between the source and the program's memory through a
// buffer of a few pages that is nobody's. What the cache has of the range is written back before, and
// overwritten after. What has no place on the disk yet, and less than a page, goes through the cache,
// and out of it at once. See page_cache.hpp.
// Locks: `writers_` for the whole of it: meanwhile nothing is cut off or added.
#include <algorithm>
#include <bit>

#include "fs/page_hash.hpp"

namespace {

// Up to so many pages in a row; fewer if there are none, at least one.
class PagesInARow {
  public:
    explicit PagesInARow(uint32_t wanted) {
        constexpr uint32_t kMost = 16;
        order_ = static_cast<uint32_t>(std::bit_width(std::clamp(wanted, 1u, kMost) - 1));
        for (;; --order_) {
            Result<Frame> got =
                order_ ? allocate_frames(order_, Zone::low) : allocate_frame(Zone::low);
            if (got.is_ok()) first_ = got.value();
            if (got.is_ok() || !order_) return;
        }
    }
    ~PagesInARow() {
        if (first_.raw()) put_frame(first_);
    }
    PagesInARow(const PagesInARow&) = delete;
    explicit operator bool() const { return first_.raw(); }
    uint32_t bytes() const { return kPageSize << order_; }
    uint8_t* data() const { return static_cast<uint8_t*>(to_virtual(first_)); }

  private:
    Frame first_{0};
    uint32_t order_;
};

}  // namespace

bool PageSource::has_room(uint64_t, uint32_t) { return true; }

Result<void> check_direct(uint64_t offset, uint32_t memory) {
    constexpr uint32_t kMask = 511;  // of what disks take as a block
    return (static_cast<uint32_t>(offset) | memory) & kMask ? Errno::inval : Result<void>();
}

Result<uint32_t> PageCache::read_direct(ByteSink& to, uint64_t offset) {
    LockGuard guard(writers_);
    if (offset >= size() || !to.remaining()) return 0u;
    TRY(check_direct(offset, to.alignment()));
    const uint64_t end = std::min(size(), offset + to.remaining());
    TRY(write_back(page_index(offset), page_index(end - 1)));
    const PagesInARow buffer(pages_for(offset_in_page(offset) + to.remaining()));
    if (!buffer) return Errno::nomem;
    uint32_t total = 0;
    while (offset < end) {
        const uint32_t start = offset_in_page(offset),
                       bytes = smaller(end - offset, buffer.bytes() - start);
        Result<void> filled =
            source_->fill_pages(page_index(offset), pages_for(start + bytes), buffer.data());
        if (filled.is_error()) return total ? Result<uint32_t>(total) : filled.error();
        const uint32_t done = to.put(buffer.data() + start, bytes);
        total += done;
        offset += done;
        if (done < bytes) return total ? Result<uint32_t>(total) : Errno::fault;
    }
    return total;
}

Result<uint32_t> PageCache::write_direct(ByteSource& from, uint64_t& offset, bool append) {
    LockGuard guard(writers_);
    if (append) offset = size();
    TRY(check_direct(offset, from.alignment()));
    if (frozen()) return Errno::txtbsy;
    const uint64_t end = std::min(kMaxCachedSize, from.end());
    if (from.remaining() && offset >= end) {
        if (offset >= from.end()) from.note_refused();
        return Errno::fbig;
    }
    const uint64_t start = offset;
    uint64_t at = offset;
    if (at > size()) TRY(clear_tail(size()));
    while (from.remaining() && at < end) {
        const auto whole = align_down<uint32_t>(smaller(end - at, from.remaining()), kPageSize);
        const bool there = !offset_in_page(at) && whole && at + kPageSize <= size();
        const uint32_t bytes =
            there ? smaller(align_down<uint64_t>(size() - at, kPageSize), whole) : 0;
        Result<uint32_t> done = there && source_->has_room(at, kPageSize)
                                    ? write_past(from, at, bytes)
                                    : write_through(from, at, end);
        if (done.is_error() && at == start) return done.error();
        if (done.is_error() || !done.value()) break;
        at += done.value();
    }
    const auto total = static_cast<uint32_t>(at - start);
    return total || !from.remaining() ? Result<uint32_t>(total) : Errno::fault;
}

// The rest of a page, or more where nothing is on the disk yet.
Result<uint32_t> PageCache::write_through(ByteSource& from, uint64_t at, uint64_t end) {
    const uint64_t page_end = align_down<uint64_t>(at, kPageSize) + kPageSize;
    from.set_end(std::min(end, at < size() ? page_end : end));
    Result<uint32_t> done = write_chunk(from, at);
    from.set_end(end);
    if (done.is_error() || !done.value()) return done;
    TRY(write_back(page_index(at), page_index(at + done.value() - 1)));
    drop_unused(page_index(at), page_index(at + done.value() - 1));
    return done;
}

Result<uint32_t> PageCache::write_past(ByteSource& from, uint64_t offset, uint32_t bytes) {
    const PagesInARow buffer(bytes >> kPageShift);
    if (!buffer) return Errno::nomem;
    bytes = std::min(bytes, buffer.bytes());
    while (bytes > kPageSize && !source_->has_room(offset, bytes)) bytes -= kPageSize;
    const uint32_t first = page_index(offset);
    TRY(write_back(first, page_index(offset + bytes - 1)));
    const uint32_t count = from.take(buffer.data(), bytes) >> kPageShift;
    if (!count) return 0u;
    uint8_t* pages[16];
    for (uint32_t i = 0; i < count; ++i) pages[i] = buffer.data() + i * kPageSize;
    drop_unused(first, first + count - 1);
    Result<void> written = source_->write_pages(first, {pages, count});
    if (written.is_error()) return written.error();
    own_io_counts().bytes_written += count << kPageShift;
    // Those that are used, or were read meanwhile.
    LockGuard guard(page_cache_lock);
    for (uint32_t i = 0; i < count; ++i) {
        wait_until_filled(first + i, true);
        const CachedPage* page = page_hash.find(*this, first + i);
        if (page) __builtin_memcpy(to_virtual(page->frame), pages[i], kPageSize);
    }
    return count << kPageShift;
}
