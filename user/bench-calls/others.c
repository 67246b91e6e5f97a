// Rows of the benchmark beside calls.c that need more than calls with fixed arguments.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "user/bench-calls/calls.h"
#include "user/bench/raw.h"

enum { kPageBytes = 4096, kMegabyte = 1 << 20, kNoSuch = 2 /* ENOENT */ };

static char buffer[65536] __attribute__((aligned(4096)));
static const char* const no_words[] = {NULL};

static long wait_for(long child) {
    int status = -1;
    call4(SYS_wait4, child, (long)&status, 0, 0);
    return status;
}
static char* map_file(long bytes, int protection, int flags, long fd) {
    const long arguments[6] = {0, bytes, protection, flags, fd, 0};
    return (char*)call(SYS_mmap, (long)arguments, 0, 0);
}
static void unmap(volatile char* pages, long bytes) { call(SYS_munmap, (long)pages, bytes, 0); }

// --- clocks, by the C library, which may do without a call

static struct timespec time_now;
static struct timeval time_of_day;
static int64_t monotonic_clock(unsigned count) {
    return COST_OF(count, clock_gettime(CLOCK_MONOTONIC, &time_now));
}
static int64_t real_clock(unsigned count) {
    return COST_OF(count, clock_gettime(CLOCK_REALTIME, &time_now));
}
static int64_t day(unsigned count) { return COST_OF(count, gettimeofday(&time_of_day, NULL)); }
static int64_t seconds(unsigned count) { return COST_OF(count, time(NULL)); }

// --- descriptors

static void close_both(const int ends[2]) {
    call(SYS_close, ends[0], 0, 0);
    call(SYS_close, ends[1], 0, 0);
}
static void pipe_once(void) {
    int ends[2];
    call(SYS_pipe, (long)ends, 0, 0);
    close_both(ends);
}
static int64_t pipe_close(unsigned count) { return COST_OF(count, (pipe_once(), 0)); }

static void sockets_once(void) {
    int ends[2];
    call4(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, (long)ends);
    close_both(ends);
}
static int64_t sockets_close(unsigned count) { return COST_OF(count, (sockets_once(), 0)); }

static int64_t pass_descriptor(unsigned count) {
    int ends[2];
    call4(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, (long)ends);
    char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(4)));
    struct iovec byte = {buffer, 1};
    struct msghdr message = {.msg_iov = &byte,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr* const passed = CMSG_FIRSTHDR(&message);
    *passed = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    *(int*)CMSG_DATA(passed) = 1;
    int64_t cost = COST_OF(
        count, (call(SYS_sendmsg, ends[0], (long)&message, 0),
                call(SYS_recvmsg, ends[1], (long)&message, 0),
                call(SYS_close, *(int*)CMSG_DATA(passed), 0, 0), *(int*)CMSG_DATA(passed) = 1));
    close_both(ends);
    return cost;
}

