// Open files that most file systems share: a regular file whose contents are in a page cache, a
// directory, and a place opened with O_PATH.
// Locks: those of PageCache and of the inode.
#pragma once

#include <algorithm>

#include "fs/file_locks.hpp"
#include "fs/mount.hpp"
#include "fs/page_cache.hpp"

// A file that is an inode.
class InodeFile : public File {
  public:
    InodeFile(uint32_t flags, Inode& inode) : File(flags), inode_(inode) {}
    ~InodeFile() override { drop_file_locks(*inode_, this); }
    Result<Attributes> attributes() override { return inode_->attributes(); }
    Result<void> truncate(uint64_t size) override { return inode_->truncate(size); }
    Inode* inode() override { return inode_.get(); }

  protected:
    void note_read() {
        if (!(flags() & kOpenNoAtime) && path()) note_access(path(), *inode_);
    }

  private:
    Ref<Inode> inode_;
};

// `cache` is part of `inode`. A file system that keeps times derives and overrides the writes.
class CachedFile : public InodeFile {
  public:
    CachedFile(uint32_t flags, Inode& inode, PageCache& cache)
        : InodeFile(flags, inode), cache_(cache), errors_seen_(cache.write_errors()) {}
    bool seekable() const override { return true; }
    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override {
        Result<uint32_t> done = cache_.read_at(to, offset, pattern_);
        note_read();
        return done;
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset) override {
        return cache_.write_at(from, offset);
    }
    Result<uint32_t> append(ByteSource& from, uint64_t& offset) override {
        return cache_.append(from, offset);
    }
    // A write that failed in the background is an error once for each opener.
    Result<void> sync() override {
        Result<void> done = inode()->sync(false);
        TRY(tell_write_errors());
        return done;
    }
    Result<void> sync_range(uint64_t offset, uint64_t end, bool write) override {
        constexpr uint64_t kLast = UINT32_MAX;
        const auto first = static_cast<uint32_t>(std::min(offset >> kPageShift, kLast));
        const auto last = static_cast<uint32_t>(std::min((end - 1) >> kPageShift, kLast));
        if (write) return cache_.write_back(first, last);
        cache_.wait_until_written(first, last);
        return tell_write_errors();
    }
    void expect(AccessPattern pattern) override { pattern_ = pattern; }
    void will_need(uint64_t offset, uint64_t end) override { cache_.will_need(offset, end); }
    void dont_need(uint64_t offset, uint64_t end) override { cache_.dont_need(offset, end); }
    Result<Ref<Pager>> pager() override { return cache_.hold(); }
    uint64_t end_offset() override { return cache_.size(); }

  private:
    Result<void> tell_write_errors() {
        const uint32_t errors = cache_.write_errors();
        if (__atomic_exchange_n(&errors_seen_, errors, __ATOMIC_RELAXED) == errors) return {};
        return Errno::io;
    }

    PageCache& cache_;
    uint32_t errors_seen_;                           // atomic
    AccessPattern pattern_ = AccessPattern::normal;  // a single byte
};

class DirectoryFile final : public InodeFile {
  public:
    using InodeFile::InodeFile;
    bool seekable() const override { return true; }
    Result<uint32_t> read_at(ByteSink&, uint64_t) override { return Errno::isdir; }
    Result<uint32_t> write_at(ByteSource&, uint64_t) override { return Errno::isdir; }
    Result<uint64_t> list_at(DirectorySink& sink, uint64_t offset) override {
        Result<uint64_t> next = inode()->list(sink, offset);
        note_read();
        return next;
    }
    Result<void> truncate(uint64_t) override { return Errno::isdir; }
    Result<void> sync() override { return inode()->sync(false); }
};

// O_PATH: only a place; the callers of read and write see from the flags that they may not.
class PathFile final : public InodeFile {
  public:
    using InodeFile::InodeFile;
};
