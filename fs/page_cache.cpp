// See page_cache.hpp: reading, writing and size. Filling is in page_fill.cpp.
#include "fs/page_cache.hpp"

#include <algorithm>

#include "fs/mount.hpp"
#include "fs/page_table.hpp"

namespace {

uint8_t* bytes_of(Frame frame) { return static_cast<uint8_t*>(to_virtual(frame)); }

}  // namespace

// The count of references counts mappings only: while it is not zero, the owner has one more.
PageCache::PageCache(RefCounted& owner, PageSource* source, Inode* inode, WriteBack write_back)
    : owner_(owner),
      source_(source),
      inode_(inode),
      hash_((static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this)) >> 5) * 0x9E3779B1u >> 7),
      write_back_(write_back) {
    drop_ref();
}

PageCache::~PageCache() { drop_from(0); }

Ref<Pager> PageCache::hold() {
    if (add_ref() == 0) owner_.add_ref();
    return Ref<Pager>::adopt(this);
}

void PageCache::last_reference_dropped() const { Ref<RefCounted>::adopt(&owner_); }

uint64_t PageCache::size() const {
    LockGuard guard(page_table.lock);
    return size_;
}

void PageCache::set_size(uint64_t bytes) {
    LockGuard guard(page_table.lock);
    size_ = bytes;
}

Result<uint32_t> PageCache::read_at(ByteSink& to, uint64_t offset, AccessPattern pattern) {
    uint32_t total = 0;
    while (uint32_t wanted = to.remaining()) {
        page_table.lock.lock();
        if (offset >= size_) {
            page_table.lock.unlock();
            break;
        }
        const uint32_t index = page_index(offset), start = offset_in_page(offset);
        const uint32_t piece = std::min(smaller(size_ - offset, wanted), kPageSize - start);
        CachedPage* page = page_table.find(*this, index);
        Frame frame;
        if (page && is_in_memory(*page)) [[likely]] {
            page_table.note_hit(*page);
            next_ = index + 1;
            frame = page->frame;
            get_frame(frame);
            page_table.lock.unlock();
        } else if (!page && !source_) {
            page_table.lock.unlock();  // a hole: reading takes no room
            uint32_t done = to.put_zeros(piece);
            total += done;
            offset += done;
            if (done < piece) return total ? Result<uint32_t>(total) : Errno::fault;
            continue;
        } else {
            page_table.lock.unlock();
            Result<Frame> filled =
                get(index, pages_for(start + std::min(wanted, 1u << 20)), pattern);
            if (filled.is_error()) return total ? Result<uint32_t>(total) : filled.error();
            frame = filled.value();
        }
        uint32_t done = to.put(bytes_of(frame) + start, piece);
        put_frame(frame);
        total += done;
        offset += done;
        if (done < piece) return total ? Result<uint32_t>(total) : Errno::fault;
    }
    return total;
}

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
    if (from.remaining() && (from.refuses(offset) || offset >= end)) return Errno::fbig;
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
        LockGuard guard(page_table.lock);
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
    const uint32_t index = page_index(size);
    if (!offset_in_page(size)) return {};
    {
        LockGuard guard(page_table.lock);
        const CachedPage* page = page_table.find(*this, index);
        if (!page || (page->filling && source_)) return {};
    }
    const HeldPage last(TRY(get(index, 1)));
    __builtin_memset(last.data() + offset_in_page(size), 0, kPageSize - offset_in_page(size));
    if (!shared_) return {};
    LockGuard guard(page_table.lock);
    note_write(index);
    return {};
}

// Its contents are newer than anybody's copy. The caller has its frame, and the table's lock.
void PageCache::note_write(uint32_t index) {
    if (shared_) wait_until_filled(index);
    CachedPage* page = page_table.find(*this, index);
    if (!page) return;
    if (shared_ && swap_active) leave_slot(*page);
    page_table.mark_dirty(*page, kWholePage);
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
        LockGuard table(page_table.lock);
        note_write(page_index(bytes));
    }
    if (!shrinks && source_) TRY(source_->resize(bytes));
    set_size(bytes);
    if (shrinks) {
        if (ref_count()) unmap_pages_of(*this, page_index(bytes + kPageMask));  // somebody maps it
        drop_from(page_index(bytes + kPageMask));
        if (source_) return source_->resize(bytes);
    }
    return {};
}

Result<void> PageCache::freeze() {
    LockGuard guard(writers_);
    if (frozen()) return Errno::busy;
    TRY(write_back());
    __atomic_store_n(&frozen_, true, __ATOMIC_RELAXED);
    return {};
}

void PageCache::thaw() {
    LockGuard guard(writers_);
    __atomic_store_n(&frozen_, false, __ATOMIC_RELAXED);
}

Result<HeldPage> PageCache::page(uint32_t index) { return HeldPage(TRY(get(index, 1))); }

Result<HeldPage> PageCache::page_to_overwrite(uint32_t index) {
    return HeldPage(TRY(get_for_write(index, true)));
}

Result<Frame> PageCache::frame_for(uint32_t index, AccessPattern pattern) {
    constexpr uint32_t kFaultAround = 8;
    if (uint64_t{index} << kPageShift >= size()) return Errno::fault;
    return get(index, pattern == AccessPattern::random ? 1 : kFaultAround, pattern);
}

void PageCache::mark_dirty(uint32_t index) {
    LockGuard guard(page_table.lock);
    written_by_mapping_ = true;
    note_write(index);
}

std::string_view PageCache::name(std::span<char> buffer) const {
    return inode_ ? inode_name(*inode_, buffer) : std::string_view();
}
uint32_t PageCache::inode_number() const { return inode_ ? inode_->attributes().inode.raw() : 0; }
uint32_t PageCache::device_number() const {
    return inode_ ? inode_->file_system().device_number() : 0;
}

// What is only mapped along doesn't count as used.
void PageCache::cached_frames(uint32_t first, uint32_t wanted, std::span<Frame> to) {
    LockGuard guard(page_table.lock);
    const uint64_t end = (size_ + kPageMask) >> kPageShift;
    for (uint32_t i = 0; i < to.size(); ++i) {
        to[i] = Frame(0);
        if (!(wanted >> i & 1) || first + i >= end) continue;
        const CachedPage* page = page_table.find(*this, first + i);
        if (!page || !is_in_memory(*page)) continue;
        get_frame(to[i] = page->frame);
        next_ = first + i + 1;
    }
}
