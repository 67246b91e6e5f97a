// TextFile: a file whose contents are made by a function when its beginning is read, and
// then stay the same for that reader, so that a reader in small pieces sees one consistent text.
// Locks: `lock_` (rank proc_text) guards the text; it is held while the function runs.
#pragma once

#include "fs/cached_file.hpp"
#include "fs/proc/proc_entry.hpp"

// Text of any length, in blocks that are never copied. Out of memory is remembered, the rest dropped.
class TextBuffer final : public TextSink {
  public:
    TextBuffer() = default;
    TextBuffer(const TextBuffer&) = delete;
    TextBuffer& operator=(const TextBuffer&) = delete;
    ~TextBuffer() { clear(); }
    void put(std::string_view text) override;
    void clear();
    bool failed() const { return failed_; }
    // From this byte on, as much as `to` takes. EFAULT: not a byte of what there is.
    Result<uint32_t> read(ByteSink& to, uint64_t offset) const;

  private:
    struct Block {
        Block* next;
        uint32_t size, used;
        char text[];
    };
    bool grow();

    Block *first_ = nullptr, *last_ = nullptr;
    bool failed_ = false;
};

class TextFile final : public InodeFile {
  public:
    TextFile(uint32_t flags, Inode& inode, const ProcEntry& entry, const ProcTarget& target)
        : InodeFile(flags, inode), entry_(entry), target_(target) {}
    bool seekable() const override { return true; }
    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override;
    // All of a setting's new value in one write.
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset) override;
    Result<void> truncate(uint64_t) override { return {}; }
    Result<void> render();

  private:
    Result<void> check_user() const;
    Result<void> render_locked() REQUIRES(lock_);
    Result<void> store(std::string_view text);

    const ProcEntry& entry_;
    const ProcTarget target_;
    Mutex lock_{LockRank::proc_text};
    TextBuffer text_ GUARDED_BY(lock_);
    bool rendered_ GUARDED_BY(lock_) = false;
};
