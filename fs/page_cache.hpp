// PageCache: the pages of one file that are in memory, one cache for read, write and mmap. Who
// owns it (an inode, a disk) embeds it; a mapping's Ref<Pager> keeps the owner alive (`hold`).
// Invariant: bytes of a cached page beyond `size` are zero; a page being filled is marked so, and
// whoever else wants it waits, so that no page is read twice. Clean pages that nobody else refers
// to are given back when memory is short, oldest unused first; with no source the cached page is
// the only copy (tmpfs), and stays.
// Locks: one spin lock for the table of all pages (rank page_cache); `writers_` (rank inode)
// serialises changes of contents and size. Filling holds neither.
#pragma once

#include "fs/io.hpp"
#include "kernel/sync/mutex.hpp"
#include "mm/frames.hpp"
#include "mm/pager.hpp"

class Inode;

// Who knows where a file's bytes come from.
class PageSource {
  public:
    // Fills `count` pages, contiguous in memory, with the object's bytes from page `first` on.
    // Whatever lies beyond the object's end may be left as it is.
    virtual Result<void> fill_pages(uint32_t first, uint32_t count, void* to) = 0;

  protected:
    ~PageSource() = default;
};

// A page that is in memory and stays there while this lives. Move-only.
class HeldPage {
  public:
    explicit HeldPage(Frame frame) : frame_(frame), held_(true) {}
    HeldPage(HeldPage&& other) : frame_(other.frame_), held_(std::exchange(other.held_, false)) {}
    ~HeldPage() {
        if (held_) put_frame(frame_);
    }
    uint8_t* data() const { return static_cast<uint8_t*>(to_virtual(frame_)); }
    Frame frame() const { return frame_; }

  private:
    Frame frame_;
    bool held_;
};

struct CachedPage;

class PageCache final : public Pager {
  public:
    // `owner` outlives it; `source` null: pages start as zeros and are never given back;
    // `inode` null: a disk's own cache.
    PageCache(RefCounted& owner, PageSource* source, Inode* inode);
    ~PageCache() override;

    uint64_t size() const;
    void set_size(uint64_t bytes);  // at start, before anybody reads

    // As File's: fewer bytes than asked at the end, or after a bad user pointer. EIO, EFAULT.
    Result<uint32_t> read_at(ByteSink& to, uint64_t offset);
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset);  // also EFBIG, ENOMEM
    Result<uint32_t> append(ByteSource& from, uint64_t& offset);
    Result<void> truncate(uint64_t bytes);  // either way; mapped pages keep what they had
    Result<HeldPage> page(uint32_t index);  // for the owner: directories, index blocks
    uint32_t pages() const { return pages_; }

    Ref<Pager> hold();  // for mmap

    // Pager
    Result<Frame> frame_for(uint32_t index) override;
    void mark_dirty(uint32_t index) override;
    std::string_view name(std::span<char> buffer) const override;
    uint32_t inode_number() const override;
    uint32_t device_number() const override;

  private:
    friend struct CachedPage;
    friend struct PageTable;
    void last_reference_dropped() const override;
    Result<Frame> get(uint32_t index, uint32_t ahead);
    void wait_until_filled(uint32_t index);
    Result<void> fill(uint32_t first, uint32_t count);
    Result<void> fill_frames(uint32_t first, uint32_t count, Frame frame);
    Result<uint32_t> write_locked(ByteSource& from, uint64_t offset);
    void drop_from(uint32_t index);

    RefCounted& owner_;
    PageSource* source_;
    Inode* inode_;
    uint32_t hash_;
    Mutex writers_{LockRank::inode};
    // Under the table's lock:
    uint64_t size_ = 0;
    uint32_t pages_ = 0;
    uint32_t next_ = 0;          // the page that a sequential reader asks for next
    CachedPage* all_ = nullptr;  // this cache's pages
};

// The cache of a disk's own sectors: file systems' metadata, and /dev/hda as a file.
class BlockDevice;
Result<PageCache*> device_cache(BlockDevice& device);

struct PageCacheTotals {  // in pages
    uint32_t all, of_devices;
};
PageCacheTotals page_cache_totals();
