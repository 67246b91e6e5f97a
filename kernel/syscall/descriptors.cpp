// Descriptors and open files as such: duplicating, closing, flags, ioctl, pipes.
// Spec: dup(2), fcntl(2), ioctl(2), pipe(2), close_range(2).
#include "kernel/ipc/pipe.hpp"
#include "kernel/syscall/system_call.hpp"

Result<void> sys_close(int fd) { return current_process().files->close(fd); }

Result<void> sys_close_range(uint32_t first, uint32_t last, uint32_t flags) {
    constexpr uint32_t kUnshare = 2, kCloseOnExec = 4;
    if (first > last || (flags & ~(kUnshare | kCloseOnExec))) return Errno::inval;
    Process& process = current_process();
    if (flags & kUnshare) process.files = TRY(process.files->clone());
    if (first > INT32_MAX) return {};
    FdTable& files = *process.files;
    for (int fd = files.next_open(static_cast<int>(first));
         fd >= 0 && static_cast<uint32_t>(fd) <= last; fd = files.next_open(fd + 1)) {
        if (flags & kCloseOnExec)
            static_cast<void>(files.set_close_on_exec(fd, true));
        else
            static_cast<void>(files.close(fd));
    }
    return {};
}

// --- duplicates

Result<int> sys_dup(int fd) { return install(TRY(file_of(fd)), false); }

Result<int> sys_dup2(int from, int to) {
    Ref<File> file = TRY(file_of(from));
    if (from == to) return to;
    TRY(current_process().files->install_at(to, std::move(file), false,
                                            current_process().fd_limit()));
    return to;
}

Result<int> sys_dup3(int from, int to, uint32_t flags) {
    if (from == to || (flags & ~kOpenCloseOnExec)) return Errno::inval;
    Process& process = current_process();
    TRY(process.files->install_at(to, TRY(file_of(from)), flags & kOpenCloseOnExec,
                                  process.fd_limit()));
    return to;
}

// --- fcntl

namespace {

enum FcntlCommand : uint32_t {
    dup_fd = 0,
    get_fd = 1,
    set_fd = 2,
    get_flags = 3,
    set_flags = 4,
    dup_fd_close_on_exec = 1030,
    set_pipe_bytes = 1031,
    get_pipe_bytes = 1032,
};
constexpr uint32_t kFdCloseOnExec = 1;
Result<int> duplicate_from(Ref<File> file, uint32_t minimum, bool close_on_exec) {
    Process& process = current_process();
    if (minimum >= process.fd_limit()) return Errno::inval;
    return process.files->install(std::move(file), close_on_exec, process.fd_limit(),
                                  static_cast<int>(minimum));
}

Result<void> change_flags(File& file, int fd, uint32_t flags) {
    constexpr uint32_t kChangeable = kOpenAppend | kOpenNonBlock | kOpenDirect | kOpenNoAtime;
    if ((file.flags() ^ flags) & kOpenAppend && file.inode() &&
        file.inode()->ownership().append_only)
        return Errno::perm;
    if (flags & kOpenDirect && !file.may_be_direct()) return Errno::inval;
    if (((file.flags() ^ flags) & kOpenAsync) && file.pollable())
        TRY(set_asynchronous(file, fd, flags & kOpenAsync));
    file.set_flags((file.flags() & ~kChangeable) | (flags & kChangeable));
    return {};
}

}  // namespace

Result<int> (*other_fcntl)(File&, int, uint32_t, uint32_t) = [](File&, int, uint32_t, uint32_t) {
    return Result<int>(Errno::inval);
};
Result<void> (*set_asynchronous)(File&, int, bool) = [](File&, int, bool) {
    return Result<void>();
};

Result<int> sys_fcntl64(int fd, uint32_t command, uint32_t argument) {
    Ref<File> file = TRY(file_of(fd));
    FdTable& files = *current_process().files;
    bool only_path = file->flags() & kOpenPath;
    switch (command) {
        case dup_fd: return duplicate_from(std::move(file), argument, false);
        case dup_fd_close_on_exec: return duplicate_from(std::move(file), argument, true);
        case get_fd: return static_cast<int>(TRY(files.close_on_exec(fd)));
        case set_fd: TRY(files.set_close_on_exec(fd, argument & kFdCloseOnExec)); return 0;
        case get_flags: return static_cast<int>(file->flags());
        default: break;
    }
    if (only_path) return Errno::badf;
    switch (command) {
        case set_flags: TRY(change_flags(*file, fd, argument)); return 0;
        case get_pipe_bytes: return static_cast<int>(TRY(pipe_capacity(*file)));
        case set_pipe_bytes:
            return static_cast<int>(TRY(set_pipe_capacity(
                *file, argument, context().credentials.may(Capability::sys_resource))));
        default: return other_fcntl(*file, fd, command, argument);
    }
}

