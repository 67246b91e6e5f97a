// See page_cache.hpp: reading. A page that is not in memory is filled by page_fill.cpp; writing is in
// page_write.cpp.
#include "fs/page_cache.hpp"

#include <algorithm>

#include "fs/mount.hpp"
#include "fs/page_hash.hpp"

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
    LockGuard guard(page_cache_lock);
    return size_;
}

// What a reader finds at `offset`, up to the end of the page, or of the next ones, and of the file.
inline PageCache::Piece PageCache::look_up(uint64_t offset, uint32_t wanted) {
    LockGuard guard(page_cache_lock);
    Piece piece;
    if (offset >= size_) return piece;
    const uint32_t index = page_index(offset);
    piece.bytes = std::min(smaller(size_ - offset, wanted), kPageSize - offset_in_page(offset));
    CachedPage* page = page_hash.find(*this, index);
    if (page && is_in_memory(*page)) [[likely]] {
        page_hash.note_hit(*page);
        next_ = index + 1;
        get_frame(piece.frame = page->frame);
        piece.pages = piece.bytes < wanted ? 1 + extend(piece, offset, wanted) : 1;
    } else {
        piece.hole = !page && !source_;  // reading it takes no room
    }
    return piece;
}

Result<uint32_t> PageCache::read_at(ByteSink& to, uint64_t offset, AccessPattern pattern) {
    uint32_t total = 0;
    while (const uint32_t wanted = to.remaining()) {
        Piece piece = look_up(offset, wanted);
        if (!piece.bytes) break;
        const uint32_t start = offset_in_page(offset);
        if (!piece.pages && !piece.hole) {
            const uint32_t ahead = pages_for(start + std::min(wanted, 1u << 20));
            const Result<Frame> filled = get(page_index(offset), ahead, pattern);
            if (filled.is_error()) return total ? Result<uint32_t>(total) : filled.error();
            piece.frame = filled.value();
            piece.pages = 1;
        }
        const uint32_t done = piece.hole ? to.put_zeros(piece.bytes)
                                         : to.put(bytes_of(piece.frame) + start, piece.bytes);
        while (piece.pages) put_frame(piece.frame + --piece.pages);
        total += done;
        offset += done;
        if (done < piece.bytes) return total ? Result<uint32_t>(total) : Errno::fault;
    }
    return total;
}

Result<HeldPage> PageCache::page(uint32_t index) { return HeldPage(TRY(get(index, 1))); }

Result<Frame> PageCache::frame_for(uint32_t index, AccessPattern pattern) {
    constexpr uint32_t kFaultAround = 8;
    if (uint64_t{index} << kPageShift >= size()) return Errno::fault;
    return get(index, pattern == AccessPattern::random ? 1 : kFaultAround, pattern);
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
    LockGuard guard(page_cache_lock);
    const uint64_t end = (size_ + kPageMask) >> kPageShift;
    for (uint32_t i = 0; i < to.size(); ++i) {
        to[i] = Frame(0);
        if (!(wanted >> i & 1) || first + i >= end) continue;
        const CachedPage* page = page_hash.find(*this, first + i);
        if (!page || !is_in_memory(*page)) continue;
        get_frame(to[i] = page->frame);
        next_ = first + i + 1;
    }
}
