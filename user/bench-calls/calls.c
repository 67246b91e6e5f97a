// Rows of the benchmark that are a system call or a few, with arguments that stay the same. Files are in tmpfs, so that the
// figures are of the calls and not of a disk.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

#include "user/bench-calls/calls.h"
#include "user/bench/raw.h"

enum { kPageBytes = 4096, kMegabyte = 1 << 20, kMostPipes = 1000 };

// --- what the calls are given

#define FOLDER "/tmp/bench"
#define DEEP FOLDER "/d/d/d/d/d/d/d/d/d/d"

static char large[kMegabyte] __attribute__((aligned(4096)));  // all in memory
static char out[8192];
static const uint64_t one = 1;
static const int64_t hundred_seconds[4] = {
    0, 0, 100, 0};  // interval and value, each in seconds and nanoseconds
static const struct itimerval hundred = {{0, 0}, {100, 0}};
static const struct flock lock = {.l_type = F_WRLCK, .l_len = 1},
                          unlock = {.l_type = F_UNLCK, .l_len = 1};
static const struct iovec pieces[8] = {
    {large, 512},        {large + 512, 512},  {large + 1024, 512}, {large + 1536, 512},
    {large + 2048, 512}, {large + 2560, 512}, {large + 3072, 512}, {large + 3584, 512}};
static const struct iovec piece = {out, 64};
static struct msghdr message = {.msg_iov = (struct iovec*)&piece, .msg_iovlen = 1};
static const struct {
    void (*handler)(int);
    long flags, restorer, mask[2];
} ignored = {SIG_IGN, 0, 0, {0, 0}};
static const long no_signals[2];
static struct pollfd watched[kMostPipes];
static struct epoll_event events[10];
static const struct epoll_event readable = {.events = EPOLLIN};

// Descriptors have fixed numbers. A pipe's number is that of its reader; its writer's is one more.
enum {
    kFile = 20,  // of 1 MB, for reading and writing
    kOther,      // likewise
    kLog,        // for appending
    kNull,
    kFolderFd,
    kEvent,
    kTimer,
    kNotifier,
    kPipeEnds = 30,
    kStream = 32,  // a pair of sockets
    kDatagram = 34,
    kEpolls = 40,  // of 10, 100 and 1,000 pipes
};

static void place(long fd, int number) {
    call(SYS_dup2, fd, number, 0);
    call(SYS_close, fd, 0, 0);
}
static void place_pair(const int ends[2], int number) {
    place(ends[0], number);
    place(ends[1], number + 1);
}
// The old mmap takes its arguments in memory: all six, of which mmap2's last would be in %ebp.
static const long mapped_file[6] = {0, 65536, PROT_READ, MAP_PRIVATE, kFile, 0};
static const long mapped_nothing[6] = {0, kMegabyte, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0};

static long open_path(const char* path, int flags) {
    return call(SYS_open, (long)path, flags, 0644);
}
static void make_file(const char* name, int number, unsigned bytes) {
    place(open_path(name, O_RDWR | O_CREAT | O_TRUNC), number);
    call(SYS_write, number, (long)large, bytes);
}

// The first program of a Linux finds nothing mounted.
static void mount_at(const char* folder, const char* kind) {
    call(SYS_mkdir, (long)folder, 0755, 0);
    call5(SYS_mount, (long)kind, (long)folder, (long)kind, 0, 0);
}

static void prepare_files(void) {
    char path[sizeof DEEP] = FOLDER;
    if (call(SYS_access, (long)"/proc/self", 0, 0) != 0) {
        mount_at("/proc", "proc");
        mount_at("/tmp", "tmpfs");
    }
    call(SYS_mkdir, (long)path, 0755, 0);
    while (strlen(path) < sizeof DEEP - 1) call(SYS_mkdir, (long)strcat(path, "/d"), 0755, 0);
    make_file(DEEP "/f", kFile, 1);
    call(SYS_symlink, (long)"file", (long)FOLDER "/link", 0);
    make_file(FOLDER "/other", kOther, kMegabyte);
    make_file(FOLDER "/old", kFile, 1);
    make_file(FOLDER "/file", kFile, kMegabyte);
    place(open_path(FOLDER "/log", O_RDWR | O_CREAT | O_APPEND), kLog);
    place(open_path("/dev/null", O_RDWR), kNull);
    place(open_path(FOLDER, O_RDONLY | O_DIRECTORY), kFolderFd);
}

