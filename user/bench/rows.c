// The operations that are measured, one function each: it prepares, reads the clock, does the
// operation `count` times, reads the clock, cleans up. A loop's own instructions are taken off by
// timing an empty one beside it.
#include "user/bench/bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "user/bench/raw.h"

enum { kPageBytes = 4096, kChunkBytes = 65536, kMegabyte = 1 << 20, kNoSuch = 2 /* ENOENT */ };

static char chunk[kChunkBytes] __attribute__((aligned(4096)));

static char* large;  // 64 MB, all in memory; null: not mapped
enum { kLargeBytes = 64 * kMegabyte };

void give_back_memory(void) {
    madvise(chunk, sizeof chunk, MADV_DONTNEED);
    if (large) call(kMunmap, (long)large, kLargeBytes, 0);
    large = NULL;
}

static int64_t null_call(unsigned count) { return COST_OF(count, call(kGetppid, 0, 0, 0)); }
static int64_t yield(unsigned count) { return COST_OF(count, call(kYield, 0, 0, 0)); }

static long open_file(const char* path, int flags) { return call(kOpen, (long)path, flags, 0600); }

static int64_t read_zero(unsigned count) {
    long fd = open_file("/dev/zero", O_RDONLY);
    if (fd < 0) return fd;
    int64_t cost = COST_OF(count, call(kRead, fd, (long)chunk, 1));
    call(kClose, fd, 0, 0);
    return cost;
}

static int64_t write_null(unsigned count) {
    long fd = open_file("/dev/null", O_WRONLY);
    if (fd < 0) return fd;
    int64_t cost = COST_OF(count, call(kWrite, fd, (long)chunk, 1));
    call(kClose, fd, 0, 0);
    return cost;
}

// This program's own file, all of it in the cache, at its start.
static long open_cached(void) {
    long fd = open_file(bench_program, O_RDONLY);
    if (fd < 0) return fd;
    while (call(kRead, fd, (long)chunk, kChunkBytes) > 0) {
    }
    call(kLseek, fd, 0, SEEK_SET);
    return fd;
}

static int64_t read_cached(unsigned count) {
    long fd = open_cached();
    if (fd < 0) return fd;
    int64_t cost = COST_OF(count, call(kRead, fd, (long)chunk, 1));
    call(kClose, fd, 0, 0);
    return cost;
}

// Reads `count` chunks from FD one by one; back to the start, untimed, at the file's end.
static int64_t read_chunks(long fd, unsigned count) {
    int64_t cost = 0, clock = TICKS_OF(count, now()) / count;
    for (unsigned i = 0; i < count;) {
        uint64_t start = now();
        long got = call(kRead, fd, (long)chunk, kChunkBytes);
        cost += now() - start - clock;
        if (got < 0) return got;
        if (got == kChunkBytes)
            i++;
        else if (i == 0)
            return -kNoSuch;  // the file is shorter than one chunk
        else
            call(kLseek, fd, 0, SEEK_SET);
    }
    return cost;
}

static int64_t read_64k(unsigned count) {
    long fd = open_cached();
    if (fd < 0) return fd;
    int64_t cost = read_chunks(fd, count);
    call(kClose, fd, 0, 0);
    return cost;
}

static int64_t read_64k_disk(unsigned count) {
    long control = open_file("/proc/sys/vm/drop_caches", O_WRONLY);
    if (control < 0) return control;
    long fd = open_cached();
    long dropped = call(kWrite, control, (long)"1", 1);
    call(kClose, control, 0, 0);
    int64_t cost = dropped < 0 ? dropped : read_chunks(fd, count);
    call(kClose, fd, 0, 0);
    return cost;
}

static int64_t open_close(unsigned count) {
    long fd = open_file("/dev/null", O_RDONLY);
    if (fd < 0) return fd;
    call(kClose, fd, 0, 0);
    return COST_OF(count, call(kClose, open_file("/dev/null", O_RDONLY), 0, 0));
}

// The wait status of a child that exits at once, by way of a new program if EXEC.
static int fork_once(bool exec) {
    int status = -1;
    static const char *const arguments[] = {"bench", "--exit", NULL}, *const environment[] = {NULL};
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        if (exec) call(kExecve, (long)bench_program, (long)arguments, (long)environment);
        call(kExit, exec, 0, 0);
    }
    call4(kWait4, child, (long)&status, 0, 0);
    return status;
}

static int64_t fork_exit(unsigned count) { return COST_OF(count, fork_once(false)); }
static int64_t fork_exec(unsigned count) {
    if (fork_once(true) != 0) return -kNoSuch;
    return COST_OF(count, fork_once(true));
}

