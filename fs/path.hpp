// Path: a place in the tree of names: a directory entry (Dentry) as seen through a mount.
#pragma once

#include "kernel/lib/ref.hpp"

class Dentry;
class Mount;

class Path {
  public:
    Path() = default;
    Path(Ref<Mount> mount, Ref<Dentry> dentry);
    Path(const Path& other);
    Path(Path&& other);
    Path& operator=(Path other);
    ~Path();
    Mount& mount() const { return *mount_; }
    Dentry& dentry() const { return *dentry_; }
    explicit operator bool() const { return dentry_ != nullptr; }
    bool operator==(const Path& other) const {
        return mount_ == other.mount_ && dentry_ == other.dentry_;
    }

  private:
    // Plain pointers with counted references, so that this header needs neither class.
    Mount* mount_ = nullptr;
    Dentry* dentry_ = nullptr;
};