// chattr(1), lsattr(1). False: it is not that kind of file.
static Result<bool> flags_ioctl(File& file, bool change, uint32_t argument) {
    const uint32_t type = TRY(file.attributes()).mode & kTypeMask;
    if (!file.path() || (type != kTypeRegular && type != kTypeDirectory)) return false;
    const UserPtr<uint32_t> user(argument);
    if (change)
        TRY(vfs_set_flags(context(), file.path(), TRY(read_user(user))));
    else
        TRY(write_user(user, TRY(inode_of(file.path()).flags())));
    return true;
}

// No file system here lets files share blocks; what is wrong with the files is told first.
// Spec: ioctl_ficlonerange(2).
static Result<int32_t> clone_blocks(File& to, int fd) {
    const Ref<File> from = TRY(file_of(fd));
    if (from->flags() & kOpenPath) return Errno::badf;
    if (!from->inode() || !to.inode()) return Errno::inval;
    if (&from->inode()->file_system() != &to.inode()->file_system()) return Errno::xdev;
    for (File* file : {from.get(), &to}) {
        const uint32_t type = file->inode()->ownership().mode & kTypeMask;
        if (type != kTypeRegular) return type == kTypeDirectory ? Errno::isdir : Errno::inval;
    }
    if (!from->readable() || !to.writable() || (to.flags() & kOpenAppend)) return Errno::badf;
    return Errno::opnotsupp;
}

Result<int32_t> sys_ioctl(int fd, uint32_t request, uint32_t argument) {
    constexpr uint32_t kNoCloseOnExec = 0x5450, kCloseOnExec = 0x5451, kNonBlock = 0x5421,
                       kAsync = 0x5452, kFindBlock = 1, kGetFlags = 0x80046601,
                       kSetFlags = 0x40046602, kClone = 0x40049409, kCloneRange = 0x4020940d;
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    switch (request) {
        case kNoCloseOnExec:
        case kCloseOnExec:
            TRY(current_process().files->set_close_on_exec(fd, request == kCloseOnExec));
            return 0;
        case kNonBlock: {
            bool on = TRY(read_user(UserPtr<int32_t>(argument))) != 0;
            file->set_flags(on ? file->flags() | kOpenNonBlock : file->flags() & ~kOpenNonBlock);
            return 0;
        }
        case kAsync: {
            const bool on = TRY(read_user(UserPtr<int32_t>(argument))) != 0;
            if (!file->pollable()) return Errno::notty;
            TRY(set_asynchronous(*file, fd, on));
            return 0;
        }
        case kGetFlags:
        case kSetFlags:
            if (TRY(flags_ioctl(*file, request == kSetFlags, argument))) return 0;
            return file->ioctl(request, argument);
        case kClone: return clone_blocks(*file, static_cast<int>(argument));
        case kCloneRange: {
            const int64_t from = TRY(read_user(UserPtr<int64_t>(argument)));
            return clone_blocks(*file, static_cast<int>(from));
        }
        case kFindBlock:
            if (!context().credentials.may(Capability::sys_rawio)) return Errno::perm;
            [[fallthrough]];
        default: return file->ioctl(request, argument);
    }
}

// --- pipes

Result<void> install_pair(Ref<File> first, Ref<File> second, bool close_on_exec,
                          UserPtr<PipeDescriptors> to) {
    FdTable& files = *current_process().files;
    PipeDescriptors numbers{};
    numbers.read = TRY(install(std::move(first), close_on_exec));
    Result<int> other = install(std::move(second), close_on_exec);
    if (other.is_error()) {
        static_cast<void>(files.close(numbers.read));
        return other.error();
    }
    numbers.write = other.value();
    Result<void> told = write_user(to, numbers);
    if (told.is_error()) {
        static_cast<void>(files.close(numbers.read));
        static_cast<void>(files.close(numbers.write));
    }
    return told;
}

Result<void> sys_pipe2(UserPtr<PipeDescriptors> to, uint32_t flags) {
    if (flags & ~(kOpenCloseOnExec | kOpenNonBlock)) return Errno::inval;
    PipeEnds ends = TRY(make_pipe(flags & kOpenNonBlock));
    return install_pair(std::move(ends.reader), std::move(ends.writer), flags & kOpenCloseOnExec,
                        to);
}
Result<void> sys_pipe(UserPtr<PipeDescriptors> to) { return sys_pipe2(to, 0); }

constexpr SystemCall kDescriptorsCalls[] = {
    CALL(6, close, sys_close),       CALL(41, dup, sys_dup),
    CALL(42, pipe, sys_pipe),        CALL(54, ioctl, sys_ioctl),
    CALL(55, fcntl, sys_fcntl64),    CALL(63, dup2, sys_dup2),
    CALL(221, fcntl64, sys_fcntl64), CALL(330, dup3, sys_dup3),
    CALL(331, pipe2, sys_pipe2),     CALL(436, close_range, sys_close_range),
};
SYSTEM_CALLS(kDescriptorsCalls);
