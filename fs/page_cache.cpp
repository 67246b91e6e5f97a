// See page_cache.hpp: reading, writing and size. Filling is in page_fill.cpp.
#include "fs/page_cache.hpp"

#include <algorithm>

#include "fs/mount.hpp"
#include "fs/page_table.hpp"

namespace {

constexpr uint64_t kMaxSize = 1ull << (32 + kPageShift);

uint32_t index_of(uint64_t offset) { return static_cast<uint32_t>(offset >> kPageShift); }
uint32_t within(uint64_t offset) { return static_cast<uint32_t>(offset) & kPageMask; }
uint8_t* bytes_of(Frame frame) { return static_cast<uint8_t*>(to_virtual(frame)); }
uint32_t smaller(uint64_t a, uint32_t b) { return a < b ? static_cast<uint32_t>(a) : b; }

}  // namespace

// The count of references counts mappings only: while it is not zero, the owner has one more.
PageCache::PageCache(RefCounted& owner, PageSource* source, Inode* inode)
    : owner_(owner),
      source_(source),
      inode_(inode),
      hash_((static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this)) >> 5) * 0x9E3779B1u >> 7) {
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

Result<uint32_t> PageCache::read_at(ByteSink& to, uint64_t offset) {
    uint32_t total = 0;
    while (uint32_t wanted = to.remaining()) {
        page_table.lock.lock();
        if (offset >= size_) {
            page_table.lock.unlock();
            break;
        }
        const uint32_t index = index_of(offset), start = within(offset);
        const uint32_t piece = std::min(smaller(size_ - offset, wanted), kPageSize - start);
        CachedPage* page = page_table.find(*this, index);
        Frame frame;
        if (page && !page->filling) [[likely]] {
            page->referenced = true;
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
            Result<Frame> filled = get(index, pages_for(start + std::min(wanted, 1u << 20)));
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

Result<uint32_t> PageCache::write_locked(ByteSource& from, uint64_t offset) {
    if (from.remaining() && offset >= kMaxSize) return Errno::fbig;
    uint32_t total = 0;
    while (uint32_t wanted = smaller(kMaxSize - offset, from.remaining())) {
        const uint32_t index = index_of(offset), start = within(offset);
        const uint32_t piece = std::min(wanted, kPageSize - start);
        Result<Frame> frame = get(index, 1);
        if (frame.is_error()) return total ? Result<uint32_t>(total) : frame.error();
        uint32_t done = from.take(bytes_of(frame.value()) + start, piece);
        {
            LockGuard guard(page_table.lock);
            if (CachedPage* page = page_table.find(*this, index)) page->dirty = true;
            if (done) size_ = std::max(size_, offset + done);
        }
        put_frame(frame.value());
        total += done;
        offset += done;
        if (done < piece) return total ? Result<uint32_t>(total) : Errno::fault;
    }
    return total;
}

Result<void> PageCache::truncate(uint64_t bytes) {
    if (bytes > kMaxSize) return Errno::fbig;
    LockGuard guard(writers_);
    const bool shrinks = bytes < size();
    if (shrinks && within(bytes)) {
        // The rest of the last page must read as zeros when the file grows again.
        HeldPage last(TRY(get(index_of(bytes), 1)));
        std::fill(last.data() + within(bytes), last.data() + kPageSize, uint8_t{0});
        mark_dirty(index_of(bytes));
    }
    set_size(bytes);
    if (shrinks) {
        if (ref_count()) unmap_pages_of(*this, index_of(bytes + kPageMask));  // somebody maps it
        drop_from(index_of(bytes + kPageMask));
    }
    return {};
}

Result<HeldPage> PageCache::page(uint32_t index) { return HeldPage(TRY(get(index, 1))); }

Result<Frame> PageCache::frame_for(uint32_t index) {
    constexpr uint32_t kFaultAround = 8;
    if (uint64_t{index} << kPageShift >= size()) return Errno::fault;
    return get(index, kFaultAround);
}

void PageCache::mark_dirty(uint32_t index) {
    LockGuard guard(page_table.lock);
    if (CachedPage* page = page_table.find(*this, index)) page->dirty = true;
}

std::string_view PageCache::name(std::span<char> buffer) const {
    return inode_ ? inode_name(*inode_, buffer) : std::string_view();
}
uint32_t PageCache::inode_number() const { return inode_ ? inode_->attributes().inode.raw() : 0; }
uint32_t PageCache::device_number() const {
    return inode_ ? inode_->file_system().device_number() : 0;
}
