// The ring of a journal, as far as the kernel fills it: where the next block goes, and how many may
// follow before the log would run into its own beginning. Pure.
//
//   [ first ...... tail ######## head ...... end )      #: in the log, and needed
//
// Invariant: a block of the log is written over only after everything from the tail to it was
// written home; one block stays free, so that a full log is not an empty one.
#pragma once

#include "fs/journal/layout.hpp"

namespace journal {

class LogSpace {
  public:
    LogSpace(const Format& format, const Ring& ring)
        : format_(format), ring_(ring), head_(ring.first), tail_(ring.first) {}

    uint32_t head() const { return head_; }
    uint32_t used() const { return ring_.distance(tail_, head_); }
    uint32_t free() const { return capacity() - used(); }
    uint32_t capacity() const { return ring_.size() - 1; }
    // What a transaction takes at most: its blocks, their descriptors, its revokes, the commit block.
    // A descriptor ends early when so many of its blocks had to be copied.
    static constexpr uint32_t kMostCopies = 8;
    uint32_t blocks_for(uint32_t tagged, uint32_t revoked) const {
        return tagged + pieces(tagged, kMostCopies) + pieces(revoked, format_.most_revokes()) + 1;
    }
    bool fits(uint32_t tagged, uint32_t revoked) const {
        return blocks_for(tagged, revoked) <= free();
    }
    // The next block of the log; fits() said that there is one.
    uint32_t take() {
        const uint32_t taken = head_;
        head_ = ring_.ahead(head_, 1);
        return taken;
    }
    // All of it is home.
    void release() { tail_ = head_; }

  private:
    static uint32_t pieces(uint32_t count, uint32_t each) { return (count + each - 1) / each; }

    const Format format_;
    const Ring ring_;
    uint32_t head_, tail_;
};

}  // namespace journal
