// Clocks and sleeping: clocks that do not go back, sleeps that are not too short, what a process is
// charged for.
// Spec: clock_gettime(2), nanosleep(2), times(2), getrusage(2).
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr long long kSecond = 1'000'000'000;

long long nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }
long long microseconds(const timeval& time) { return time.tv_sec * 1'000'000LL + time.tv_usec; }

long long now(clockid_t clock = CLOCK_MONOTONIC) {
    timespec time;
    needs("clock_gettime", clock_gettime(clock, &time));
    return nanoseconds(time);
}

void test_clocks() {
    long long last = now(), steps = 0;
    bool backwards = false;
    for (int i = 0; i < 20'000; i++) {
        long long time = now();
        backwards |= time < last;
        steps += time != last;
        last = time;
    }
    that("the monotonic clock never goes back", !backwards);
    that("it advances finely", steps > 10);
    that("the real-time clock is of this century", now(CLOCK_REALTIME) > 946'684'800 * kSecond);
    timeval day;
    gettimeofday(&day, nullptr);
    long long difference = now(CLOCK_REALTIME) / 1000 - microseconds(day);
    that("gettimeofday agrees", difference >= 0 && difference < 1'000'000);
    that("time agrees", time(nullptr) - day.tv_sec <= 1);
    timespec resolution;
    succeeds("clock_getres", clock_getres(CLOCK_MONOTONIC, &resolution));
    that("of at most a tick",
         nanoseconds(resolution) > 0 && nanoseconds(resolution) <= kSecond / 100);
    const timespec epoch{0, 0};
    fails("before the machine was switched on", clock_settime(CLOCK_REALTIME, &epoch), EINVAL);
    fails("no such clock", clock_gettime(99, &resolution), EINVAL);
    struct sysinfo info;
    sysinfo(&info);
    long long uptime = now(CLOCK_BOOTTIME) / kSecond;
    that("sysinfo's uptime", info.uptime >= uptime - 2 && info.uptime <= uptime + 2);
}

// How user and kernel mode share the time is only estimated, by ticks; both estimates grow all the same.
void test_usage_grows() {
    static char zeros[65536];
    const int zero = open("/dev/zero", O_RDONLY);
    rusage last{};
    bool back = false;
    for (int i = 0; i < 300; i++) {
        if (i / 20 % 2)
            for (int j = 0; j < 100; j++) (void)!read(zero, zeros, sizeof zeros);
        else
            for (int j = 0; j < 500'000; ++j) asm volatile("");
        rusage now;
        getrusage(RUSAGE_SELF, &now);
        back |= microseconds(now.ru_utime) < microseconds(last.ru_utime) ||
                microseconds(now.ru_stime) < microseconds(last.ru_stime);
        last = now;
    }
    close(zero);
    that("neither user nor kernel time goes back", !back);
}

void test_sleep() {
    for (long length : {1L, 1'000'000L, 25'000'000L}) {
        timespec request = {0, length};
        long long begin = now();
        succeeds("nanosleep of " + std::to_string(length), nanosleep(&request, nullptr));
        that("is not too short", now() - begin >= length);
    }
    timespec bad = {0, kSecond}, past = {0, 0};
    fails("a bad time", nanosleep(&bad, nullptr), EINVAL);
    bad = {-1, 0};
    fails("a negative time", nanosleep(&bad, nullptr), EINVAL);
    timespec moment = {0, 1};
    fails("nobody wakes by a thread's CPU time",
          syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &moment, nullptr), EOPNOTSUPP);
    fails("no clock", syscall(SYS_clock_nanosleep, 77, 0, &moment, nullptr), EINVAL);
    equal("sleep until what is past",
          clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, nullptr), 0);
    long long until = now() + 20'000'000;
    timespec future = {time_t(until / kSecond), long(until % kSecond)};
    equal("sleep until a time", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &future, nullptr),
          0);
    that("is over then", now() >= until);

    exits("a signal ends a sleep and tells the rest", 0, [] {
        signal(SIGALRM, [](int) {});
        itimerval timer = {{0, 0}, {0, 20'000}};
        setitimer(ITIMER_REAL, &timer, nullptr);
        timespec request = {1000, 0}, rest = {};
        if (nanosleep(&request, &rest) == 0 || errno != EINTR) return 1;
        return nanoseconds(rest) > 900 * kSecond && nanoseconds(rest) < 1000 * kSecond ? 0 : 2;
    });
    pid_t parent = getpid();
    pid_t other = start([=] {
        wait_until(parent);  // sleepers do not hold the machine
        return 6;
    });
    timespec pause_time = {0, 50'000'000};
    while (waitpid(other, nullptr, WNOHANG) == 0) nanosleep(&pause_time, nullptr);
    that("others run meanwhile", true);
}

long long charged() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

// Uses the processor until the process has been charged for SOME more microseconds of it.
void burn(long long some) {
    for (long long begin = charged(); charged() - begin < some;)
        for (int i = 0; i < 100'000; i++) asm volatile("");
}

void test_charging() {
    long long begin = now();
    burn(60'000);
    that("no more is charged than has passed", now() - begin >= 20'000'000);
    tms mine;
    that("times: ticks of the clock", times(&mine) > 0);
    that("times: used by this process", mine.tms_utime + mine.tms_stime >= 4);
    equal("clock ticks a second", sysconf(_SC_CLK_TCK), 100);
    wait_for(start([] {
        burn(60'000);
        return 0;
    }));
    times(&mine);
    that("times: used by dead children", mine.tms_cutime + mine.tms_cstime >= 4);
    rusage usage;
    succeeds("getrusage of children", getrusage(RUSAGE_CHILDREN, &usage));
    that("agrees", microseconds(usage.ru_utime) + microseconds(usage.ru_stime) >= 40'000);
    fails("getrusage of whom?", getrusage(static_cast<__rusage_who>(9), &usage), EINVAL);
    long long before = now(CLOCK_PROCESS_CPUTIME_ID);
    timespec nap = {0, 50'000'000};
    nanosleep(&nap, nullptr);
    that("sleeping costs nothing", now(CLOCK_PROCESS_CPUTIME_ID) - before < 40'000'000);
}

}  // namespace

int main() {
    test_clocks();
    test_usage_grows();
    test_sleep();
    test_charging();
    return done();
}
