// PageCache: the pages of one file that are in memory, one cache for read, write and mmap. Who
// owns it (an inode, a disk) embeds it; a mapping's Ref<Pager> keeps the owner alive (`hold`).
// Invariant: bytes of a cached page beyond `size` are zero (but for what a mapping wrote there,
// which never reaches the source); a page being filled is marked so, and a second reader
// waits, so that no page is read twice. Clean pages that nobody else refers to are given back when
// memory is short, as the replacement policy says; with no source (tmpfs) the page stays, or goes to swap and
// comes back (page_swap.hpp). Dirty ones are written back by write_back.hpp's thread, sooner on request.
// Locks: one spin lock for the table of all pages (rank page_cache); `writers_` (rank inode)
// serialises changes of contents and size. Filling holds neither.
#pragma once

#include "fs/error_sequence.hpp"
#include "fs/io.hpp"
#include "kernel/lib/list.hpp"
#include "kernel/sched/io_counts.hpp"
#include "kernel/sync/mutex.hpp"
#include "mm/frames.hpp"
#include "mm/pager.hpp"
#include "mm/replacement/policy.hpp"
#include "mm/swap.hpp"

class SharedPages;
class FileSystem;
class Inode;
class PageCache;

// A PageSource knows where a file's bytes come from.
class PageSource {
  public:
    // Fills `count` pages, contiguous in memory, with the object's bytes from page `first` on.
    // Whatever lies beyond the object's end may be left as it is.
    virtual Result<void> fill_pages(uint32_t first, uint32_t count, void* to) = 0;
    // Writes these pages, from page `first` on, as far as the object reaches. EAGAIN: those that have no
    // room yet cannot get any now, and stay dirty; await_room() waits until they can.
    virtual Result<void> write_pages(uint32_t first, std::span<uint8_t* const> pages);
    virtual Result<void> await_room() { return {}; }
    // Finds room for [offset, offset + bytes), all of it in memory already; how many bytes of it
    // have room now: none is an error. The object may be extended by as much.
    virtual Result<uint32_t> prepare_write(uint64_t offset, uint32_t bytes);
    // All of it has its place already, so that write_pages writes nothing else.
    virtual bool has_room(uint64_t offset, uint32_t bytes);
    // The object ends here from now on (also called when less was written than room was found for).
    virtual Result<void> resize(uint64_t bytes);
    // As resize(), and drops the pages behind the new end.
    virtual Result<void> shrink(PageCache& cache, uint64_t bytes);

  protected:
    ~PageSource() = default;
};

// Who decides when dirty pages are written: the write-back thread, or (directories and a disk's
// metadata, where the order counts) the owner.
enum class WriteBack : uint8_t { by_thread, by_owner };

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

struct CachedPage : ResidentPage {  // linked: may be given back
    CachedPage(PageCache& cache, uint32_t index, Frame frame)
        : cache(&cache), index(index), frame(frame) {}
    PageCache* cache;
    uint32_t index;
    Frame frame;        // 0: `entry` has it
    SwapEntry entry{};  // only without a source
    CachedPage* hash_next = nullptr;
    CachedPage* cache_next = nullptr;   // in the cache's own list,
    CachedPage** cache_link = nullptr;  // and what points to us there
    ListNode dirty_node{};              // linked: waits for the write-back thread
    bool filling = true;
    bool writing = false;  // on its way to the source
    bool aside = false;    // linked, but not with the policy
    bool ahead = false;    // read ahead, and not used yet
    bool shared = false;   // of a cache without a source: tracked as shared_pages.hpp has it
    uint8_t dirty = 0;     // sectors that are newer than the source; the page stays in memory
};
using DirtyPages = List<CachedPage, &CachedPage::dirty_node>;
inline bool is_in_memory(const CachedPage& page) { return !page.filling && page.frame.raw(); }
constexpr uint8_t kWholePage = 0xff;
extern SpinLock page_cache_lock;  // of the table of all cached pages

class PageCache final : public Pager {
  public:
    // `owner` outlives it; `source` null: pages start as zeros and are never given back;
    // `inode` null: a disk's own cache.
    PageCache(RefCounted& owner, PageSource* source, Inode* inode,
              WriteBack write_back = WriteBack::by_thread);
    ~PageCache() override;

