// See path.hpp.
#include "fs/path.hpp"

#include "fs/mount.hpp"

Path::Path(Ref<Mount> mount, Ref<Dentry> dentry) : mount_(mount.leak()), dentry_(dentry.leak()) {}

Path::Path(const Path& other) : mount_(other.mount_), dentry_(other.dentry_) {
    if (mount_) mount_->add_ref();
    if (dentry_) dentry_->add_ref();
}

Path::Path(Path&& other)
    : mount_(std::exchange(other.mount_, nullptr)),
      dentry_(std::exchange(other.dentry_, nullptr)) {}

Path& Path::operator=(Path other) {
    std::swap(mount_, other.mount_);
    std::swap(dentry_, other.dentry_);
    return *this;
}

Path::~Path() {
    Ref<Dentry>::adopt(dentry_);
    Ref<Mount>::adopt(mount_);
}
