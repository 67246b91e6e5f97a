/* What an operation costs beside few of its kind and beside many, in ticks of the time-stamp counter: a
 * line `NAME FEW MANY` each. tests/system/growth_test.sh compares them. As a test: that it runs. */
// needs: wing
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kFew = 10, kMany = 4000, kRounds = 20 };

static uint64_t ticks(void) { return __builtin_ia32_rdtsc(); }

static int descriptor(void) { return dup(0); }
static int timer(void) {
    const struct itimerspec late = {{0, 0}, {10000, 0}};
    const int made = timerfd_create(CLOCK_MONOTONIC, 0);
    return made < 0 || timerfd_settime(made, 0, &late, NULL) ? -1 : made;
}
static int semaphores(void) { return semget(IPC_PRIVATE, 1, 0600); }
static int drop_semaphores(int made) { return semctl(made, 0, IPC_RMID); }

static int posix_timer(void) {
    struct sigevent quiet = {.sigev_notify = SIGEV_NONE};
    const struct itimerspec late = {{0, 0}, {10000, 0}};
    timer_t made;
    if (timer_create(CLOCK_MONOTONIC, &quiet, &made)) return -1;
    return timer_settime(made, 0, &late, NULL) ? -1 : (int)made;
}
static int drop_posix_timer(int made) { return timer_delete((timer_t)made); }

/* Every second byte of a file. */
static int locked(short type, int byte) {
    static int file = -1;
    if (file < 0) file = open("/tmp/growth", O_RDWR | O_CREAT, 0600);
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(file, F_SETLK, &lock);
}
static int lock(void) {
    static int byte;
    return locked(F_WRLCK, byte += 2) ? -1 : byte;
}
static int unlock(int byte) { return locked(F_UNLCK, byte); }

static int zombie(void) {
    const int child = fork();
    if (child == 0) _exit(0);
    siginfo_t ended;
    return waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT) ? -1 : child;
}
static int bury(int child) { return waitpid(child, NULL, 0) != child; }

static const char* place(int number) {
    static char name[32];
    snprintf(name, sizeof name, "/tmp/growth.%d", number);
    return name;
}
static int mounted(void) {
    static int last;
    ++last;
    return mkdir(place(last), 0700) || mount("growth", place(last), "tmpfs", 0, NULL) ? -1 : last;
}
static int unmount(int number) { return umount(place(number)) || rmdir(place(number)); }
static int look(int number) {
    struct stat found;
    return stat(place(number), &found);
}

/* What is measured is making one and dropping it again, or a look at one. */
static const struct {
    const char* name;
    int (*make)(void);
    int (*drop)(int);
    int (*look)(int);
} kinds[] = {
    {"dup-close", descriptor, close, NULL},
    {"timer-armed", timer, close, NULL},
    {"posix-timer", posix_timer, drop_posix_timer, NULL},
    {"semaphore-set", semaphores, drop_semaphores, NULL},
    {"record-lock", lock, unlock, NULL},
    {"waitpid", zombie, bury, NULL},
    {"stat-on-mount", mounted, unmount, look},
};

/* The least of some rounds; 0: it failed. The first of all is `made`. */
static uint64_t cost(size_t kind, int made) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < kRounds; i++) {
        const uint64_t before = ticks();
        if (kinds[kind].look) {
            if (kinds[kind].look(made) != 0) return 0;
        } else {
            const int fresh = kinds[kind].make();
            if (fresh < 0 || kinds[kind].drop(fresh) != 0) return 0;
        }
        const uint64_t taken = ticks() - before;
        if (taken < least) least = taken;
    }
    return least;
}

int main(void) {
    static int made[kMany];
    const struct rlimit files = {kMany + 100, kMany + 100};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) return perror("RLIMIT_NOFILE"), 1;
    const struct rlimit signals = {kMany + 100, kMany + 100}; /* each POSIX timer has one */
    if (setrlimit(RLIMIT_SIGPENDING, &signals) != 0) return perror("RLIMIT_SIGPENDING"), 1;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        uint64_t costs[2];
        for (int i = 0; i < kMany; i++) {
            if (i == kFew) costs[0] = cost(k, made[0]);
            if ((made[i] = kinds[k].make()) < 0) return perror(kinds[k].name), 1;
        }
        costs[1] = cost(k, made[0]);
        for (int i = 0; i < kMany; i++) kinds[k].drop(made[i]);
        if (!costs[0] || !costs[1]) return printf("%s fails\n", kinds[k].name), 1;
        printf("%s %llu %llu\n", kinds[k].name, (unsigned long long)costs[0],
               (unsigned long long)costs[1]);
    }
    return 0;
}
