// The checks that all calls which change a directory share.
#pragma once

#include "fs/lookup.hpp"

// Who owns what is created in a directory: a set-group-id directory gives its group.
class NewOwner {
  public:
    explicit NewOwner(const Credentials& who) : who_(who) {}
    void set_group(uint32_t group) {
        copy_ = who_;
        copy_.fsgid = group;
        copied_ = true;
    }
    const Credentials& credentials() const { return copied_ ? copy_ : who_; }
    bool inherits_group() const { return copied_; }

  private:
    const Credentials& who_;
    Credentials copy_;
    bool copied_ = false;
};

// The directory's `names` is held. EROFS, ENOENT (it was removed), EACCES.
Result<NewOwner> may_create(const FsContext& who, const Mount& mount, Dentry& directory);

// Also EPERM for somebody else's file in a sticky directory, EBUSY for a mount point, and ENOTDIR
// or EISDIR when the victim is not of the kind the call removes.
Result<void> may_remove(const FsContext& who, const Mount& mount, Dentry& directory, Dentry& victim,
                        bool wants_directory);