static int64_t fork_large(unsigned count) {
    if (!large) {
        volatile char* pages = map_pages(kLargeBytes);
        if ((long)pages < 0 && (long)pages > -4096) return (long)pages;
        for (unsigned i = 0; i < kLargeBytes; i += kPageBytes) pages[i] = 1;
        large = (char*)pages;
    }
    return COST_OF(count, fork_once(false));
}

// A child becomes this program as many times as MARKS is long, and exits.
static long exec_chain(const char* marks) {
    int status = -1;
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        exec_again(marks);
        call(kExit, *marks, 0, 0);
    }
    call4(kWait4, child, (long)&status, 0, 0);
    return status;
}

void exec_again(const char* marks) {
    const char *const arguments[] = {bench_program, "--again", marks + 1, NULL},
                      *const environment[] = {NULL};
    if (*marks) call(kExecve, (long)bench_program, (long)arguments, (long)environment);
}

static int64_t execve_row(unsigned count) {
    char marks[128];
    memset(marks, 'x', sizeof marks);
    marks[count] = '\0';
    if (exec_chain(marks + count - 1) != 0) return -kNoSuch;
    return TICKS_OF(1, exec_chain(marks)) - TICKS_OF(1, exec_chain(""));
}

static void close_pipe(const int pipe[2]) {
    call(kClose, pipe[0], 0, 0);
    call(kClose, pipe[1], 0, 0);
}

static void bounce(int from, int to) {
    call(kRead, from, (long)chunk, 1);
    call(kWrite, to, (long)chunk, 1);
}

static int64_t ping_pong(unsigned count) {
    int there[2], back[2];
    call(kPipe, (long)there, 0, 0);
    call(kPipe, (long)back, 0, 0);
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        for (unsigned i = 0; i < count + 2; i++) bounce(there[0], back[1]);
        call(kExit, 0, 0, 0);
    }
    call(kWrite, there[1], (long)chunk, 1);
    bounce(back[0], there[1]);  // both run now
    int64_t cost = COST_OF(count, bounce(back[0], there[1]));
    call4(kWait4, child, 0, 0, 0);
    close_pipe(there);
    close_pipe(back);
    return cost;
}

static void receive_page(int from) {
    for (long got = 0, more; got < kPageBytes; got += more)
        if ((more = call(kRead, from, (long)chunk, kPageBytes - got)) <= 0) return;
}

static int64_t pipe_4k(unsigned count) {
    int pipe[2];
    call(kPipe, (long)pipe, 0, 0);
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        for (unsigned i = 0; i < count + 1; i++) call(kWrite, pipe[1], (long)chunk, kPageBytes);
        call(kExit, 0, 0, 0);
    }
    receive_page(pipe[0]);
    int64_t cost = COST_OF(count, receive_page(pipe[0]));
    call4(kWait4, child, 0, 0, 0);
    close_pipe(pipe);
    return cost;
}

static int64_t fault_zero(unsigned count) {
    volatile char* pages = map_pages(count * kPageBytes);
    if ((long)pages < 0 && (long)pages > -4096) return (long)pages;
    int64_t cost = COST_OF(count, pages[i * kPageBytes] = 1);
    call(kMunmap, (long)pages, count * kPageBytes, 0);
    return cost;
}

// The child keeps the shared pages alive, blocked, while the parent writes to each.
static int64_t fault_cow(unsigned count) {
    volatile char* pages = map_pages(count * kPageBytes);
    if ((long)pages < 0 && (long)pages > -4096) return (long)pages;
    for (unsigned i = 0; i < count; i++) pages[i * kPageBytes] = 1;
    int pipe[2];
    call(kPipe, (long)pipe, 0, 0);
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        call(kRead, pipe[0], (long)chunk, 1);
        call(kExit, 0, 0, 0);
    }
    int64_t cost = COST_OF(count, pages[i * kPageBytes] = 2);
    call(kWrite, pipe[1], (long)"", 1);
    call4(kWait4, child, 0, 0, 0);
    close_pipe(pipe);
    call(kMunmap, (long)pages, count * kPageBytes, 0);
    return cost;
}

static int64_t map_unmap(unsigned count) {
    return COST_OF(count, call(kMunmap, (long)map_pages(kPageBytes), kPageBytes, 0));
}

static void map_touch_unmap(void) {
    volatile char* pages = map_pages(kMegabyte);
    for (unsigned i = 0; i < kMegabyte; i += kPageBytes) pages[i] = 1;
    call(kMunmap, (long)pages, kMegabyte, 0);
}
static int64_t map_megabyte(unsigned count) { return COST_OF(count, (map_touch_unmap(), 0)); }

static volatile unsigned signals_handled;
static void handle(int signal) { signals_handled += signal != 0; }

