// The handlers of all system calls, by file. A signature says how the call's registers are to be
// read (dispatch.cpp): in the order ebx ecx edx esi edi ebp; 64-bit integers take two, low half
// first. What is left out is ignored. 16: the variant with 16-bit ids. Those of inter-process
// communication are in ipc_handlers.hpp.
// Locks: handlers are called with none, and with interrupts on.
#pragma once

#include "kernel/syscall/arguments.hpp"
#include "kernel/syscall/time_types.hpp"

// Names of files. Not a type of its own, but shorter.
using UserString = UserPtr<const char>;

// --- read_write.cpp
Result<uint32_t> sys_read(int fd, UserPtr<void> to, uint32_t count);
Result<uint32_t> sys_write(int fd, UserPtr<void> from, uint32_t count);
Result<uint32_t> sys_readv(int fd, UserPtr<const UserRange> vector, uint32_t count);
Result<uint32_t> sys_writev(int fd, UserPtr<const UserRange> vector, uint32_t count);
Result<uint32_t> sys_pread64(int fd, UserPtr<void> to, uint32_t count, uint64_t position);
Result<uint32_t> sys_pwrite64(int fd, UserPtr<void> from, uint32_t count, uint64_t position);
Result<uint32_t> sys_preadv(int fd, UserPtr<const UserRange> vector, uint32_t count,
                            uint64_t position);
Result<uint32_t> sys_pwritev(int fd, UserPtr<const UserRange> vector, uint32_t count,
                             uint64_t position);
Result<uint32_t> sys_preadv2(int fd, UserPtr<const UserRange> vector, uint32_t count,
                             uint64_t position, uint32_t flags);
Result<uint32_t> sys_pwritev2(int fd, UserPtr<const UserRange> vector, uint32_t count,
                              uint64_t position, uint32_t flags);
Result<uint32_t> sys_lseek(int fd, int32_t offset, int whence);
Result<void> sys_llseek(int fd, uint32_t high, uint32_t low, UserPtr<uint64_t> result, int whence);
Result<uint32_t> sys_sendfile(int out, int in, UserPtr<int32_t> offset, uint32_t count);
Result<uint32_t> sys_sendfile64(int out, int in, UserPtr<int64_t> offset, uint32_t count);
Result<uint32_t> sys_copy_file_range(int in_fd, UserPtr<int64_t> in_offset, int out_fd,
                                     UserPtr<int64_t> out_offset, uint32_t count, uint32_t flags);
Result<void> sys_fallocate(int fd, uint32_t mode, int64_t offset, int64_t bytes);

// --- descriptors.cpp
struct PipeDescriptors {
    int read, write;
};
Result<void> sys_close(int fd);
Result<void> sys_close_range(uint32_t first, uint32_t last, uint32_t flags);
Result<int> sys_dup(int fd);
Result<int> sys_dup2(int from, int to);
Result<int> sys_dup3(int from, int to, uint32_t flags);
Result<int> sys_fcntl64(int fd, uint32_t command, uint32_t argument);
Result<void> sys_flock(int fd, uint32_t operation);
Result<int32_t> sys_ioctl(int fd, uint32_t request, uint32_t argument);
Result<void> sys_pipe(UserPtr<PipeDescriptors> to);
Result<int> sys_eventfd(uint32_t initial);
Result<int> sys_eventfd2(uint32_t initial, uint32_t flags);
Result<void> sys_pipe2(UserPtr<PipeDescriptors> to, uint32_t flags);
// Gives both a number, and tells the numbers; all or nothing.
Result<void> install_pair(Ref<File> first, Ref<File> second, bool close_on_exec,
                          UserPtr<PipeDescriptors> to);
Result<void> sys_fsync(int fd);
Result<void> sys_fdatasync(int fd);
void sys_sync();
Result<void> sys_syncfs(int fd);
Result<void> sys_ftruncate(int fd, int32_t size);
Result<void> sys_ftruncate64(int fd, int64_t size);
Result<void> sys_fadvise64(int fd, uint64_t offset, uint32_t length, uint32_t advice);
Result<void> sys_fadvise64_64(int fd, uint64_t offset, uint64_t length, uint32_t advice);
Result<void> sys_sync_file_range(int fd, int64_t offset, int64_t bytes, uint32_t flags);
Result<void> sys_readahead(int fd, uint64_t offset, uint32_t count);

