// AnonymousPager: memory without a file that several address spaces share: MAP_SHARED with
// MAP_ANONYMOUS, inherited by fork. Pages are zero when first touched, and live as long as any
// mapping does.
// Locks: its own Mutex (rank page_cache_fill).
#pragma once

#include "kernel/lib/vector.hpp"
#include "kernel/sync/mutex.hpp"
#include "mm/pager.hpp"

class AnonymousPager final : public Pager {
  public:
    static Result<Ref<Pager>> create(uint32_t pages);
    explicit AnonymousPager(uint32_t pages) : pages_(pages) {}
    ~AnonymousPager() override;

    Result<Frame> frame_for(uint32_t index) override;
    void cached_frames(uint32_t first, uint32_t wanted, std::span<Frame> to) override;
    void mark_dirty(uint32_t) override {}  // there is nothing to write it to
    std::string_view name(std::span<char>) const override { return "/dev/zero (deleted)"; }
    uint32_t inode_number() const override { return 0; }
    uint32_t device_number() const override { return 0; }

  private:
    static constexpr uint32_t kChunkPages = 256;
    struct Chunk {
        Frame frames[kChunkPages];  // 0: not touched yet
    };

    Mutex lock_{LockRank::page_cache_fill};
    uint32_t pages_;
    bool charged_ = false;   // its pages are promised (commitment.hpp)
    Vector<Chunk*> chunks_;  // null: nothing in it was touched yet
};