    uint64_t size() const;
    void set_size(uint64_t bytes);  // at start, before any reader

    // As File's: fewer bytes than asked at the end, or after a bad user pointer. EIO, EFAULT.
    Result<uint32_t> read_at(ByteSink& to, uint64_t offset,
                             AccessPattern pattern = AccessPattern::normal);
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset);  // also EFBIG, ENOMEM
    Result<uint32_t> append(ByteSource& from, uint64_t& offset);
    // The same without keeping the contents (O_DIRECT); EINVAL unless offset, addresses and lengths are
    // multiples of 512, but at the end and beyond reading says 0.
    Result<uint32_t> read_direct(ByteSink& to, uint64_t offset);
    Result<uint32_t> write_direct(ByteSource& from, uint64_t& offset, bool append);
    // Whole pages, which have room, are inside the object, and nobody cuts off: as many of `bytes` as fit
    // into a buffer; 0 after a bad user pointer.
    Result<uint32_t> write_past(ByteSource& from, uint64_t offset, uint32_t bytes);
    Result<void> truncate(uint64_t bytes);  // either way; mapped pages keep what they had
    void drop_behind(uint64_t bytes);       // for the source's shrink()
    // Without a source, for bytes [offset, end): their pages are there from now on, at most `most` new
    // ones, and unless `keep_size` the object reaches to `end`; ENOSPC, ENOMEM, EFBIG: none are. Or they
    // are zeros again, and the memory of whole pages among them is free.
    Result<void> provide(uint64_t offset, uint64_t end, bool keep_size, uint32_t most);
    Result<void> punch(uint64_t offset, uint64_t end);
    // Writes back; then swap uses the file's blocks, and writing and truncating are ETXTBSY.
    // EBUSY: it is so already.
    Result<void> freeze();
    void thaw();
    bool frozen() const { return frozen_.relaxed(); }
    Result<HeldPage> page(uint32_t index);               // for the owner: directories, index blocks
    Result<HeldPage> page_to_overwrite(uint32_t index);  // its contents don't matter
    uint32_t pages() const NO_LOCK_ANALYSIS { return pages_; }
    // Hints: brings [offset, end) in, as far as there is room for it; lets go of the whole pages in it
    // that are clean and that nobody uses, after having written the dirty ones.
    void will_need(uint64_t offset, uint64_t end);
    void dont_need(uint64_t offset, uint64_t end);

    // Writes what is dirty of these pages at the time of the call, what is on its way already
    // included; the first error. Sleeps, so no locks.
    Result<void> write_back(uint32_t first = 0, uint32_t last = UINT32_MAX);
    // The same for who must not wait for room: EAGAIN, and some are dirty still.
    Result<void> write_back_placed(uint32_t first, uint32_t last);
    // Until none of them is on its way any more.
    void wait_until_written(uint32_t first, uint32_t last);
    bool is_dirty() const;
    ErrorSequence& write_errors() { return write_errors_; }
    void note_write_error(Errno error);

    // For the owner that writes back itself, by sectors of a page (bit i: sector i): marks and
    // says which were clean before; unmarks and says which were dirty.
    uint8_t set_dirty(uint32_t index, uint8_t sectors);
    uint8_t clear_dirty(uint32_t index, uint8_t sectors);

    Ref<Pager> hold();  // for mmap

    // Pager
    using Pager::frame_for;
    Result<Frame> frame_for(uint32_t index, AccessPattern pattern) override;
    void cached_frames(uint32_t first, uint32_t wanted, std::span<Frame> to) override;
    void mark_dirty(uint32_t index) override;
    PagerUse use_of(uint32_t first, uint32_t last) override;
    bool has_file() const override { return source_; }
    std::string_view name(std::span<char> buffer) const override;
    uint32_t inode_number() const override;
    uint32_t device_number() const override;

  private:
    friend struct CachedPage;
    friend struct CachedPages;
    friend class SwappedCache;
    void last_reference_dropped() const override;
    struct Piece {
        uint32_t bytes = 0;  // 0: the end of the file
        bool hole = false;   // nothing is stored there: zeros
        Frame frame{0};      // of the first of `pages` with a reference each
        uint32_t pages = 0;  // 0: nothing of it is in memory
    };
    Piece look_up(uint64_t offset, uint32_t wanted);
    uint32_t extend(Piece& piece, uint64_t offset, uint32_t wanted) REQUIRES(page_cache_lock);
    Result<Frame> get(uint32_t index, uint32_t ahead,
                      AccessPattern pattern = AccessPattern::normal);
    void wait_until_filled(uint32_t index, bool written_too = false) REQUIRES(page_cache_lock);
    Result<void> fill(uint32_t first, uint32_t count, uint32_t asked);
    Result<void> fill_frames(uint32_t first, uint32_t count, Frame frame);
    Result<Frame> get_for_write(uint32_t index, bool whole);
    Result<Frame> add_zeroed(uint32_t index);
    Result<uint32_t> write_locked(ByteSource& from, uint64_t offset);
    Result<uint32_t> write_chunk(ByteSource& from, uint64_t offset);
    void note_write(uint32_t index) REQUIRES(page_cache_lock);
    Result<void> bring_back(CachedPage& page);
    void leave_slot(CachedPage& page) REQUIRES(page_cache_lock);
    Result<void> clear_tail(uint64_t size);
    Result<uint32_t> write_through(ByteSource& from, uint64_t at, uint64_t end);
    void drop_from(uint32_t index, uint32_t last = UINT32_MAX);
    bool drop_some_from(uint32_t index, uint32_t last);
    Result<void> clear(uint64_t offset, uint32_t bytes);
    void drop_unused(uint64_t first, uint64_t last);
    CachedPage* oldest_dirty(uint32_t first, uint32_t last) REQUIRES(page_cache_lock);
    uint32_t take_dirty_run(std::span<CachedPage*> run, uint32_t first = 0,
                            uint32_t last = UINT32_MAX);
    Result<void> write_run(std::span<CachedPage*> run);
    friend uint32_t write_back_pages(uint32_t wanted, Nanoseconds dirty_before);
    friend Result<void> write_back_file_system(const FileSystem& file_system);

    RefCounted& owner_;
    PageSource* source_;
    Inode* inode_;
    SharedPages* shared_ = nullptr;  // set at start: how pages go to swap
    uint32_t hash_;
    Mutex writers_{LockRank::inode};
    uint64_t size_ GUARDED_BY(page_cache_lock) = 0;
    uint32_t pages_ GUARDED_BY(page_cache_lock) = 0;
    uint32_t next_ GUARDED_BY(page_cache_lock) = 0;  // what a sequential reader asks for next
    CachedPage* all_ GUARDED_BY(page_cache_lock) = nullptr;  // this cache's pages
    DirtyPages dirty_ GUARDED_BY(page_cache_lock);  // for the thread to write, in their order
    ListNode dirty_node_;                           // in the list of caches that have any
    Nanoseconds dirty_since_ GUARDED_BY(page_cache_lock){0};
    const WriteBack write_back_;
    ErrorSequence write_errors_;
    Atomic<bool> written_by_mapping_ = false, frozen_ = false;  // `frozen_` changes under writers_
};

// EINVAL unless all are multiples of 512.
Result<void> check_direct(uint64_t offset, uint32_t memory);

// The cache of a disk's own sectors: file systems' metadata, and /dev/hda as a file.
class BlockDevice;
Result<PageCache*> device_cache(BlockDevice& device);

struct PageCacheTotals {  // in pages
    uint32_t all, of_devices, dirty, writing;
    uint32_t in_memory_only;  // tmpfs: files with nothing behind them
};
PageCacheTotals page_cache_totals();
struct PageCacheUse {  // since the machine was switched on; `missed` and `ahead`: pages read
    uint32_t hits, missed, ahead, ahead_used;
};
PageCacheUse page_cache_use();
// How much is read at once for a sequential reader; 0: only what it asks for. EINVAL: too much.
uint32_t read_ahead_kib();
Result<void> set_read_ahead_kib(uint32_t kib);
uint32_t cached_pages();  // all of them, a moment ago; takes no lock

// Gives clean pages that nobody uses back; how many. Takes no mutex, writes nothing.
uint32_t reclaim_pages(uint32_t wanted);