// --- directories.cpp
Result<uint32_t> sys_getdents(int fd, UserPtr<void> to, uint32_t bytes);
Result<uint32_t> sys_getdents64(int fd, UserPtr<void> to, uint32_t bytes);

// --- names.cpp
Result<int> sys_open(UserString name, uint32_t flags, uint32_t mode);
Result<int> sys_openat(int at, UserString name, uint32_t flags, uint32_t mode);
Result<int> sys_creat(UserString name, uint32_t mode);
Result<void> sys_mkdir(UserString name, uint32_t mode);
Result<void> sys_mkdirat(int at, UserString name, uint32_t mode);
Result<void> sys_mknod(UserString name, uint32_t mode, uint32_t device);
Result<void> sys_mknodat(int at, UserString name, uint32_t mode, uint32_t device);
Result<void> sys_unlink(UserString name);
Result<void> sys_unlinkat(int at, UserString name, uint32_t flags);
Result<void> sys_rmdir(UserString name);
Result<void> sys_link(UserString old_name, UserString new_name);
Result<void> sys_linkat(int old_at, UserString old_name, int new_at, UserString new_name,
                        uint32_t flags);
Result<void> sys_symlink(UserString target, UserString name);
Result<void> sys_symlinkat(UserString target, int at, UserString name);
Result<uint32_t> sys_readlink(UserString name, UserPtr<char> to, uint32_t bytes);
Result<uint32_t> sys_readlinkat(int at, UserString name, UserPtr<char> to, uint32_t bytes);
Result<void> sys_rename(UserString old_name, UserString new_name);
Result<void> sys_renameat(int old_at, UserString old_name, int new_at, UserString new_name);
Result<void> sys_renameat2(int old_at, UserString old_name, int new_at, UserString new_name,
                           uint32_t flags);
Result<void> sys_chdir(UserString name);
Result<void> sys_fchdir(int fd);
Result<void> sys_chroot(UserString name);
Result<uint32_t> sys_getcwd(UserPtr<char> to, uint32_t bytes);
uint32_t sys_umask(uint32_t mask);
Result<void> sys_mount(UserString source, UserString target, UserString type, uint32_t flags,
                       UserString options);
Result<void> sys_umount(UserString target);
Result<void> sys_umount2(UserString target, uint32_t flags);

// --- swap.cpp
Result<void> sys_swapon(UserString name, uint32_t flags);
Result<void> sys_swapoff(UserString name);

// --- stat.cpp
struct Stat;
struct Stat64;
struct Statx;
struct StatFs;
struct StatFs64;
Result<void> sys_stat(UserString name, UserPtr<Stat> to);
Result<void> sys_lstat(UserString name, UserPtr<Stat> to);
Result<void> sys_fstat(int fd, UserPtr<Stat> to);
Result<void> sys_stat64(UserString name, UserPtr<Stat64> to);
Result<void> sys_lstat64(UserString name, UserPtr<Stat64> to);
Result<void> sys_fstat64(int fd, UserPtr<Stat64> to);
Result<void> sys_fstatat64(int at, UserString name, UserPtr<Stat64> to, uint32_t flags);
Result<void> sys_statx(int at, UserString name, uint32_t flags, uint32_t mask, UserPtr<Statx> to);
Result<void> sys_access(UserString name, uint32_t mode);
Result<void> sys_faccessat(int at, UserString name, uint32_t mode);
Result<void> sys_faccessat2(int at, UserString name, uint32_t mode, uint32_t flags);
Result<void> sys_statfs(UserString name, UserPtr<StatFs> to);
Result<void> sys_fstatfs(int fd, UserPtr<StatFs> to);
Result<void> sys_statfs64(UserString name, uint32_t size, UserPtr<StatFs64> to);
Result<void> sys_fstatfs64(int fd, uint32_t size, UserPtr<StatFs64> to);