static int64_t connect_accept(unsigned count) {
    const struct sockaddr_un name = {AF_UNIX, "\0bench"};
    const long listener = call(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    call(SYS_bind, listener, (long)&name, 8);
    if (call(SYS_listen, listener, 10, 0) < 0) return -kNoSuch;
    long client, server;
    int64_t cost = COST_OF(count, (client = call(SYS_socket, AF_UNIX, SOCK_STREAM, 0),
                                   call(SYS_connect, client, (long)&name, 8),
                                   server = call4(SYS_accept4, listener, 0, 0, 0),
                                   call(SYS_close, client, 0, 0), call(SYS_close, server, 0, 0)));
    call(SYS_close, listener, 0, 0);
    return cost;
}

static int64_t select_of(unsigned count, int pipes) {
    prepare_pipes();
    fd_set wanted, set;
    struct timeval immediately = {0, 0};
    FD_ZERO(&wanted);
    for (int i = 0; i < pipes; ++i) FD_SET(kFirstPipe + 2 * i, &wanted);
    return COST_OF(count, (set = wanted, call5(SYS__newselect, kFirstPipe + 2 * pipes, (long)&set,
                                               0, 0, (long)&immediately)));
}
static int64_t select_10(unsigned count) { return select_of(count, 10); }
static int64_t select_100(unsigned count) { return select_of(count, 100); }

static long read_folder(const char* name) {
    const long folder = call(SYS_open, (long)name, O_RDONLY | O_DIRECTORY, 0);
    long bytes = 0, got;
    while ((got = call(SYS_getdents64, folder, (long)buffer, sizeof buffer)) > 0) bytes += got;
    call(SYS_close, folder, 0, 0);
    return bytes;
}
static int64_t folder_of_1000(unsigned count) {
    const char folder[] = "/tmp/bench.names";
    char name[40];
    call(SYS_mkdir, (long)folder, 0755, 0);
    for (int i = 0; i < 1000; ++i) {
        snprintf(name, sizeof name, "%s/file%03d", folder, i);
        call(SYS_close, call(SYS_creat, (long)name, 0644, 0), 0, 0);
    }
    const int64_t cost =
        read_folder(folder) > 20000 ? COST_OF(count, read_folder(folder)) : -kNoSuch;
    for (int i = 0; i < 1000; ++i) {
        snprintf(name, sizeof name, "%s/file%03d", folder, i);
        call(SYS_unlink, (long)name, 0, 0);
    }
    call(SYS_rmdir, (long)folder, 0, 0);
    return cost;
}

// --- memory: the operation is a page's

// Touches each page of PAGES once; COUNT must be the number of pages.
static int64_t touch(volatile char* pages, unsigned count, bool write) {
    if ((long)pages < 0 && (long)pages > -4096) return (long)pages;
    int64_t cost =
        write ? COST_OF(count, pages[i * kPageBytes] = 1) : COST_OF(count, pages[i * kPageBytes]);
    unmap(pages, count * kPageBytes);
    return cost;
}
static int64_t touch_file(unsigned count, int protection, int flags) {
    const long file = call(SYS_open, (long)"/tmp/bench.pages", O_RDWR | O_CREAT | O_TRUNC, 0644);
    for (unsigned i = 0; i < count; ++i) call(SYS_write, file, (long)buffer, kPageBytes);
    const int64_t cost = touch(map_file(count * kPageBytes, protection, flags, file), count,
                               protection & PROT_WRITE);
    call(SYS_close, file, 0, 0);
    call(SYS_unlink, (long)"/tmp/bench.pages", 0, 0);
    return cost;
}
static int64_t fault_untouched(unsigned count) {
    return touch(map_pages(count * kPageBytes), count, false);
}
static int64_t fault_file(unsigned count) { return touch_file(count, PROT_READ, MAP_SHARED); }
static int64_t fault_private(unsigned count) {
    return touch_file(count, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}
static int64_t fault_shared(unsigned count) {
    return touch_file(count, PROT_READ | PROT_WRITE, MAP_SHARED);
}
static int64_t fault_hole(unsigned count) {
    return touch(
        map_file(count * kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1), count,
        true);
}

static long break_of(long end) { return call(SYS_brk, end, 0, 0); }
static int64_t brk_page(unsigned count) {
    const long end = break_of(0);
    return COST_OF(count, break_of(end + kPageBytes) + break_of(end));
}
static int64_t forget_64k(unsigned count) {
    volatile char* const pages = map_pages(65536);
    int64_t cost = COST_OF(count, ({
                               for (int at = 0; at < 65536; at += kPageBytes) pages[at] = 1;
                               call(SYS_madvise, (long)pages, 65536, MADV_DONTNEED);
                           }));
    unmap(pages, 65536);
    return cost;
}
static int64_t move_1m(unsigned count) {
    char *pages = map_pages(kMegabyte), *other = map_pages(kMegabyte), *next;
    memset(pages, 1, kMegabyte);
    int64_t cost = COST_OF(count, (call5(SYS_mremap, (long)pages, kMegabyte, kMegabyte,
                                         MREMAP_MAYMOVE | MREMAP_FIXED, (long)other),
                                   next = other, other = pages, pages = next));
    unmap(pages, kMegabyte);
    return cost;
}

// --- processes

static int64_t fork_once(unsigned count) {
    long child;
    return COST_OF(count, (child = call(SYS_fork, 0, 0, 0),
                           child ? wait_for(child) : call(SYS_exit, 0, 0, 0)));
}
static long vfork_once(bool exec) {
    const char* const words[] = {"bench", "--exit", NULL};
    const long child = vfork();
    if (child == 0) {
        if (exec) call(SYS_execve, (long)bench_program, (long)words, (long)no_words);
        call(SYS_exit, exec, 0, 0);
    }
    return wait_for(child);
}
static int64_t vfork_exit(unsigned count) { return COST_OF(count, vfork_once(false)); }
static int64_t vfork_exec(unsigned count) {
    return vfork_once(true) ? -kNoSuch : COST_OF(count, vfork_once(true));
}

static int64_t fork_regions(unsigned count) {
    enum { kRegions = 1000, kBytes = 2 * kRegions * kPageBytes };
    char* const pages = map_file(kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (int i = 0; i < kRegions; ++i) {
        call(SYS_mprotect, (long)pages + 2l * i * kPageBytes, kPageBytes, PROT_READ | PROT_WRITE);
        pages[2l * i * kPageBytes] = 1;
    }
    const int64_t cost = fork_once(count);
    unmap(pages, kBytes);
    return cost;
}
static int64_t fork_descriptors(unsigned count) {
    prepare_pipes();  // 2,000 of pipes
    return fork_once(count);
}

// What an operation costs beside a child that does something else for ever.
static int64_t beside(unsigned count, void other(void), long operation(long child)) {
    const long child = call(SYS_fork, 0, 0, 0);
    if (child == 0)
        for (;;) other();
    call(SYS_sched_yield, 0, 0, 0);
    const int64_t cost = COST_OF(count, operation(child));
    call(SYS_kill, child, SIGKILL, 0);
    wait_for(child);
    return cost;
}
static void await(void) {
    const long set[2] = {1 << (SIGUSR1 - 1), 0};
    call4(SYS_rt_sigtimedwait, (long)set, 0, 0, 8);
}
static void answer(void) {
    await();
    call(SYS_kill, call(SYS_getppid, 0, 0, 0), SIGUSR1, 0);
}
static long signal_there(long child) {
    call(SYS_kill, child, SIGUSR1, 0);
    await();
    return 0;
}
static int64_t signals(unsigned count) {
    const long set[2] = {1 << (SIGUSR1 - 1), 0};
    call4(SYS_rt_sigprocmask, SIG_BLOCK, (long)set, 0, 8);
    const int64_t cost = beside(count, answer, signal_there);
    call4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)set, 0, 8);
    return cost;
}

const struct Row kOtherRows[] = {
    {"clock-mono", "clock_gettime, monotonic, by the C library", monotonic_clock, 1000},
    {"clock-real", "clock_gettime, wall clock, by the C library", real_clock, 1000},
    {"gettimeofday", "gettimeofday, by the C library", day, 1000},
    {"time", "time, by the C library", seconds, 1000},
    {"pipe", "pipe + two closes", pipe_close, 500},
    {"socketpair", "socketpair + two closes", sockets_close, 500},
    {"pass-fd", "a descriptor passed over a local socket", pass_descriptor, 500},
    {"connect", "local sockets: connect + accept + closes", connect_accept, 200},
    {"select-10", "select of 10, none ready", select_10, 200},
    {"select-100", "select of 100, none ready", select_100, 100},
    {"getdents", "open + read a folder of 1,000 names", folder_of_1000, 10},
    {"brk", "brk a page up and down", brk_page, 500},
    {"dontneed", "touch 64 KiB + madvise MADV_DONTNEED", forget_64k, 50},
    {"mremap-move", "mremap that moves 1 MB", move_1m, 20},
    {"fault-read", "page fault: read of untouched memory", fault_untouched, 500},
    {"fault-file", "page fault: read of a file, shared", fault_file, 256},
    {"fault-private", "page fault: write to a file, private", fault_private, 256},
    {"fault-shared", "page fault: write to a file, shared", fault_shared, 256},
    {"fault-hole", "page fault: write to new shared memory", fault_hole, 256},
    {"vfork", "vfork + exit + wait", vfork_exit, 100},
    {"vfork-exec", "vfork + exec + exit + wait", vfork_exec, 50},
    {"fork-regions", "fork + exit + wait, 1,000 more mappings", fork_regions, 5},
    {"fork-fds", "fork + exit + wait, 2,000 descriptors", fork_descriptors, 10},
    {"signals", "signals there and back between processes", signals, 300},
};
const unsigned kOtherRowCount = sizeof kOtherRows / sizeof *kOtherRows;
