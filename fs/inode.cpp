// See inode.hpp: what a file system that does not know better says.
#include "fs/inode.hpp"

#include "drivers/block.hpp"
#include "fs/fifo_hook.hpp"

void SetAttributes::apply(Attributes& to, const Timestamp& now) const {
    if (set_mode) to.mode = (to.mode & kTypeMask) | (mode & 07777);
    if (set_uid) to.uid = uid;
    if (set_gid) to.gid = gid;
    if (set_accessed) to.accessed = accessed;
    if (set_modified) to.modified = modified;
    to.changed = now;
}

Ownership Inode::ownership() {
    Attributes all = attributes();
    return {all.mode, all.uid, all.gid};
}

Result<Ref<Inode>> Inode::lookup_child(std::string_view) { return Errno::notdir; }
Result<Ref<Inode>> Inode::create_child(std::string_view, uint32_t, const Credentials&, uint32_t) {
    return Errno::rofs;
}
Result<Ref<Inode>> Inode::create_symlink(std::string_view, std::string_view, const Credentials&) {
    return Errno::rofs;
}
Result<Ref<Inode>> Inode::create_nameless(uint32_t, const Credentials&) { return Errno::opnotsupp; }
Result<void> Inode::link_child(std::string_view, Inode&) { return Errno::rofs; }
Result<void> Inode::remove_child(std::string_view, Inode&, bool) { return Errno::rofs; }
Result<void> Inode::rename_child(std::string_view, Inode&, Inode&, std::string_view, Inode*) {
    return Errno::rofs;
}
Result<void> Inode::exchange_children(std::string_view, Inode&, Inode&, std::string_view, Inode&) {
    return Errno::inval;
}
Result<uint64_t> Inode::list(DirectorySink&, uint64_t) { return Errno::notdir; }
Result<uint32_t> Inode::read_link(std::span<char>) { return Errno::inval; }
Result<void> Inode::set_attributes(const SetAttributes&) { return Errno::rofs; }
Result<uint32_t> Inode::flags() { return Errno::notty; }
Result<void> Inode::set_flags(uint32_t) { return Errno::notty; }
Result<Box<BlockDevice>> Inode::as_device() { return Errno::inval; }
Result<void> Inode::truncate(uint64_t) { return Errno::inval; }
Result<void> Inode::sync(bool) { return {}; }

Result<void> Inode::take_turn(int32_t step) {
    int32_t now = turns_.relaxed();
    do {
        if (step > 0 ? now < 0 : now > 0) return Errno::txtbsy;
    } while (!turns_.replace(now, now + step));
    return {};
}

Result<void> drop_privileges(Inode& inode) {
    const Ownership now = inode.ownership();
    const uint32_t lost = now.mode & (kModeSetUid | ((now.mode & 010) ? kModeSetGid : 0));
    if (!lost || (now.mode & kTypeMask) != kTypeRegular) return {};
    SetAttributes changes;
    changes.set_mode = true;
    changes.mode = now.mode & 07777 & ~lost;
    return inode.set_attributes(changes);
}

Result<Ref<File>> (*open_fifo)(Inode& node, uint32_t flags) = nullptr;
