// Bytes on their way between a file and its reader or writer: a program's memory (one range or several)
// or the kernel's. A file never knows which.
#pragma once

#include <span>

#include "kernel/arch/user_access.hpp"

// Takes the bytes that a read produces.
class ByteSink {
  public:
    uint32_t remaining() const { return remaining_; }
    // Both return how many bytes were taken: fewer than asked only after a bad user pointer.
    // `bytes` <= remaining().
    uint32_t put(const void* from, uint32_t bytes) {
        uint32_t done = do_put(from, bytes);
        remaining_ -= done;
        return done;
    }
    uint32_t put_zeros(uint32_t bytes);
    // The bits that addresses and lengths of a program's memory have, for those who ask for an alignment.
    virtual uint32_t alignment() const { return 0; }

  protected:
    explicit ByteSink(uint32_t bytes) : remaining_(bytes) {}
    ~ByteSink() = default;
    virtual uint32_t do_put(const void* from, uint32_t bytes) = 0;

  private:
    uint32_t remaining_;
};

// Gives the bytes that a write consumes.
class ByteSource {
  public:
    uint32_t remaining() const { return remaining_; }
    // No byte of a regular file at this offset or beyond (RLIMIT_FSIZE); who starts there is noted.
    void set_end(uint64_t end) { end_ = end; }
    uint64_t end() const { return end_; }
    void note_refused() { refused_ = true; }
    bool refused() const { return refused_; }
    // The writer is not the superuser: the file loses its set-user-id and set-group-id bits.
    void set_unprivileged() { unprivileged_ = true; }
    bool unprivileged() const { return unprivileged_; }
    uint32_t take(void* to, uint32_t bytes) {
        uint32_t done = do_take(to, bytes);
        remaining_ -= done;
        return done;
    }
    virtual uint32_t alignment() const { return 0; }  // as ByteSink's

  protected:
    explicit ByteSource(uint32_t bytes) : remaining_(bytes) {}
    ~ByteSource() = default;
    virtual uint32_t do_take(void* to, uint32_t bytes) = 0;

  private:
    uint32_t remaining_;
    bool refused_ = false, unprivileged_ = false;
    uint64_t end_ = UINT64_MAX;
};

// The first bytes of another source, which ends where that does.
class LimitedSource final : public ByteSource {
  public:
    LimitedSource(ByteSource& from, uint32_t bytes) : ByteSource(bytes), from_(from) {
        set_end(from.end());
    }
    uint32_t alignment() const override { return from_.alignment(); }

  private:
    uint32_t do_take(void* to, uint32_t bytes) override { return from_.take(to, bytes); }
    ByteSource& from_;
};

struct UserRange {
    VirtAddr start;
    uint32_t bytes;
};

class KernelSink final : public ByteSink {
  public:
    explicit KernelSink(std::span<uint8_t> to)
        : ByteSink(static_cast<uint32_t>(to.size())), to_(to.data()) {}

  private:
    uint32_t do_put(const void* from, uint32_t bytes) override {
        __builtin_memcpy(to_, from, bytes);
        to_ += bytes;
        return bytes;
    }
    uint8_t* to_;
};

class KernelSource final : public ByteSource {
  public:
    explicit KernelSource(std::span<const uint8_t> from)
        : ByteSource(static_cast<uint32_t>(from.size())), from_(from.data()) {}

  private:
    uint32_t do_take(void* to, uint32_t bytes) override {
        __builtin_memcpy(to, from_, bytes);
        from_ += bytes;
        return bytes;
    }
    const uint8_t* from_;
};

class UserSink final : public ByteSink {
  public:
    explicit UserSink(UserRange range) : ByteSink(range.bytes), at_(range.start) {}
    uint32_t alignment() const override { return at_.raw() | remaining(); }

  private:
    uint32_t do_put(const void* from, uint32_t bytes) override {
        uint32_t done = copy_to_user_partly(at_, from, bytes);
        at_ += done;
        return done;
    }
    VirtAddr at_;
};

class UserSource final : public ByteSource {
  public:
    explicit UserSource(UserRange range) : ByteSource(range.bytes), at_(range.start) {}
    uint32_t alignment() const override { return at_.raw() | remaining(); }

  private:
    uint32_t do_take(void* to, uint32_t bytes) override {
        uint32_t done = copy_from_user_partly(to, at_, bytes);
        at_ += done;
        return done;
    }
    VirtAddr at_;
};
// Several user ranges in a row (readv, writev): UserVectorSink and UserVectorSource, io_vector.hpp.