// --- attributes.cpp
Result<void> sys_chmod(UserString name, uint32_t mode);
Result<void> sys_fchmod(int fd, uint32_t mode);
Result<void> sys_fchmodat(int at, UserString name, uint32_t mode);
Result<void> sys_chown(UserString name, uint32_t uid, uint32_t gid);
Result<void> sys_lchown(UserString name, uint32_t uid, uint32_t gid);
Result<void> sys_fchown(int fd, uint32_t uid, uint32_t gid);
Result<void> sys_fchownat(int at, UserString name, uint32_t uid, uint32_t gid, uint32_t flags);
Result<void> sys_chown16(UserString name, uint16_t uid, uint16_t gid);
Result<void> sys_lchown16(UserString name, uint16_t uid, uint16_t gid);
Result<void> sys_fchown16(int fd, uint16_t uid, uint16_t gid);
template <typename T>
Result<void> sys_utimensat(int at, UserString name, UserPtr<const TimePair<T>> times,
                           uint32_t flags);
Result<void> sys_futimesat(int at, UserString name, UserPtr<const TimePair<TimeVal32>> times);
Result<void> sys_utimes(UserString name, UserPtr<const TimePair<TimeVal32>> times);
Result<void> sys_utime(UserString name, UserPtr<const TimePair<int32_t>> times);
Result<void> sys_truncate(UserString name, int32_t size);
Result<void> sys_truncate64(UserString name, int64_t size);
Result<void> sys_no_xattr(UserString name);
Result<void> sys_no_lxattr(UserString name);
Result<void> sys_no_fxattr(int fd);

// --- processes.cpp
struct ChildInfo;
struct Rusage;
struct Tms;
Result<int> sys_fork(TrapFrame& frame);
Result<int> sys_vfork(TrapFrame& frame);
Result<int> sys_clone(TrapFrame& frame, uint32_t flags, uint32_t stack, uint32_t parent_tid,
                      uint32_t tls, uint32_t child_tid);
Result<void> sys_execve(UserString name, UserPtr<uint32_t> arguments,
                        UserPtr<uint32_t> environment);
[[noreturn]] void sys_exit(int code);
[[noreturn]] void sys_exit_group(int code);
Result<int> sys_wait4(int pid, UserPtr<int> status, uint32_t options, UserPtr<Rusage> usage);
Result<int> sys_waitpid(int pid, UserPtr<int> status, uint32_t options);
Result<void> sys_waitid(uint32_t kind, int id, UserPtr<ChildInfo> info, uint32_t options,
                        UserPtr<Rusage> usage);
Result<void> sys_getrusage(int who, UserPtr<Rusage> to);
Result<uint32_t> sys_times(UserPtr<Tms> to);
int sys_getpid();
int sys_getppid();
int sys_gettid();
int sys_getpgrp();
Result<int> sys_getpgid(int pid);
Result<int> sys_getsid(int pid);
Result<void> sys_setpgid(int pid, int pgid);
Result<int> sys_setsid();
int sys_set_tid_address(uint32_t address);
Result<uint32_t> sys_modify_ldt(uint32_t function, UserPtr<void> memory, uint32_t bytes);
Result<void> sys_set_thread_area(UserPtr<void> description);
Result<void> sys_get_thread_area(UserPtr<void> description);
uint32_t sys_personality(uint32_t wanted);

// --- prctl.cpp
Result<int> sys_prctl(uint32_t what, uint32_t value, uint32_t third, uint32_t fourth,
                      uint32_t fifth);

// --- limits.cpp
struct Rlimit;
struct Rlimit64;
Result<void> sys_setrlimit(uint32_t which, UserPtr<const Rlimit> from);
Result<void> sys_getrlimit(uint32_t which, UserPtr<Rlimit> to);
Result<void> sys_ugetrlimit(uint32_t which, UserPtr<Rlimit> to);
Result<void> sys_prlimit64(int pid, uint32_t which, UserPtr<const Rlimit64> from,
                           UserPtr<Rlimit64> to);
Result<int> sys_getpriority(uint32_t whose, int who);
Result<void> sys_setpriority(uint32_t whose, int who, int nice);
Result<void> sys_nice(int change);