static void prepare_calls(void) {
    static int done;
    int ends[2];
    if (done++) return;
    memset(large, 1, sizeof large);
    prepare_files();
    place(call(SYS_eventfd2, 0, 0, 0), kEvent);
    place(call(SYS_timerfd_create, CLOCK_MONOTONIC, 0, 0), kTimer);
    place(call(SYS_inotify_init1, 0, 0, 0), kNotifier);
    call(SYS_pipe, (long)ends, 0, 0);
    place_pair(ends, kPipeEnds);
    call4(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, (long)ends);
    place_pair(ends, kStream);
    call4(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, (long)ends);
    place_pair(ends, kDatagram);
}

static int pipes_open;
void prepare_pipes(void) {
    const unsigned long descriptors[2] = {4096, 4096};
    int ends[2];
    if (pipes_open++) return;
    call(SYS_setrlimit, 7 /* RLIMIT_NOFILE */, (long)descriptors, 0);
    for (int i = 0; i < 3; ++i) place(call(SYS_epoll_create1, 0, 0, 0), kEpolls + i);
    for (int i = 0; i < kMostPipes; ++i) {
        const int reader = kFirstPipe + 2 * i;
        call(SYS_pipe, (long)ends, 0, 0);
        if (ends[0] != reader) place_pair(ends, reader);
        watched[i] = (struct pollfd){reader, POLLIN, 0};
        for (int set = 0, most = 10; set < 3; ++set, most *= 10)
            if (i < most)
                call4(SYS_epoll_ctl, kEpolls + set, EPOLL_CTL_ADD, reader, (long)&readable);
    }
}
void close_pipes(void) {
    if (!pipes_open) return;
    for (int i = 0; i < 3; ++i) call(SYS_close, kEpolls + i, 0, 0);
    for (int i = 0; i < 2 * kMostPipes; ++i) call(SYS_close, kFirstPipe + i, 0, 0);
    pipes_open = 0;
}

// --- the rows

#define ROW(name, operation, count, ...)                \
    {                                                   \
        {name, operation, NULL, count}, { __VA_ARGS__ } \
    }
