// Swap areas: disks, and files whose blocks are all there. Spec: swapon(2), swapoff(2).
#include "fs/vfs.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/syscall/system_call.hpp"
#include "mm/swap.hpp"

namespace {

// A file that is an area: open, so that its file system stays mounted.
struct SwapFile {
    Ref<File> file;
    Box<BlockDevice> blocks;
    SwapFile* next = nullptr;
};

constinit Mutex lock{LockRank::swap_calls};
constinit SwapFile* files GUARDED_BY(lock) = nullptr;

Result<void> add_file(const Path& path, int priority, std::string_view name) REQUIRES(lock) {
    if ((inode_of(path).ownership().mode & kTypeMask) != kTypeRegular) return Errno::inval;
    Box<SwapFile> fresh = TRY(make_box<SwapFile>());
    fresh->file = TRY(open_path(context(), path, kOpenReadWrite));
    fresh->blocks = TRY(inode_of(path).as_device());
    TRY(swap_on(*fresh->blocks, priority, name, true));
    fresh->next = files;
    files = fresh.leak();
    return {};
}

Result<void> remove_file(const Inode& inode) REQUIRES(lock) {
    for (SwapFile** at = &files; *at; at = &(*at)->next) {
        if (&inode_of((*at)->file->path()) != &inode) continue;
        TRY(swap_off(*(*at)->blocks));
        Box<SwapFile> gone(*at);
        *at = gone->next;
        return {};
    }
    return Errno::inval;
}

Result<Path> area_named(std::string_view name) {
    if (!context().credentials.may(Capability::sys_admin)) return Errno::perm;
    return resolve(context(), context().cwd, name, Follow::yes);
}

}  // namespace

Result<void> sys_swapon(UserString name, uint32_t flags) {
    constexpr uint32_t kPrefer = 0x8000, kPriority = 0x7fff, kDiscard = 0x70000;
    if (flags & ~(kPrefer | kPriority | kDiscard)) return Errno::inval;
    UserText text;
    const std::string_view named = TRY(text.copy(name));
    const Path path = TRY(area_named(named));
    const int priority = flags & kPrefer ? static_cast<int>(flags & kPriority) : -1;
    char room[128];
    const Result<std::string_view> full = path_name(context(), path, room);
    const std::string_view shown = full.is_ok() ? full.value() : named;
    LockGuard guard(lock);
    Result<BlockDevice*> device = device_named(context(), named);
    if (device.is_ok()) return swap_on(*device.value(), priority, shown, false);
    if (device.error() != Errno::notblk) return device.error();
    return add_file(path, priority, shown);
}

Result<void> sys_swapoff(UserString name) {
    UserText text;
    const std::string_view named = TRY(text.copy(name));
    const Path path = TRY(area_named(named));
    LockGuard guard(lock);
    Result<BlockDevice*> device = device_named(context(), named);
    if (device.is_ok()) return swap_off(*device.value());
    if (device.error() != Errno::notblk) return device.error();
    return remove_file(inode_of(path));
}

constexpr SystemCall kSwapCalls[] = {
    CALL(87, swapon, sys_swapon),
    CALL(115, swapoff, sys_swapoff),
};
SYSTEM_CALLS(kSwapCalls);
