// Rows of the benchmark over what watches: a terminal's other end, a tracer, and who is told of changes.
// Spec: pty(7), ptrace(2), inotify(7).
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <termios.h>

#include "bench.h"
#include "raw.h"

static char buffer[4096];

static long open_path(const char* path, int flags) { return call(kOpen, (long)path, flags, 0600); }

static void answer(long terminal) {
    call(kRead, terminal, (long)buffer, 1);
    call(kWrite, terminal, (long)buffer, 1);
}

// The kernel's own structure, which is shorter than the C library's.
struct KernelTermios {
    uint32_t input, output, control, local;
    uint8_t line, characters[19];
};

// Both ends of a new terminal, raw: no echo, no lines.
static long open_terminal(long ends[2]) {
    enum { kGet = 0x5401, kSet = 0x5402, kLock = 0x40045431, kPeer = 0x5441 };
    struct KernelTermios mode;
    int unlocked = 0;
    long master = open_path("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (master < 0) {  // the first program of a Linux: nothing is mounted yet
        call4(kMkdir, (long)"/dev/pts", 0755, 0, 0);
        long error = call5(kMount, (long)"devpts", (long)"/dev/pts", (long)"devpts", 0,
                           (long)"ptmxmode=666");
        if (error) return error;
        master = open_path("/dev/ptmx", O_RDWR | O_NOCTTY);
    }
    if (master < 0) return master;
    call(kIoctl, master, kLock, (long)&unlocked);
    long slave = call(kIoctl, master, kPeer, O_RDWR | O_NOCTTY);
    if (slave < 0) return slave;
    call(kIoctl, slave, kGet, (long)&mode);
    mode.input = mode.output = mode.local = 0;
    mode.characters[VMIN] = 1;
    mode.characters[VTIME] = 0;
    call(kIoctl, slave, kSet, (long)&mode);
    ends[0] = master;
    ends[1] = slave;
    return 0;
}

int64_t terminal_ping_pong(unsigned count) {
    long ends[2];
    long error = open_terminal(ends);
    if (error) return error;
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        for (unsigned i = 0; i < count + 2; i++) answer(ends[1]);
        call(kExit, 0, 0, 0);
    }
    call(kWrite, ends[0], (long)buffer, 1);
    answer(ends[0]);  // both run now
    int64_t cost = COST_OF(count, answer(ends[0]));
    call4(kWait4, child, 0, 0, 0);
    call(kClose, ends[0], 0, 0);
    call(kClose, ends[1], 0, 0);
    return cost;
}

static void to_next_stop(long child) {
    call4(kPtrace, PTRACE_SYSCALL, child, 0, 0);
    call4(kWait4, child, 0, 0, 0);
}
// One call of a traced process: it stops at its beginning and at its end.
static void traced_call(long child) {
    to_next_stop(child);
    to_next_stop(child);
}

int64_t traced(unsigned count) {
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        call4(kPtrace, PTRACE_TRACEME, 0, 0, 0);
        call(kKill, call(kGetpid, 0, 0, 0), SIGSTOP, 0);
        for (;;) call(kGetppid, 0, 0, 0);
    }
    call4(kWait4, child, 0, 0, 0);
    traced_call(child);
    int64_t cost = COST_OF(count, traced_call(child));
    call(kKill, child, SIGKILL, 0);
    call4(kWait4, child, 0, 0, 0);
    return cost;
}

// How many may be watched: Linux allows 8,192 where there is little memory.
static void allow_watches(void) {
    static const char kNumber[] = "100000";
    const char* setting = "/proc/sys/fs/inotify/max_user_watches";
    long file = open_path(setting, O_WRONLY);
    if (file < 0) {
        call(kMkdir, (long)"/proc", 0755, 0);
        call5(kMount, (long)"proc", (long)"/proc", (long)"proc", 0, 0);
        file = open_path(setting, O_WRONLY);
    }
    call(kWrite, file, (long)kNumber, sizeof kNumber - 1);
    call(kClose, file, 0, 0);
}

static char* name_of(unsigned number) {
    static char name[] = "/tmp/watched/00000";
    for (char* digit = name + sizeof name - 2; *digit != '/'; digit--, number /= 10)
        *digit = '0' + number % 10;
    return name;
}

static void change_and_hear(long file, long watcher) {
    call(kWrite, file, (long)buffer, 1);
    call(kRead, watcher, (long)buffer, sizeof buffer);
}

// An event of one file, told and read, while 10,000 are watched.
int64_t watched_write(unsigned count) {
    enum { kWatches = 10000 };
    long watcher = call(kInotifyInit, 0, 0, 0);
    if (watcher < 0) return watcher;
    allow_watches();
    call(kMkdir, (long)"/tmp", 0755, 0);
    call(kMkdir, (long)"/tmp/watched", 0755, 0);
    int64_t cost = 0;
    for (unsigned i = 0; i < kWatches && cost >= 0; i++) {
        call(kClose, open_path(name_of(i), O_WRONLY | O_CREAT), 0, 0);
        cost = call(kInotifyAddWatch, watcher, (long)name_of(i), IN_MODIFY);
    }
    if (cost >= 0) {
        long file = open_path(name_of(kWatches / 2), O_WRONLY);
        change_and_hear(file, watcher);
        cost = COST_OF(count, change_and_hear(file, watcher));
        call(kClose, file, 0, 0);
    }
    call(kClose, watcher, 0, 0);
    for (unsigned i = 0; i < kWatches; i++) call(kUnlink, (long)name_of(i), 0, 0);
    call(kRmdir, (long)"/tmp/watched", 0, 0);
    return cost;
}