const struct CallRow kCallRows[] = {
    ROW("times", "times", 1000, {SYS_times, {(long)out}}),
    ROW("cpu-time", "clock_gettime of the process's CPU time", 1000,
        {SYS_clock_gettime64, {CLOCK_PROCESS_CPUTIME_ID, (long)out}}),
    ROW("getrusage", "getrusage", 1000, {SYS_getrusage, {0, (long)out}}),
    ROW("uname", "uname", 1000, {SYS_uname, {(long)out}}),
    ROW("getuid", "getuid", 1000, {SYS_getuid32}),
    ROW("sigprocmask", "rt_sigprocmask", 1000,
        {SYS_rt_sigprocmask, {SIG_BLOCK, (long)no_signals, 0, 8}}),
    ROW("sigaction", "rt_sigaction", 1000, {SYS_rt_sigaction, {SIGUSR2, (long)&ignored, 0, 8}}),
    ROW("umask", "umask", 1000, {SYS_umask, {022}}),

    ROW("stat", "stat", 1000, {SYS_stat64, {(long)FOLDER "/file", (long)out}}),
    ROW("stat-deep", "stat, ten folders deeper", 1000, {SYS_stat64, {(long)DEEP "/f", (long)out}}),
    ROW("stat-link", "stat through a symbolic link", 1000,
        {SYS_stat64, {(long)FOLDER "/link", (long)out}}),
    ROW("stat-none", "stat of a name that is not there", 1000,
        {SYS_stat64, {(long)FOLDER "/none", (long)out}, 1}),
    ROW("lstat", "lstat", 1000, {SYS_lstat64, {(long)FOLDER "/link", (long)out}}),
    ROW("statx", "statx", 1000,
        {SYS_statx, {AT_FDCWD, (long)FOLDER "/file", 0, STATX_BASIC_STATS, (long)out}}),
    ROW("fstatat", "fstatat by a folder's descriptor", 1000,
        {SYS_fstatat64, {kFolderFd, (long)"file", (long)out, 0}}),
    ROW("fstat", "fstat", 1000, {SYS_fstat64, {kFile, (long)out}}),
    ROW("statfs", "statfs", 1000, {SYS_statfs64, {(long)FOLDER, 84, (long)out}}),
    ROW("access", "access", 1000, {SYS_access, {(long)FOLDER "/file", 4}}),
    ROW("access-none", "access to a name that is not there", 1000,
        {SYS_access, {(long)FOLDER "/none", 4}, 1}),
    ROW("readlink", "readlink", 1000, {SYS_readlink, {(long)FOLDER "/link", (long)out, 100}}),
    ROW("chmod", "chmod", 1000, {SYS_chmod, {(long)FOLDER "/file", 0644}}),
    ROW("utimensat", "utimensat", 1000, {SYS_utimensat, {AT_FDCWD, (long)FOLDER "/file"}}),
    ROW("getcwd", "getcwd", 1000, {SYS_getcwd, {(long)out, 500}}),
    ROW("chdir", "chdir and back", 1000, {SYS_chdir, {(long)FOLDER}}, {SYS_chdir, {(long)"/"}}),
    ROW("open-file", "open + close", 1000, {SYS_open, {(long)FOLDER "/file"}},
        {SYS_close, {kResult}}),
    ROW("open-deep", "open + close, ten folders deeper", 1000, {SYS_open, {(long)DEEP "/f"}},
        {SYS_close, {kResult}}),
    ROW("open-creat", "open + close with O_CREAT, file is there", 1000,
        {SYS_open, {(long)FOLDER "/file", O_RDWR | O_CREAT}}, {SYS_close, {kResult}}),
    ROW("open-trunc", "open + close with O_TRUNC, file is empty", 500,
        {SYS_open, {(long)FOLDER "/empty", O_RDWR | O_CREAT | O_TRUNC, 0644}},
        {SYS_close, {kResult}}),
    ROW("creat-unlink", "creat + close + unlink", 500, {SYS_creat, {(long)FOLDER "/new", 0644}},
        {SYS_close, {kResult}}, {SYS_unlink, {(long)FOLDER "/new"}}),
    ROW("rename-back", "rename and back", 500,
        {SYS_rename, {(long)FOLDER "/old", (long)FOLDER "/new"}},
        {SYS_rename, {(long)FOLDER "/new", (long)FOLDER "/old"}}),
    ROW("rename-over", "creat + close + rename over another", 500,
        {SYS_creat, {(long)FOLDER "/new", 0644}}, {SYS_close, {kResult}},
        {SYS_rename, {(long)FOLDER "/new", (long)FOLDER "/over"}}),
    ROW("link", "link + unlink", 500, {SYS_link, {(long)FOLDER "/old", (long)FOLDER "/new"}},
        {SYS_unlink, {(long)FOLDER "/new"}}),
    ROW("symlink", "symlink + unlink", 500, {SYS_symlink, {(long)"abc", (long)FOLDER "/new"}},
        {SYS_unlink, {(long)FOLDER "/new"}}),
    ROW("mkdir", "mkdir + rmdir", 500, {SYS_mkdir, {(long)FOLDER "/new", 0755}},
        {SYS_rmdir, {(long)FOLDER "/new"}}),

    ROW("dup", "dup + close", 1000, {SYS_dup, {kNull}}, {SYS_close, {kResult}}),
    ROW("fcntl", "fcntl F_GETFL", 1000, {SYS_fcntl64, {kNull, F_GETFL}}),
    ROW("record-lock", "record lock + unlock", 1000, {SYS_fcntl, {kFile, F_SETLK, (long)&lock}},
        {SYS_fcntl, {kFile, F_SETLK, (long)&unlock}}),
    ROW("flock", "flock + unlock", 1000, {SYS_flock, {kFile, LOCK_EX}},
        {SYS_flock, {kFile, LOCK_UN}}),
    ROW("lseek", "lseek", 1000, {SYS_lseek, {kFile, 7}}),
    ROW("eventfd", "eventfd + close", 500, {SYS_eventfd2}, {SYS_close, {kResult}}),
    ROW("event", "eventfd: write + read", 1000, {SYS_write, {kEvent, (long)&one, 8}},
        {SYS_read, {kEvent, (long)out, 8}}),
    ROW("timerfd", "timerfd_settime", 1000,
        {SYS_timerfd_settime64, {kTimer, 0, (long)hundred_seconds}}),
    ROW("watch", "inotify: add and remove a watch", 500,
        {SYS_inotify_add_watch, {kNotifier, (long)FOLDER, IN_CREATE}},
        {SYS_inotify_rm_watch, {kNotifier, kResult}}),
    ROW("setitimer", "setitimer", 1000, {SYS_setitimer, {ITIMER_REAL, (long)&hundred}}),
    ROW("alarm", "alarm", 1000, {SYS_alarm, {1000}}),

    ROW("read-1m", "read 1 MB, cached", 4, {SYS_pread64, {kFile, (long)large, kMegabyte}}),
    ROW("read-4k", "read 4 KiB, cached", 500, {SYS_pread64, {kFile, (long)large, 4096, 8192}}),
    ROW("read-512", "read 512 bytes, cached", 500, {SYS_pread64, {kFile, (long)large, 512, 8192}}),
    ROW("write-1m", "write 1 MB over what is there", 4,
        {SYS_pwrite64, {kFile, (long)large, kMegabyte}}),
    ROW("write-4k", "write 4 KiB over what is there", 500,
        {SYS_pwrite64, {kFile, (long)large, 4096, 8192}}),
    ROW("write-new", "write 1 MB of a new file", 4,
        {SYS_open, {(long)FOLDER "/big", O_RDWR | O_CREAT | O_TRUNC, 0644}},
        {SYS_write, {kResult, (long)large, kMegabyte}}, {SYS_close, {kResult}}),
    ROW("append", "append 100 bytes", 500, {SYS_write, {kLog, (long)large, 100}}),
    ROW("writev-null", "writev of 8 x 512 bytes, /dev/null", 500,
        {SYS_writev, {kNull, (long)pieces, 8}}),
    ROW("writev", "writev of 8 x 512 bytes over what is there", 500,
        {SYS_pwritev, {kFile, (long)pieces, 8}}),
    ROW("readv", "readv of 8 x 512 bytes", 500, {SYS_preadv, {kFile, (long)pieces, 8}}),
    ROW("sendfile", "sendfile of 1 MB to another file", 4, {SYS_lseek, {kFile, 0}},
        {SYS_lseek, {kOther, 0}}, {SYS_sendfile, {kOther, kFile, 0, kMegabyte}}),
    ROW("ftruncate", "ftruncate to 1 MB and to nothing", 100, {SYS_ftruncate, {kLog, kMegabyte}},
        {SYS_ftruncate, {kLog, 0}}),
    ROW("fsync-clean", "fsync of a file of tmpfs", 500, {SYS_fsync, {kFile}}),
    ROW("pipe-64k", "pipe: write + read 64 KiB", 20,
        {SYS_write, {kPipeEnds + 1, (long)large, 65536}},
        {SYS_read, {kPipeEnds, (long)large, 65536}}),
    ROW("sendmsg", "local stream: sendmsg + recvmsg of 64 bytes", 500,
        {SYS_sendmsg, {kStream, (long)&message}}, {SYS_recvmsg, {kStream + 1, (long)&message}}),
    ROW("datagram", "local datagram: 64 bytes there", 500, {SYS_write, {kDatagram, (long)out, 64}},
        {SYS_read, {kDatagram + 1, (long)out, 64}}),

    ROW("poll-10", "poll of 10, none ready", 200, {SYS_poll, {(long)watched, 10, 0}}),
    ROW("poll-100", "poll of 100, none ready", 200, {SYS_poll, {(long)watched, 100, 0}}),
    ROW("poll-1000", "poll of 1,000, none ready", 50, {SYS_poll, {(long)watched, 1000, 0}}),
    ROW("epoll-10", "epoll_wait on 10, none ready", 500,
        {SYS_epoll_wait, {kEpolls, (long)events, 10, 0}}),
    ROW("epoll-1000", "epoll_wait on 1,000, none ready", 500,
        {SYS_epoll_wait, {kEpolls + 2, (long)events, 10, 0}}),
    ROW("epoll-add", "epoll_ctl: add and remove beside 1,000", 500,
        {SYS_epoll_ctl, {kEpolls + 2, EPOLL_CTL_ADD, kEvent, (long)&readable}},
        {SYS_epoll_ctl, {kEpolls + 2, EPOLL_CTL_DEL, kEvent, (long)&readable}}),
    ROW("watched-pipe", "pipe: write + read of a byte, epoll watches", 500,
        {SYS_write, {kFirstPipe + 1, (long)out, 1}}, {SYS_read, {kFirstPipe, (long)out, 1}}),

    ROW("mprotect", "mprotect of a page and back", 500,
        {SYS_mprotect, {(long)large + 65536, kPageBytes, PROT_READ}},
        {SYS_mprotect, {(long)large + 65536, kPageBytes, PROT_READ | PROT_WRITE}}),
    ROW("mprotect-1m", "mprotect of 1 MB and back", 50,
        {SYS_mprotect, {(long)large, kMegabyte, PROT_READ}},
        {SYS_mprotect, {(long)large, kMegabyte, PROT_READ | PROT_WRITE}}),
    ROW("mmap-file", "mmap of a file + munmap", 500, {SYS_mmap, {(long)mapped_file}},
        {SYS_munmap, {kResult, 65536}}),
    ROW("mremap", "mmap 1 MB + mremap to 64 KiB + munmap", 200, {SYS_mmap, {(long)mapped_nothing}},
        {SYS_mremap, {kResult, kMegabyte, 65536}}, {SYS_munmap, {kResult, 65536}}),
    ROW("mincore", "mincore of 1 MB", 100, {SYS_mincore, {(long)large, kMegabyte, (long)out}}),
    ROW("kill-0", "kill with signal 0", 500, {SYS_kill, {1, 0}}),
    ROW("futex-none", "FUTEX_WAKE, nobody waits", 1000, {SYS_futex, {(long)out, 129, 1}}),
    ROW("proc-stat", "read /proc/self/stat", 50, {SYS_open, {(long)"/proc/self/stat"}},
        {SYS_read, {kResult, (long)out, 8192}}, {SYS_close, {kResult}}),
    ROW("proc-status", "read /proc/self/status", 50, {SYS_open, {(long)"/proc/self/status"}},
        {SYS_read, {kResult, (long)out, 8192}}, {SYS_close, {kResult}}),
    ROW("proc-meminfo", "read /proc/meminfo", 50, {SYS_open, {(long)"/proc/meminfo"}},
        {SYS_read, {kResult, (long)out, 8192}}, {SYS_close, {kResult}}),
    ROW("proc-maps", "read /proc/self/maps", 50, {SYS_open, {(long)"/proc/self/maps"}},
        {SYS_read, {kResult, (long)out, 8192}}, {SYS_close, {kResult}}),
    ROW("proc-smaps", "read /proc/self/smaps, 8 KiB", 20, {SYS_open, {(long)"/proc/self/smaps"}},
        {SYS_read, {kResult, (long)out, 8192}}, {SYS_close, {kResult}}),
};
const unsigned kCallRowCount = sizeof kCallRows / sizeof *kCallRows;

