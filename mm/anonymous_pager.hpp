// AnonymousPager: memory without a file that several address spaces share: MAP_SHARED with
// MAP_ANONYMOUS, inherited by fork, and System V segments. Pages are zero when first touched, go to
// swap and come back (shared_pages.hpp), and live as long as any mapping does.
// Locks: its own Mutex (rank page_cache_fill), never held while waiting for a page or memory.
#pragma once

#include "kernel/arch/page_table.hpp"
#include "kernel/lib/vector.hpp"
#include "kernel/sync/mutex.hpp"
#include "mm/shared_pages.hpp"

class AnonymousPager final : public Pager, private SharedPages {
  public:
    static Result<Ref<AnonymousPager>> create(uint32_t pages) NO_LOCK_ANALYSIS;  // not shared yet
    static uint32_t all_resident();  // of all of them, pages
    explicit AnonymousPager(uint32_t pages) : pages_(pages) {}
    ~AnonymousPager() override;

    using Pager::frame_for;
    Result<Frame> frame_for(uint32_t index, AccessPattern) override;
    void cached_frames(uint32_t first, uint32_t wanted, std::span<Frame> to) override;
    void mark_dirty(uint32_t index) override;
    Result<void> discard(uint32_t first, uint32_t count) override;
    std::string_view name(std::span<char>) const override { return "/dev/zero (deleted)"; }
    uint32_t inode_number() const override { return 0; }
    uint32_t device_number() const override { return 0; }

    uint32_t resident() const { return resident_.relaxed(); }  // pages
    // SHM_LOCK: what is in memory, or comes there, stays.
    void keep_in_memory(bool kept) { kept_.store_relaxed(kept); }
    bool kept_in_memory() const { return kept_.relaxed(); }

  private:
    static constexpr uint32_t kChunkPages = 256;
    struct Chunk {
        PageEntry pages[kChunkPages];  // a frame, a slot of swap, or 0: not touched yet
    };

    RefCounted& owner() override { return *this; }
    const Pager& pager() const override { return *this; }
    bool give_up(uint32_t index, Frame frame, SwapEntry entry) override;
    Result<void> bring_in(uint32_t area) override;
    void track_all() override;

    PageEntry* find(uint32_t index) REQUIRES(lock_);
    bool is_here(PageEntry& page, uint32_t index) REQUIRES(lock_);
    void install(PageEntry& page, uint32_t index, Frame frame) REQUIRES(lock_);
    void drop(PageEntry page);
    void count(int32_t change);

    Mutex lock_{LockRank::page_cache_fill};
    uint32_t pages_;
    Atomic<uint32_t> resident_ = 0;
    Atomic<bool> kept_ = false;
    bool charged_ = false;                     // its pages are promised (commitment.hpp)
    Vector<Chunk*> chunks_ GUARDED_BY(lock_);  // null: nothing in it was touched yet
};