// --- scheduling.cpp
struct SchedAttributes;
void sys_sched_yield();
Result<void> sys_sched_setscheduler(int tid, uint32_t wanted, UserPtr<const int> priority);
Result<int> sys_sched_getscheduler(int tid);
Result<void> sys_sched_setparam(int tid, UserPtr<const int> priority);
Result<void> sys_sched_getparam(int tid, UserPtr<int> priority);
Result<void> sys_sched_setattr(int tid, UserPtr<SchedAttributes> from, uint32_t flags);
Result<void> sys_sched_getattr(int tid, UserPtr<SchedAttributes> to, uint32_t size, uint32_t flags);
template <typename T>
Result<void> sys_sched_rr_get_interval(int tid, UserPtr<T> to);
Result<int> sys_sched_get_priority_max(uint32_t c);
Result<int> sys_sched_get_priority_min(uint32_t c);
Result<void> sys_sched_setaffinity(int tid, uint32_t bytes, UserPtr<const uint32_t> mask);
Result<uint32_t> sys_sched_getaffinity(int tid, uint32_t bytes, UserPtr<uint32_t> mask);
Result<void> sys_getcpu(UserPtr<uint32_t> cpu, UserPtr<uint32_t> node);

// --- identity.cpp
struct CapabilityHeader;
struct CapabilitySet;
uint32_t sys_getuid();
uint32_t sys_geteuid();
uint32_t sys_getgid();
uint32_t sys_getegid();
Result<void> sys_setuid(uint32_t id);
Result<void> sys_setgid(uint32_t id);
Result<void> sys_setreuid(uint32_t real, uint32_t effective);
Result<void> sys_setregid(uint32_t real, uint32_t effective);
Result<void> sys_setresuid(uint32_t real, uint32_t effective, uint32_t saved);
Result<void> sys_setresgid(uint32_t real, uint32_t effective, uint32_t saved);
Result<void> sys_getresuid(UserPtr<uint32_t> real, UserPtr<uint32_t> effective,
                           UserPtr<uint32_t> saved);
Result<void> sys_getresgid(UserPtr<uint32_t> real, UserPtr<uint32_t> effective,
                           UserPtr<uint32_t> saved);
uint32_t sys_setfsuid(uint32_t id);
uint32_t sys_setfsgid(uint32_t id);
Result<uint32_t> sys_getgroups(int room, UserPtr<uint32_t> to);
Result<void> sys_setgroups(uint32_t count, UserPtr<const uint32_t> from);
uint32_t sys_getuid16();
uint32_t sys_geteuid16();
uint32_t sys_getgid16();
uint32_t sys_getegid16();
Result<void> sys_setuid16(uint16_t id);
Result<void> sys_setgid16(uint16_t id);
Result<void> sys_setreuid16(uint16_t real, uint16_t effective);
Result<void> sys_setregid16(uint16_t real, uint16_t effective);
Result<void> sys_setresuid16(uint16_t real, uint16_t effective, uint16_t saved);
Result<void> sys_setresgid16(uint16_t real, uint16_t effective, uint16_t saved);
Result<void> sys_getresuid16(UserPtr<uint16_t> real, UserPtr<uint16_t> effective,
                             UserPtr<uint16_t> saved);
Result<void> sys_getresgid16(UserPtr<uint16_t> real, UserPtr<uint16_t> effective,
                             UserPtr<uint16_t> saved);
uint32_t sys_setfsuid16(uint16_t id);
uint32_t sys_setfsgid16(uint16_t id);
Result<uint32_t> sys_getgroups16(int room, UserPtr<uint16_t> to);
Result<void> sys_setgroups16(uint32_t count, UserPtr<const uint16_t> from);
Result<void> sys_capget(UserPtr<CapabilityHeader> header, UserPtr<CapabilitySet> to);
Result<void> sys_capset(UserPtr<CapabilityHeader> header, UserPtr<const CapabilitySet> from);

// --- signals.cpp
struct OldSignalAction;
struct TimerSetting;
Result<void> sys_rt_sigaction(int number, UserPtr<const SignalAction> action,
                              UserPtr<SignalAction> old, uint32_t bytes);