static int64_t signal_self(unsigned count) {
    // The kernel's own layout of struct sigaction: handler, flags, restorer, mask.
    const struct {
        void (*handler)(int);
        long flags, restorer, mask[2];
    } action = {handle, 0, 0, {0, 0}}, normal = {SIG_DFL, 0, 0, {0, 0}};
    long self = call(kGetpid, 0, 0, 0);
    long failed = call4(kSigaction, SIGUSR1, (long)&action, 0, 8);
    if (failed < 0) return failed;
    signals_handled = 0;
    int64_t cost = COST_OF(count, call(kKill, self, SIGUSR1, 0));
    call4(kSigaction, SIGUSR1, (long)&normal, 0, 8);
    return signals_handled == count ? cost : -kNoSuch;
}

static const char* file_name(unsigned number) {
    static char name[256];
    snprintf(name, sizeof name, "%s/bench.%u", bench_folder, number);
    return name;
}

static long create_1k(const char* name) {
    long fd = open_file(name, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) return fd;
    call(kWrite, fd, (long)chunk, 1024);
    return call(kClose, fd, 0, 0);
}

// Creates `count` files and unlinks them; the time of one of these is the cost.
static int64_t create_and_unlink(unsigned count, bool time_unlink) {
    int64_t creating = 0, unlinking = 0, clock = TICKS_OF(count, now()) / count;
    for (unsigned i = 0; i < count; i++) {
        const char* name = file_name(i);
        uint64_t start = now();
        long result = create_1k(name);
        creating += now() - start - clock;
        if (result < 0) return result;
    }
    for (unsigned i = 0; i < count; i++) {
        const char* name = file_name(i);
        uint64_t start = now();
        call(kUnlink, (long)name, 0, 0);
        unlinking += now() - start - clock;
    }
    return time_unlink ? unlinking : creating;
}

static int64_t create(unsigned count) { return create_and_unlink(count, false); }
static int64_t unlink_it(unsigned count) { return create_and_unlink(count, true); }

static int64_t write_64k(unsigned count) {
    const char* name = file_name(0);
    long fd = open_file(name, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) return fd;
    int64_t cost = COST_OF(count, call(kWrite, fd, (long)chunk, kChunkBytes));
    call(kClose, fd, 0, 0);
    call(kUnlink, (long)name, 0, 0);
    return cost;
}

const struct Row kRows[] = {
    {"null", "null system call (getppid)", null_call, 10000},
    {"read-zero", "read 1 byte, /dev/zero", read_zero, 10000},
    {"write-null", "write 1 byte, /dev/null", write_null, 10000},
    {"read-cached", "read 1 byte of a cached file", read_cached, 10000},
    {"open-close", "open + close /dev/null", open_close, 2000},
    {"yield", "sched_yield, alone", yield, 10000},
    {"fork", "fork + exit + wait, small static program", fork_exit, 100},
    {"fork-64m", "fork + exit + wait, 64 MB process", fork_large, 5},
    {"exec", "fork + exec + exit + wait", fork_exec, 100},
    {"execve", "execve of a static program", execve_row, 100},
    {"ping-pong", "pipe ping-pong, round trip of two processes", ping_pong, 1000},
    {"futex", "futex ping-pong, round trip of two threads", futex_ping_pong, 1000},
    {"semaphore", "semop: P and V, undisputed", semaphore_pair, 2000},
    {"semaphores", "semop ping-pong, round trip of two processes", semaphore_ping_pong, 1000},
    {"message", "message of 64 bytes: msgsnd + msgrcv", message_pair, 2000},
    {"messages", "message ping-pong, round trip of two processes", message_ping_pong, 1000},
    {"thread", "thread: clone + exit + join", thread_create_join, 200},
    {"pipe-4k", "pipe, 4 KiB through", pipe_4k, 1000},
    {"unix-ping-pong", "local socket ping-pong, round trip", socket_ping_pong, 1000},
    {"unix-4k", "local stream socket, 4 KiB through", socket_4k, 1000},
    {"pty", "pseudo-terminal ping-pong, round trip", terminal_ping_pong, 1000},
    {"traced", "system call of a traced process", traced, 500},
    {"inotify", "write, with 10,000 files watched; its event", watched_write, 500},
    {"fault-zero", "zero-fill page fault", fault_zero, 500},
    {"fault-cow", "copy-on-write fault", fault_cow, 500},
    {"mmap", "mmap + munmap", map_unmap, 1000},
    {"mmap-1m", "mmap + touch + munmap of 1 MB", map_megabyte, 20},
    {"signal", "signal to self, handler and return", signal_self, 2000},
    {"create", "create a 1 KiB file", create, 100},
    {"unlink", "unlink it", unlink_it, 100},
    {"write-64k", "write 64 KiB to a file (into the cache)", write_64k, 8},
    {"read-64k", "read 64 KiB, cached", read_64k, 20},
    {"read-64k-disk", "read 64 KiB, from disk", read_64k_disk, 8},
};
const unsigned kRowCount = sizeof kRows / sizeof *kRows;
