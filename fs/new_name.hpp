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
    // What is not a directory: a user must not get a program that runs with the rights of a foreign group.
    uint32_t mode(uint32_t wanted) const {
        const bool program = (wanted & (kModeSetGid | 010)) == (kModeSetGid | 010);
        const bool stranger =
            copied_ && !who_.may(Capability::fsetid) && !who_.in_group(copy_.fsgid);
        return program && stranger ? wanted & ~kModeSetGid : wanted;
    }

  private:
    const Credentials& who_;
    Credentials copy_;
    bool copied_ = false;
};

// The directory's `names` is held. EROFS, ENOENT (it was removed), EACCES.
Result<NewOwner> may_create(const FsContext& who, const Mount& mount, Dentry& directory);

// Also EPERM for another user's file in a sticky directory and what is protected, EBUSY for a mount point, and ENOTDIR
// or EISDIR when the victim is not of the kind the call removes.
Result<void> may_remove(const FsContext& who, const Mount& mount, Dentry& directory, Dentry& victim,
                        bool wants_directory);
