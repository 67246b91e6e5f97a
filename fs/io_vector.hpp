// Several ranges of a program's memory in a row, as readv(2) and writev(2) give them. The ranges'
// lengths were checked by the caller: their sum fits in 31 bits.
#pragma once

#include "fs/io.hpp"

class UserRanges {
  public:
    explicit UserRanges(std::span<const UserRange> ranges) : rest_(ranges) {}

    static uint32_t total(std::span<const UserRange> ranges) {
        uint32_t sum = 0;
        for (const UserRange& range : ranges) sum += range.bytes;
        return sum;
    }

    uint32_t alignment() const {
        uint32_t bits = 0;
        for (const UserRange& range : rest_) bits |= range.start.raw() | range.bytes;
        return bits;
    }

    // Calls copy(address, bytes before, bytes) for the pieces of the next `bytes`; stops early when
    // it returns less than it was asked for. Returns how far it came.
    template <typename F>
    uint32_t advance(uint32_t bytes, F&& copy) {
        uint32_t total = 0;
        while (total < bytes && !rest_.empty()) {
            const UserRange& range = rest_.front();
            uint32_t left = range.bytes - used_;
            uint32_t piece = left < bytes - total ? left : bytes - total;
            uint32_t done = piece ? copy(range.start + used_, total, piece) : 0;
            total += done;
            used_ += done;
            if (done < piece) break;
            if (used_ == range.bytes) {
                rest_ = rest_.subspan(1);
                used_ = 0;
            }
        }
        return total;
    }

  private:
    std::span<const UserRange> rest_;
    uint32_t used_ = 0;  // of the first of them
};

class UserVectorSink final : public ByteSink {
  public:
    explicit UserVectorSink(std::span<const UserRange> ranges)
        : ByteSink(UserRanges::total(ranges)), ranges_(ranges) {}
    uint32_t alignment() const override { return ranges_.alignment(); }

  private:
    uint32_t do_put(const void* from, uint32_t bytes) override;
    UserRanges ranges_;
};

class UserVectorSource final : public ByteSource {
  public:
    explicit UserVectorSource(std::span<const UserRange> ranges)
        : ByteSource(UserRanges::total(ranges)), ranges_(ranges) {}
    uint32_t alignment() const override { return ranges_.alignment(); }

  private:
    uint32_t do_take(void* to, uint32_t bytes) override;
    UserRanges ranges_;
};
