// A file system's journal: where it is and what its superblock says, once it was found and is empty.
// Locks: none; filled when it is mounted, and read only from then on.
#pragma once

#include "fs/ext2/ext2.hpp"
#include "fs/journal/log_map.hpp"
#include "fs/journal/superblock.hpp"

namespace ext2 {

struct JournalPlace {
    journal::Shape shape;  // with the sequence that comes next
    journal::LogMap map;   // of all its blocks; none of them is a block of metadata
};

// Finds it, and replays its log if that counts. Nobody else knows the file system yet.
class JournalLoader {
  public:
    explicit JournalLoader(Ext2& fs) : fs_(fs) {}
    // EINVAL: it is damaged, or has features that we don't know; reason() tells, and nothing was
    // written. EIO, ENOMEM: it can be done again.
    Result<void> run(bool needs_recovery);
    std::string_view reason() const { return text_.view(); }
    bool has_error() const { return has_error_; }  // its writer left an error in it
    Result<Box<JournalPlace>> release_place() { return make_box<JournalPlace>(std::move(place_)); }

  private:
    template <typename... Args>
    Errno refuse(std::string_view format, const Args&... args) {
        format_to(text_, format, args...);
        return Errno::inval;
    }
    Result<void> find();
    template <typename F>
    Result<void> change_superblock(F&& change);

    Ext2& fs_;
    JournalPlace place_{};
    bool has_error_ = false;
    Vector<uint8_t> block_;  // the journal's superblock
    char buffer_[160];
    BufferSink text_{buffer_};
};

}  // namespace ext2
