// Migration: the pages of one block of frames move elsewhere. While it lives the block's free frames
// are nobody's; at its end they, and those whose pages have moved, are free, and so joined.
// Locks: none of its own; its methods take those of the frames.
#pragma once

#include "kernel/lib/bitmap.hpp"
#include "mm/frames.hpp"

class Migration {
  public:
    Migration(uint32_t first, uint32_t order)
        : first_(first), order_(order), withdrawn_(words_, 1u << order) {
        withdraw_free_frames(first_, order_, withdrawn_);
    }
    ~Migration() {
        return_frames(first_, withdrawn_);
        while (FrameInfo* info = left_.pop_front())
            put_frame(Frame(static_cast<uint32_t>(info - frame_table)));
    }
    Migration(const Migration&) = delete;
    Migration& operator=(const Migration&) = delete;

    bool covers(Frame frame) const { return frame.raw() - first_ < 1u << order_; }
    // Another frame for one of the block's. ENOMEM ends it all.
    Result<Frame> target() {
        Result<Frame> frame = allocate_frame(Zone::any);
        failed_ = frame.is_error();
        return frame;
    }
    // Nobody maps this one any more; the caller's reference to it goes at the end.
    void moved_from(Frame frame) {
        left_.push_back(frame_info(frame));
        ++moved_;
    }
    bool goes_on() const { return !failed_; }
    uint32_t moved() const { return moved_; }

  private:
    const uint32_t first_, order_;
    uint32_t words_[(1u << kMaxOrder) / 32] = {};
    Bitmap withdrawn_;
    List<FrameInfo, &FrameInfo::node> left_;
    uint32_t moved_ = 0;
    bool failed_ = false;
};

// An address space's part (migrate.cpp): which of its frames may move, and moving those that the
// migration covers.
class AddressSpace;
enum class FrameUse : uint8_t;
void note_movable(AddressSpace& space, std::span<FrameUse> uses);
void migrate(AddressSpace& space, Migration& migration);
