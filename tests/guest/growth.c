/* What an operation costs beside few of its kind and beside many, in ticks of the time-stamp counter: a
 * line `NAME FEW MANY` each. tests/system/growth_test.sh compares them. As a test: that it runs. */
// needs: wing
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/timerfd.h>
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

static const struct {
    const char* name;
    int (*make)(void);
    int (*drop)(int);
} kinds[] = {
    {"dup-close", descriptor, close},
    {"timer-armed", timer, close},
    {"semaphore-set", semaphores, drop_semaphores},
};

/* The least of some rounds of making one and dropping it again; 0: it failed. */
static uint64_t cost(int (*make)(void), int (*drop)(int)) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < kRounds; i++) {
        const uint64_t before = ticks();
        const int made = make();
        if (made < 0 || drop(made) != 0) return 0;
        const uint64_t taken = ticks() - before;
        if (taken < least) least = taken;
    }
    return least;
}

int main(void) {
    static int made[kMany];
    const struct rlimit files = {kMany + 100, kMany + 100};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) return perror("RLIMIT_NOFILE"), 1;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        uint64_t costs[2];
        for (int i = 0; i < kMany; i++) {
            if (i == kFew) costs[0] = cost(kinds[k].make, kinds[k].drop);
            if ((made[i] = kinds[k].make()) < 0) return perror(kinds[k].name), 1;
        }
        costs[1] = cost(kinds[k].make, kinds[k].drop);
        for (int i = 0; i < kMany; i++) kinds[k].drop(made[i]);
        if (!costs[0] || !costs[1]) return printf("%s fails\n", kinds[k].name), 1;
        printf("%s %llu %llu\n", kinds[k].name, (unsigned long long)costs[0],
               (unsigned long long)costs[1]);
    }
    return 0;
}
