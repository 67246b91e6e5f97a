// Errors of writing back, which come when nobody asks: each of those who have the file open is told of
// one once, however often it asks; errors that came meanwhile are one. A later opener
// is told as well, unless an earlier opener was. Pure: host-tested.
// Locks: none; all is atomic.
// Spec: fsync(2), "NOTES"; Linux, Documentation/core-api/errseq.rst.
#pragma once

#include "kernel/lib/atomic.hpp"
#include "kernel/lib/result.hpp"

class ErrorSequence {
  public:
    // What one opener has been told; begins as opened().
    using Told = Atomic<uint32_t>;

    uint32_t opened() const {
        const uint32_t state = load();
        return state & kSeen ? state : 0;
    }
    void note(Errno error) {
        uint32_t state = load(), next;
        do {
            next = (state & ~(kErrorMask | kSeen)) | static_cast<uint32_t>(error);
            if (state & kSeen) next += kStep;
        } while (!state_.replace(state, next));
    }
    // The last error, if there was any since `told` (shared by all descriptors of one opener).
    Result<void> tell(Told& told) {
        uint32_t state = load();
        if (state == told.relaxed()) [[likely]]
            return {};
        state_.replace(state, state | kSeen);
        // Of two who ask at once through the same opener one is told.
        if (told.exchange(state | kSeen) == (state | kSeen)) return {};
        return static_cast<Errno>(state & kErrorMask);
    }

  private:
    // Bits 0-11: the last error; 12: an opener was told; above: how many times one came after that.
    static constexpr uint32_t kErrorMask = 0xfff, kSeen = 0x1000, kStep = 0x2000;
    uint32_t load() const { return state_.relaxed(); }
    Atomic<uint32_t> state_ = 0;
};
