// inotify as calls. Spec: inotify_init(2), inotify_add_watch(2), inotify_rm_watch(2).
#include "fs/mount.hpp"
#include "kernel/linux/inotify.hpp"
#include "kernel/syscall/system_call.hpp"

Result<int> make_inotify(uint32_t flags);

namespace {

struct OpenInotify {
    Ref<File> file;
    Inotify* inotify;
};
Result<OpenInotify> inotify_of(int fd) {
    OpenInotify found{TRY(file_of(fd)), nullptr};
    if (found.file->flags() & kOpenPath) return Errno::badf;
    found.inotify = file_as<Inotify>(*found.file);
    return found.inotify ? Result(std::move(found)) : Errno::inval;
}

}  // namespace

Result<int> sys_inotify_init1(uint32_t flags) {
    if (flags & ~(kOpenCloseOnExec | kOpenNonBlock)) return Errno::inval;
    return make_inotify(flags);
}
Result<int> sys_inotify_init() { return make_inotify(0); }

Result<int> sys_inotify_add_watch(int fd, UserString name, uint32_t mask) {
    constexpr uint32_t kKnown = kWatchEvents | kFileUnmounted | kEventsLost | kWatchEnded |
                                kWatchOnlyDirectory | kWatchNoFollow | kWatchNotRemoved |
                                kWatchMakeOnly | kWatchAdd | kEventOfDirectory | kWatchOnce;
    if (!(mask & kKnown)) return Errno::inval;
    OpenInotify open = TRY(inotify_of(fd));
    if ((mask & kWatchAdd) && (mask & kWatchMakeOnly)) return Errno::inval;
    UserName file;
    TRY(file.load(kAtWorkingDirectory, name));
    const Path path = TRY(file.resolve(mask & kWatchNoFollow ? Follow::no : Follow::yes));
    if ((mask & kWatchOnlyDirectory) && !path.dentry().is_directory()) return Errno::notdir;
    TRY(vfs_access(context(), path, {}, kMayRead, Follow::yes));
    return open.inotify->watch(inode_of(path), mask);
}

Result<void> sys_inotify_rm_watch(int fd, int number) {
    return TRY(inotify_of(fd)).inotify->unwatch(number);
}

constexpr SystemCall kInotifyCalls[] = {
    CALL(291, inotify_init, sys_inotify_init),
    CALL(292, inotify_add_watch, sys_inotify_add_watch),
    CALL(293, inotify_rm_watch, sys_inotify_rm_watch),
    CALL(332, inotify_init1, sys_inotify_init1),
};
SYSTEM_CALLS_THAT_WAIT(kInotifyCalls);
