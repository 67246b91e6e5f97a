// Timers of CPU time and the limit of it. Spec: setitimer(2), getrlimit(2).
// needs: wing
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

volatile sig_atomic_t expired = 0;
void note(int) { expired = expired + 1; }

constexpr long kMillisecond = 1000;  // microseconds

itimerval every(long first, long interval) { return {{0, interval}, {0, first}}; }

long used() {  // microseconds of CPU, as the timers count them
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec * 1'000'000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_sec * 1'000'000 + usage.ru_stime.tv_usec;
}
// Computes until `times` signals have come, or the time is up; the time it took.
long compute_until(int times) {
    const long from = used();
    while (expired < times && used() - from < 2'000'000)
        for (int i = 0; i < 20'000; ++i) asm volatile("");
    return used() - from;
}

void test_timer(const char* name, int which, int signal) {
    const std::string head = std::string(name) + ": ";
    struct sigaction action = {};
    action.sa_handler = note;
    sigaction(signal, &action, nullptr);
    expired = 0;
    const itimerval wanted = every(100 * kMillisecond, 50 * kMillisecond), off = {};
    itimerval was;
    succeeds(head + "set", setitimer(which, &wanted, nullptr));
    const timespec nap = {0, 300'000'000};
    nanosleep(&nap, nullptr);
    equal(head + "sleep does not count", expired, 0);
    succeeds(head + "read", getitimer(which, &was));
    that(head + "nearly all is left",
         was.it_value.tv_usec > 70 * kMillisecond && was.it_interval.tv_usec == 50 * kMillisecond);
    const long first = compute_until(1);
    that(head + "after its time", first >= 60 * kMillisecond && first <= 400 * kMillisecond);
    compute_until(3);
    that(head + "and again", expired >= 3);
    exits(head + "a child has none", 0, [&] {
        itimerval there;
        return getitimer(which, &there) || there.it_value.tv_usec || there.it_interval.tv_usec;
    });
    succeeds(head + "off", setitimer(which, &off, &was));
    equal(head + "tells the interval", was.it_interval.tv_usec, 50 * kMillisecond);
    expired = 0;
    const long from = used();
    while (used() - from < 150 * kMillisecond) {
    }
    equal(head + "and is off", expired, 0);
}

void test_errors() {
    itimerval wanted = every(1'000'000, 0);
    fails("a second is no number of microseconds", setitimer(ITIMER_PROF, &wanted, nullptr),
          EINVAL);
    fails("no such timer", setitimer(__itimer_which(3), &wanted, nullptr), EINVAL);
    fails("no such timer to read", getitimer(__itimer_which(3), &wanted), EINVAL);
}

void test_limit() {
    killed("the hard limit kills", SIGKILL, [] {
        struct sigaction action = {};
        action.sa_handler = note;
        sigaction(SIGXCPU, &action, nullptr);
        expired = 0;
        const rlimit limit = {1, 2};
        setrlimit(RLIMIT_CPU, &limit);
        const long at = compute_until(1);
        if (!expired || at < 800 * kMillisecond) return 1;
        for (;;) compute_until(1000);
        return 0;
    });
    killed("the soft one ends who does not care", SIGXCPU, [] {
        const rlimit limit = {1, RLIM_INFINITY};
        setrlimit(RLIMIT_CPU, &limit);
        for (;;) {
        }
        return 0;
    });
}

}  // namespace

int main() {
    test_timer("ITIMER_VIRTUAL", ITIMER_VIRTUAL, SIGVTALRM);
    test_timer("ITIMER_PROF", ITIMER_PROF, SIGPROF);
    test_errors();
    test_limit();
    return done();
}
