// Open files that have neither a place nor an inode: event counters, epoll sets, timers, signals.
// Locks: none; what is here never changes.
#pragma once

#include "fs/file.hpp"
#include "fs/timestamp.hpp"

class AnonymousFile : public File {
  public:
    // `text` (of its link in /proc/PID/fd) lives for ever. Of `flags` only O_NONBLOCK counts.
    AnonymousFile(uint32_t flags, std::string_view text)
        : File(kOpenReadWrite | (flags & kOpenNonBlock)), text_(text) {}
    bool pollable() const override { return true; }
    std::string_view link_text() const override { return text_; }
    // As on Linux they all seem to be one inode.
    Result<Attributes> attributes() override {
        Attributes a;
        a.mode = 0600;
        a.device = device_number(0, 10);
        a.inode = InodeNo(1);
        a.accessed = a.modified = a.changed = made_;
        return a;
    }

  private:
    const std::string_view text_;
    const Timestamp made_ = timestamp_now();
};