Result<void> sys_sigaction(int number, UserPtr<const OldSignalAction> action,
                           UserPtr<OldSignalAction> old);
Result<uint32_t> sys_signal(int number, uint32_t handler);
int32_t sys_sigreturn(TrapFrame& frame);
int32_t sys_rt_sigreturn(TrapFrame& frame);
Result<void> sys_rt_sigprocmask(uint32_t how, UserPtr<const SignalSet> set, UserPtr<SignalSet> old,
                                uint32_t bytes);
Result<void> sys_sigprocmask(uint32_t how, UserPtr<const uint32_t> set, UserPtr<uint32_t> old);
Result<void> sys_rt_sigpending(UserPtr<SignalSet> to, uint32_t bytes);
Result<void> sys_sigpending(UserPtr<uint32_t> to);
Result<void> sys_rt_sigsuspend(UserPtr<const SignalSet> mask, uint32_t bytes);
Result<void> sys_sigsuspend(uint32_t, uint32_t, uint32_t mask);
Result<void> sys_pause();
template <typename T>
Result<int> sys_rt_sigtimedwait(UserPtr<const SignalSet> set, UserPtr<SignalInfo> to,
                                UserPtr<const T> timeout, uint32_t bytes);
Result<void> sys_kill(int pid, int number);
Result<void> sys_tkill(int tid, int number);
Result<void> sys_tgkill(int tgid, int tid, int number);
Result<void> sys_rt_sigqueueinfo(int pid, int number, UserPtr<const SignalInfo> from);
Result<void> sys_rt_tgsigqueueinfo(int tgid, int tid, int number, UserPtr<const SignalInfo> from);
Result<void> sys_sigaltstack(TrapFrame& frame, UserPtr<const AlternateStack> from,
                             UserPtr<AlternateStack> to);
Result<void> sys_getitimer(uint32_t which, UserPtr<TimerSetting> to);
Result<void> sys_setitimer(uint32_t which, UserPtr<const TimerSetting> from,
                           UserPtr<TimerSetting> to);
uint32_t sys_alarm(uint32_t seconds);

// --- memory.cpp
struct OldMapArguments;
Result<uint32_t> sys_mmap2(uint32_t hint, uint32_t length, uint32_t protection, uint32_t flags,
                           int fd, uint32_t page_offset);
Result<uint32_t> sys_old_mmap(UserPtr<const OldMapArguments> from);
Result<void> sys_munmap(uint32_t start, uint32_t length);
Result<void> sys_mprotect(uint32_t start, uint32_t length, uint32_t protection);
Result<uint32_t> sys_mremap(uint32_t start, uint32_t old_length, uint32_t new_length,
                            uint32_t flags, uint32_t new_start);
Result<void> sys_madvise(uint32_t start, uint32_t length, uint32_t advice);
Result<void> sys_msync(uint32_t start, uint32_t length, uint32_t flags);
Result<void> sys_mincore(uint32_t start, uint32_t length, UserPtr<uint8_t> to);
uint32_t sys_brk(uint32_t end);
Result<void> sys_mlock(uint32_t start, uint32_t length);
Result<void> sys_mlock2(uint32_t start, uint32_t length, uint32_t flags);
Result<void> sys_munlock(uint32_t start, uint32_t length);
Result<void> sys_mlockall(uint32_t flags);
void sys_munlockall();

// --- time.cpp
struct TimeZone;
template <typename T>
Result<void> sys_clock_gettime(int clock, UserPtr<T> to);
template <typename T>
Result<void> sys_clock_settime(int clock, UserPtr<const T> from);
template <typename T>
Result<void> sys_clock_getres(int clock, UserPtr<T> to);
template <typename T>
Result<void> sys_clock_nanosleep(int clock, uint32_t flags, UserPtr<const T> time,
                                 UserPtr<T> remaining);
Result<void> sys_nanosleep(UserPtr<const TimeSpec32> time, UserPtr<TimeSpec32> remaining);
Result<void> sys_gettimeofday(UserPtr<TimeVal32> to, UserPtr<TimeZone> zone);
Result<void> sys_settimeofday(UserPtr<const TimeVal32> from, UserPtr<const TimeZone> zone);
Result<int32_t> sys_time(UserPtr<int32_t> to);
Result<void> sys_stime(UserPtr<const int32_t> from);

