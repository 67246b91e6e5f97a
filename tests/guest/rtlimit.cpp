// A real-time thread that never blocks leaves ordinary ones their part of the CPU, and with a limit
// of 0 it doesn't.
// run: --icount
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "tests/guest/check.hpp"

namespace {

constexpr char kLimit[] = "/proc/sys/kernel/sched/realtime_limit_us";

void set_limit(const char* value) {
    const int fd = open(kLimit, O_WRONLY);
    check::that("limit set", fd >= 0 && write(fd, value, strlen(value)) == ssize_t(strlen(value)));
    close(fd);
}

int64_t now_ms(clockid_t clock = CLOCK_MONOTONIC) {
    timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1'000'000;
}

// Milliseconds an ordinary process needs for 100 of work beside a spinner of `policy` that gives up
// after one second.
int64_t work_beside(int policy) {
    int started[2];
    check::needs("pipe", pipe(started));
    const int64_t start = now_ms();
    const pid_t spinner = fork();
    if (spinner == 0) {
        const int64_t end = now_ms() + 1000;
        sched_param param{.sched_priority = 50};
        if (sched_setscheduler(0, policy, &param) != 0 || write(started[1], "", 1) != 1) _exit(1);
        while (now_ms() < end) {
        }
        _exit(0);
    }
    char byte;
    check::needs("the spinner", read(started[0], &byte, 1));
    const int64_t enough = now_ms(CLOCK_PROCESS_CPUTIME_ID) + 100;
    while (now_ms(CLOCK_PROCESS_CPUTIME_ID) < enough) {
    }
    const int64_t took = now_ms() - start;
    kill(spinner, SIGKILL);
    close(started[0]);
    close(started[1]);
    check::that("spinner ended", waitpid(spinner, nullptr, 0) == spinner);
    return took;
}

}  // namespace

int main() {
    cpu_set_t first;  // both on one CPU
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    check::needs("affinity", sched_setaffinity(0, sizeof first, &first));
    for (int policy : {SCHED_FIFO, SCHED_RR}) {
        set_limit("100000");
        const int64_t limited = work_beside(policy);
        check::that("an ordinary process gets on", limited >= 150 && limited <= 450);
        set_limit("0");
        check::that("without a limit it waits", work_beside(policy) >= 950);
    }
    set_limit("950000");
    return check::done();
}