static long perform(const struct Call* of, long result, int really) {
    long arguments[5];
    for (int i = 0; i < 5; ++i)
        arguments[i] = of->arguments[i] == kResult ? result : of->arguments[i];
    return really ? call5(of->number, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4])
                  : 0;
}
static long perform_all(const struct Call* calls, int really) {
    const long result = perform(calls, 0, really);
    long failed = result < 0 && result > -4096 && !calls->fails ? result : 0;
    for (const struct Call* next = calls + 1; next->number; ++next) {
        const long more = perform(next, result, really);
        if (more < 0 && more > -4096 && !failed) failed = more;
    }
    return failed;
}

// Polls, and what names a descriptor of those.
static int needs_pipes(const struct Call* calls) {
    for (; calls->number; ++calls)
        if (calls->number == SYS_poll || calls->arguments[0] == kFirstPipe ||
            (calls->arguments[0] >= kEpolls && calls->arguments[0] < kEpolls + 3))
            return 1;
    return 0;
}

// What it takes to prepare the arguments is taken off.
int64_t measure_calls(const struct Call* calls, unsigned count) {
    prepare_calls();
    if (needs_pipes(calls)) prepare_pipes();
    const long failed = perform_all(calls, 1);
    if (failed) return failed;
    return TICKS_OF(count, perform_all(calls, 1)) - TICKS_OF(count, perform_all(calls, 0));
}