// --- poll.cpp
struct PollFd;
struct SelectArguments;
struct SelectMask;
Result<uint32_t> sys_poll(UserPtr<PollFd> files, uint32_t count, int milliseconds);
template <typename T>
Result<uint32_t> sys_ppoll(UserPtr<PollFd> files, uint32_t count, UserPtr<T> time,
                           UserPtr<const SignalSet> mask, uint32_t bytes);
Result<uint32_t> sys_select(int count, UserPtr<uint32_t> in, UserPtr<uint32_t> out,
                            UserPtr<uint32_t> except, UserPtr<TimeVal32> time);
Result<uint32_t> sys_old_select(UserPtr<const SelectArguments> from);
template <typename T>
Result<uint32_t> sys_pselect6(int count, UserPtr<uint32_t> in, UserPtr<uint32_t> out,
                              UserPtr<uint32_t> except, UserPtr<T> time,
                              UserPtr<const SelectMask> mask);

// --- sockets.cpp
Result<int> sys_socketcall(uint32_t call, UserPtr<const uint32_t> arguments);
Result<int> sys_socket(uint32_t family, uint32_t type, uint32_t protocol);
Result<void> sys_socketpair(uint32_t family, uint32_t type, uint32_t protocol,
                            UserPtr<PipeDescriptors> to);
Result<void> sys_bind(int fd, UserPtr<const void> address, uint32_t bytes);
Result<void> sys_connect(int fd, UserPtr<const void> address, uint32_t bytes);
Result<void> sys_listen(int fd, uint32_t backlog);
Result<int> sys_accept4(int fd, UserPtr<void> address, UserPtr<uint32_t> bytes, uint32_t flags);
Result<void> sys_getsockname(int fd, UserPtr<void> address, UserPtr<uint32_t> bytes);
Result<void> sys_getpeername(int fd, UserPtr<void> address, UserPtr<uint32_t> bytes);
Result<void> sys_shutdown(int fd, uint32_t how);
Result<uint32_t> sys_sendto(int fd, UserPtr<void> from, uint32_t count, uint32_t flags,
                            UserPtr<const void> address, uint32_t bytes);
Result<uint32_t> sys_recvfrom(int fd, UserPtr<void> to, uint32_t count, uint32_t flags,
                              UserPtr<void> address, UserPtr<uint32_t> bytes);

// --- socket_messages.cpp
struct MessageHeader;
struct CountedMessage;
Result<uint32_t> sys_sendmsg(int fd, UserPtr<const MessageHeader> from, uint32_t flags);
Result<uint32_t> sys_recvmsg(int fd, UserPtr<MessageHeader> to, uint32_t flags);
Result<uint32_t> sys_sendmmsg(int fd, UserPtr<CountedMessage> from, uint32_t count, uint32_t flags);
template <typename T>
Result<uint32_t> sys_recvmmsg(int fd, UserPtr<CountedMessage> to, uint32_t count, uint32_t flags,
                              UserPtr<T> timeout);

// --- socket_options.cpp
Result<void> sys_setsockopt(int fd, uint32_t level, uint32_t option, UserPtr<const void> from,
                            uint32_t bytes);
Result<void> sys_getsockopt(int fd, uint32_t level, uint32_t option, UserPtr<void> to,
                            UserPtr<uint32_t> bytes);

// --- system.cpp
struct SystemInfo;
struct SystemName;
Result<void> sys_uname(UserPtr<SystemName> to);
Result<void> sys_sethostname(UserString name, uint32_t length);
Result<void> sys_setdomainname(UserString name, uint32_t length);
Result<void> sys_sysinfo(UserPtr<SystemInfo> to);
Result<uint32_t> sys_syslog(uint32_t action, UserPtr<char> to, uint32_t argument);
Result<uint32_t> sys_getrandom(UserPtr<void> to, uint32_t bytes, uint32_t flags);
Result<void> sys_iopl(uint32_t level, TrapFrame& frame);
Result<void> sys_reboot(uint32_t magic1, uint32_t magic2, uint32_t command);
