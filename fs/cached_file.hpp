// Open files that most file systems share: a regular file whose contents are in a page cache, a
// directory, and a place opened with O_PATH.
// Locks: those of PageCache and of the inode.
#pragma once

#include <algorithm>

#include "fs/file_events.hpp"
#include "fs/mount.hpp"
#include "fs/page_cache.hpp"

// A file that is an inode.
class InodeFile : public File {
  public:
    InodeFile(uint32_t flags, Inode& inode) : File(flags), inode_(inode) {}
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
        : InodeFile(flags, inode), cache_(cache), errors_told_(cache.write_errors().opened()) {}
    bool seekable() const override { return true; }
    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override {
        Result<uint32_t> done = flags() & kOpenDirect ? cache_.read_direct(to, offset)
                                                      : cache_.read_at(to, offset, pattern_);
        note_read();
        if (done.value_or(0)) happened(path(), kFileRead);
        return done;
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset) override {
        return cache_.write_at(from, offset);
    }
    Result<uint32_t> append(ByteSource& from, uint64_t& offset) override {
        return cache_.append(from, offset);
    }
    bool may_be_direct() const override { return cache_.has_file(); }
    Result<void> sync(bool contents) override {
        Result<void> done = inode()->sync(contents);
        TRY(cache_.write_errors().tell(errors_told_));
        return done;
    }
    Result<void> sync_range(uint64_t offset, uint64_t end, bool write) override {
        constexpr uint64_t kLast = UINT32_MAX;
        const auto first = static_cast<uint32_t>(std::min(offset >> kPageShift, kLast));
        const auto last = static_cast<uint32_t>(std::min((end - 1) >> kPageShift, kLast));
        if (write) {
            static_cast<void>(cache_.write_back(first, last));  // told to who waits
            return {};
        }
        cache_.wait_until_written(first, last);
        return cache_.write_errors().tell(errors_told_);
    }
    void expect(AccessPattern pattern) override { pattern_ = pattern; }
    void will_need(uint64_t offset, uint64_t end) override { cache_.will_need(offset, end); }
    void dont_need(uint64_t offset, uint64_t end) override { cache_.dont_need(offset, end); }
    Result<Ref<Pager>> pager() override { return cache_.hold(); }
    uint64_t end_offset() override { return cache_.size(); }

  private:
    PageCache& cache_;
    ErrorSequence::Told errors_told_;
    AccessPattern pattern_ = AccessPattern::normal;  // a single byte
};

class DirectoryFile final : public InodeFile {
  public:
    using InodeFile::InodeFile;
    bool may_be_direct() const override { return true; }
    bool seekable() const override { return true; }
    Result<uint32_t> read_at(ByteSink&, uint64_t) override { return Errno::isdir; }
    Result<uint32_t> write_at(ByteSource&, uint64_t) override { return Errno::isdir; }
    Result<uint64_t> list_at(DirectorySink& sink, uint64_t offset) override {
        if (path() && path().dentry().removed()) return Errno::noent;
        Result<uint64_t> next = inode()->list(sink, offset);
        note_read();
        if (next.is_ok()) happened(path(), kFileRead);
        return next;
    }
    Result<void> truncate(uint64_t) override { return Errno::isdir; }
    Result<void> sync(bool contents) override { return inode()->sync(contents); }
};

// O_PATH: only a place; the callers of read and write see from the flags that they may not.
class PathFile final : public InodeFile {
  public:
    using InodeFile::InodeFile;
};
