// Extended attributes: no file system here has them. Spec: xattr(7), getxattr(2), setxattr(2).
#include "kernel/syscall/system_call.hpp"

namespace {

Result<void> no_xattr(UserString name, Follow follow) {
    UserName file;
    TRY(file.load(kAtWorkingDirectory, name));
    TRY(file.resolve(follow));
    return Errno::opnotsupp;
}

}  // namespace

Result<void> sys_no_xattr(UserString name) { return no_xattr(name, Follow::yes); }

Result<void> sys_no_lxattr(UserString name) { return no_xattr(name, Follow::no); }

Result<void> sys_no_fxattr(int fd) {
    if (TRY(file_of(fd))->flags() & kOpenPath) return Errno::badf;
    return Errno::opnotsupp;
}

constexpr SystemCall kExtendedAttributeCalls[] = {
    CALL(226, setxattr, sys_no_xattr),      CALL(227, lsetxattr, sys_no_lxattr),
    CALL(228, fsetxattr, sys_no_fxattr),    CALL(229, getxattr, sys_no_xattr),
    CALL(230, lgetxattr, sys_no_lxattr),    CALL(231, fgetxattr, sys_no_fxattr),
    CALL(232, listxattr, sys_no_xattr),     CALL(233, llistxattr, sys_no_lxattr),
    CALL(234, flistxattr, sys_no_fxattr),   CALL(235, removexattr, sys_no_xattr),
    CALL(236, lremovexattr, sys_no_lxattr), CALL(237, fremovexattr, sys_no_fxattr),
};
SYSTEM_CALLS_THAT_WAIT(kExtendedAttributeCalls);
