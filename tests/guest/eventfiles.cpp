// Timers and signals as files: settings, periods, absolute times and a clock that is set; which
// signals are read by whom; waiting by read, poll and epoll.
// run: --smp 4
// Spec: timerfd_create(2), signalfd(2).
// needs: wing
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include <cstdint>
#include <ctime>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr long kMilli = 1'000'000;

itimerspec times(long value, long interval = 0) {
    return {{interval / 1000000000, interval % 1000000000},
            {value / 1000000000, value % 1000000000}};
}
int set(int fd, long value, long interval = 0, int flags = 0) {
    const itimerspec wanted = times(value, interval);
    return timerfd_settime(fd, flags, &wanted, nullptr);
}
long long expirations(int fd) {
    uint64_t n = 0;
    return read(fd, &n, sizeof n) == sizeof n ? static_cast<long long>(n) : -errno;
}
bool readable(int fd, int timeout = 0) {
    pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, timeout) == 1 && one.revents == POLLIN;
}
long long left_of(int fd) {
    itimerspec now;
    needs("timerfd_gettime", timerfd_gettime(fd, &now));
    return now.it_value.tv_sec * 1000000000ll + now.it_value.tv_nsec;
}
long long now_on(clockid_t clock) {
    timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

void test_bad_timers() {
    fails("no such clock", timerfd_create(2, 0), EINVAL);
    fails("no such flag", timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    exits("an alarm clock", 0, [] {
        succeeds("the superuser's", timerfd_create(CLOCK_BOOTTIME_ALARM, 0));
        needs("setuid", setuid(100));
        fails("not for others", timerfd_create(CLOCK_BOOTTIME_ALARM, 0), EPERM);
        return done();
    });
    const int fd = needs("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    fails("never set", expirations(fd) < 0 ? -1 : 0, EAGAIN);
    fails("no such flag", set(fd, 1, 0, 8), EINVAL);
    itimerspec bad = {{0, 0}, {0, 1000000000}};
    fails("a bad fraction", timerfd_settime(fd, 0, &bad, nullptr), EINVAL);
    bad = {{-1, 0}, {1, 0}};
    fails("a negative period", timerfd_settime(fd, 0, &bad, nullptr), EINVAL);
    fails("a bad pointer", syscall(SYS_timerfd_settime, fd, 0, 16, 0), EFAULT);
    fails("not a timer", set(1, 1), EINVAL);
    fails("nothing", set(99, 1), EBADF);
    itimerspec now;
    fails("not a timer to ask", timerfd_gettime(1, &now), EINVAL);
    char few[7];
    needs("settime", set(fd, 1));
    fails("a short read", read(fd, few, sizeof few), EINVAL);
    fails("a write", write(fd, few, 7), EINVAL);
    close(fd);
}

void test_timers() {
    const int fd =
        needs("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    equal("TFD_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
    equal("off", left_of(fd), 0);
    const long long begin = now_on(CLOCK_MONOTONIC);
    needs("settime", set(fd, 20 * kMilli));
    that("it counts down", left_of(fd) > 0 && left_of(fd) <= 20 * kMilli);
    that("poll waits for it", readable(fd, 10000));
    that("not less than that", now_on(CLOCK_MONOTONIC) - begin >= 20 * kMilli);
    equal("once", expirations(fd), 1);
    equal("and no more", expirations(fd), -EAGAIN);
    equal("off again", left_of(fd), 0);

    needs("settime", set(fd, 5 * kMilli, 5 * kMilli));
    const timespec pause = {0, 32 * kMilli};
    nanosleep(&pause, nullptr);
    that("a period goes on unread", expirations(fd) >= 6);
    fcntl(fd, F_SETFL, 0);
    that("the next is waited for", expirations(fd) >= 1);
    const itimerspec off = times(0);
    itimerspec old;
    needs("settime", timerfd_settime(fd, 0, &off, &old));
    equal("what it was", old.it_interval.tv_nsec, 5 * kMilli);
    that("and had left", old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 5 * kMilli);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    equal("nothing", expirations(fd), -EAGAIN);

    const long long soon = now_on(CLOCK_MONOTONIC) + 10 * kMilli;
    itimerspec then = {{0, 0}, {time_t(soon / 1000000000), long(soon % 1000000000)}};
    needs("settime", timerfd_settime(fd, TFD_TIMER_ABSTIME, &then, nullptr));
    that("an absolute time", readable(fd, 10000));
    that("has come", now_on(CLOCK_MONOTONIC) >= soon);
    then.it_value = {0, 1};
    needs("settime", timerfd_settime(fd, TFD_TIMER_ABSTIME, &then, nullptr));
    that("one that is over", readable(fd));
    close(fd);

    const pid_t sleeper = start([] {
        const int own = timerfd_create(CLOCK_MONOTONIC, 0);
        set(own, 1000000000, 0);
        return static_cast<int>(expirations(own));
    });
    wait_until(sleeper);
    kill(sleeper, SIGKILL);
    that("killed in its read", WIFSIGNALED(wait_for(sleeper)));
}

void test_clock() {
    const int follows = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    const int told = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    const int relative = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const itimerspec hour = {{0, 0}, {now.tv_sec + 3600, 0}};
    needs("settime", timerfd_settime(follows, TFD_TIMER_ABSTIME, &hour, nullptr));
    needs("settime",
          timerfd_settime(told, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &hour, nullptr));
    const itimerspec length = {{0, 0}, {3600, 0}};
    needs("settime", timerfd_settime(relative, 0, &length, nullptr));
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += 4000;
    needs("clock_settime", clock_settime(CLOCK_REALTIME, &now));
    that("the clock was set beyond it", readable(follows, 10000));
    equal("so it expired", expirations(follows), 1);
    that("the other is told", readable(told));
    equal("ECANCELED", expirations(told), -ECANCELED);
    that("a length is a length", !readable(relative));
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= 4000;
    needs("clock_settime", clock_settime(CLOCK_REALTIME, &now));
    for (int fd : {follows, told, relative}) close(fd);
}

sigset_t set_of(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : signals) sigaddset(&set, signal);
    return set;
}

void test_signals() {
    const sigset_t usual = set_of({SIGUSR1, SIGCHLD, SIGRTMIN, SIGKILL});
    sigprocmask(SIG_BLOCK, &usual, nullptr);
    fails("no such flag", signalfd(-1, &usual, 1), EINVAL);
    fails("not a signal file", signalfd(1, &usual, 0), EINVAL);
    fails("nothing", signalfd(99, &usual, 0), EBADF);
    fails("a set of another size", syscall(SYS_signalfd4, -1, &usual, 4, 0), EINVAL);
    fails("a bad pointer", syscall(SYS_signalfd4, -1, 16, 8, 0), EFAULT);
    const int fd = needs("signalfd", signalfd(-1, &usual, SFD_NONBLOCK | SFD_CLOEXEC));
    equal("SFD_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
    signalfd_siginfo info[3] = {};
    fails("none is pending", read(fd, info, sizeof info), EAGAIN);
    fails("little room", read(fd, info, 127), EINVAL);
    that("nor for poll", !readable(fd));
    kill(getpid(), SIGUSR1);
    that("one is", readable(fd));
    equal("it alone", read(fd, info, sizeof info), 128);
    equal("its number", info[0].ssi_signo, SIGUSR1);
    equal("who sent it", info[0].ssi_pid, getpid());
    equal("how", info[0].ssi_code, SI_USER);
    fails("it is taken", read(fd, info, sizeof info), EAGAIN);
    sigval value = {};
    value.sival_int = 1234;
    for (int i = 0; i < 3; ++i) sigqueue(getpid(), SIGRTMIN, value);
    equal("as many as there is room for", read(fd, info, 256 + 64), 256);
    equal("their value", info[1].ssi_int, 1234);
    equal("SI_QUEUE", info[1].ssi_code, SI_QUEUE);
    equal("and the last", read(fd, info, sizeof info), 128);
    pid_t child = start([] { return 3; });
    that("a child's end", readable(fd, 10000));
    equal("is read", read(fd, info, sizeof info), 128);
    equal("SIGCHLD", info[0].ssi_signo, SIGCHLD);
    equal("whose", info[0].ssi_pid, child);
    equal("its status", info[0].ssi_status, 3);
    equal("CLD_EXITED", info[0].ssi_code, CLD_EXITED);
    wait_for(child);

    child = start([&] {
        if (read(fd, info, 128) != -1 || errno != EAGAIN) return 1;
        fcntl(fd, F_SETFL, 0);
        return read(fd, info, 128) == 128 && info[0].ssi_signo == SIGUSR1 ? 0 : 2;
    });
    wait_until(child);
    kill(child, SIGUSR1);
    equal("a child reads its own, and waits for them", wait_for(child), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    read(fd, info, sizeof info);  // its end

    const sigset_t fewer = set_of({SIGRTMIN});
    equal("another set", signalfd(fd, &fewer, 0), fd);
    kill(getpid(), SIGUSR1);
    that("without that signal", !readable(fd));
    signalfd(fd, &usual, 0);
    that("and with it", readable(fd));
    read(fd, info, sizeof info);

    const int epoll = epoll_create1(0);
    epoll_event event = {};
    event.events = EPOLLIN;
    needs("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    equal("none for epoll", epoll_wait(epoll, &event, 1, 0), 0);
    const pid_t parent = getpid();
    child = start([&] { return kill(parent, SIGUSR1); });
    equal("it wakes epoll", epoll_wait(epoll, &event, 1, 10000), 1);
    wait_for(child);
    while (read(fd, info, sizeof info) > 0) {
    }
    // One who waits in the set of another process, and dies there.
    child = start([&] { return epoll_wait(epoll, &event, 1, -1); });
    wait_until(child);
    kill(child, SIGKILL);
    wait_for(child);
    while (read(fd, info, sizeof info) > 0) {
    }
    kill(getpid(), SIGUSR1);
    equal("the set works on", epoll_wait(epoll, &event, 1, 10000), 1);
    close(epoll);

    child = start([&] {
        sigset_t all;
        sigfillset(&all);
        const int own = signalfd(-1, &all, 0);
        return static_cast<int>(read(own, info, 128));
    });
    wait_until(child);
    kill(child, SIGKILL);
    that("SIGKILL is never read", WIFSIGNALED(wait_for(child)));
    close(fd);
}

void test_names() {
    const sigset_t none = set_of({});
    for (auto [fd, wanted] : {std::pair{timerfd_create(CLOCK_MONOTONIC, 0), "anon_inode:[timerfd]"},
                              std::pair{signalfd(-1, &none, 0), "anon_inode:[signalfd]"}}) {
        char text[64] = {};
        readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), text, sizeof text - 1);
        same("its link", text, wanted);
        close(fd);
    }
}

}  // namespace

int main() {
    test_bad_timers();
    test_timers();
    test_clock();
    test_signals();
    test_names();
    return done();
}
