// FrameWindow: a frame's contents at a kernel address for as long as the object lives. A low frame
// is in the direct map anyway; a high one gets one of this CPU's few slots.
// Invariant: windows of one CPU are closed in reverse order; interrupt handlers may open some too.
// Locks: none; the holder must not sleep.
#pragma once

#include "kernel/arch/memory_layout.hpp"

class FrameWindow {
  public:
    explicit FrameWindow(Frame frame)
        : slot_(is_low(frame) ? -1 : open(frame)),
          data_(slot_ < 0 ? to_virtual(frame) : slot_address(slot_)) {}
    ~FrameWindow() {
        if (slot_ >= 0) close(slot_);
    }
    FrameWindow(const FrameWindow&) = delete;
    FrameWindow& operator=(const FrameWindow&) = delete;
    void* data() const { return data_; }

  private:
    static int open(Frame frame);
    static void close(int slot);
    static void* slot_address(int slot) {
        return reinterpret_cast<void*>(kWindowBase.raw() +
                                       (static_cast<uint32_t>(slot) << kPageShift));
    }

    int slot_;
    void* data_;
};
