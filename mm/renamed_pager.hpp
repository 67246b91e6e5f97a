// Another pager's pages under another name: for regions that are to be told apart from those of the
// pager itself, or to keep something alive. Locks: as the other pager.
#pragma once

#include "mm/pager.hpp"

class RenamedPager : public Pager {
  public:
    explicit RenamedPager(Ref<Pager> pages) : pages_(std::move(pages)) {}

    Result<Frame> frame_for(uint32_t index, AccessPattern pattern) override {
        return pages_->frame_for(index, pattern);
    }
    void cached_frames(uint32_t first, uint32_t wanted, std::span<Frame> to) override {
        pages_->cached_frames(first, wanted, to);
    }
    void mark_dirty(uint32_t index) override { pages_->mark_dirty(index); }
    Result<void> discard(uint32_t first, uint32_t count) override {
        return pages_->discard(first, count);
    }
    const Pager& base() const override { return pages_->base(); }
    std::string_view name(std::span<char> buffer) const override { return pages_->name(buffer); }
    uint32_t inode_number() const override { return pages_->inode_number(); }
    uint32_t device_number() const override { return pages_->device_number(); }

  private:
    const Ref<Pager> pages_;
};
