// adjtimex: the wall clock is steered, by frequency, by tick, by adjtime and by the PLL, and stepped; a leap second;
// the monotonic clock is not. Spec: adjtimex(2), adjtime(3), clock_adjtime(2).
// needs: wing
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

long long nanoseconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
}

// How far the wall clock is ahead. Read twice, so that an interruption between the two does not count.
long long ahead() {
    long long best = 0, gap = 1ll << 62;
    for (int i = 0; i < 5; ++i) {
        const long long before = nanoseconds(CLOCK_MONOTONIC), wall = nanoseconds(CLOCK_REALTIME);
        const long long took = nanoseconds(CLOCK_MONOTONIC) - before;
        if (took < gap) gap = took, best = wall - before - took / 2;
    }
    return best;
}

int set(timex& t, unsigned modes) {
    t.modes = modes;
    return adjtimex(&t);
}

// What the wall clock gains in so many milliseconds of the other, in microseconds; it never goes back.
long long gains_in(int milliseconds) {
    const long long start = ahead(),
                    end = nanoseconds(CLOCK_MONOTONIC) + milliseconds * 1'000'000ll;
    long long last = nanoseconds(CLOCK_REALTIME);
    bool back = false;
    while (nanoseconds(CLOCK_MONOTONIC) < end) {
        const long long now = nanoseconds(CLOCK_REALTIME);
        back |= now < last;
        last = now;
        usleep(5000);
    }
    that("the wall clock does not go back", !back);
    return (ahead() - start) / 1000;
}

bool about(long long got, long long wanted) {
    const bool right = got > wanted - 60 && got < wanted + 60;
    if (!right) printf("got %lld, not about %lld\n", got, wanted), fflush(stdout);
    return right;
}

void test_steering() {
    timex t{};
    equal("not synchronised", set(t, 0), TIME_ERROR);
    equal("tick", t.tick, 10000);
    t.freq = 400 << 16;
    succeeds("frequency", set(t, ADJ_FREQUENCY));
    that("400 us in a second", about(gains_in(1000), 400));
    t.freq = 600 << 16;
    set(t, ADJ_FREQUENCY);
    equal("at most 500 ppm", t.freq, 500 << 16);
    t.freq = 0, t.tick = 9990;
    succeeds("tick", set(t, ADJ_FREQUENCY | ADJ_TICK));
    that("a thousandth less", about(gains_in(500), -500));
    t.tick = 10000;
    set(t, ADJ_TICK);
    that("as fast as the other again", about(gains_in(300), 0));
    timeval by{0, 600}, left{};
    succeeds("adjtime", adjtime(&by, &left));
    that("500 us a second, then the rest", about(gains_in(3200), 600));
    succeeds("nothing left", adjtime(nullptr, &left));
    that("nothing", left.tv_sec == 0 && left.tv_usec == 0);
    t = {};
    t.status = STA_PLL | STA_FREQHOLD, t.constant = 0, t.offset = 300'000;
    succeeds("the PLL", set(t, ADJ_STATUS | ADJ_NANO | ADJ_TIMECONST | ADJ_OFFSET));
    that("a quarter of it at once", t.offset == 225'000 || t.offset == 300'000);
    const long long gain = gains_in(2500);
    that("a quarter of the rest each second", gain > 90 && gain < 240);
    t.status = STA_UNSYNC, t.offset = 0;
    set(t, ADJ_STATUS | ADJ_MICRO);
    const long long before = ahead();
    t.time = {3, 500'000};
    succeeds("a step", set(t, ADJ_SETOFFSET));
    that("of 3.5 s", about((ahead() - before) / 1000, 3'500'000));
    t.time = {-4, 500'000};
    succeeds("and back", set(t, ADJ_SETOFFSET));
    that("where it was", about((ahead() - before) / 1000, 0));
}

void test_leap_second() {
    const timespec old{time(nullptr), 0}, late{1'483'228'797, 500'000'000};  // 2016-12-31, 23:59:57
    needs("clock_settime", clock_settime(CLOCK_REALTIME, &late));
    timex t{};
    t.status = STA_INS, t.maxerror = 0;
    needs("STA_INS", set(t, ADJ_STATUS | ADJ_MAXERROR));
    int seen = 0;
    bool again = false;
    for (int i = 0; i < 1'000 && seen != TIME_WAIT; ++i) {
        seen = set(t, 0);
        again |= seen == TIME_OOP && t.time.tv_sec == 1'483'228'799;
        usleep(5000);
    }
    that("59 comes twice", again);
    equal("and is over", seen, TIME_WAIT);
    t.status = STA_UNSYNC;
    set(t, ADJ_STATUS);
    clock_settime(CLOCK_REALTIME, &old);
}

void test_refusals() {
    timex t{};
    t.tick = 8999;
    fails("a tick", set(t, ADJ_TICK), EINVAL);
    t.time = {0, 1'000'000};
    fails("a fraction", set(t, ADJ_SETOFFSET), EINVAL);
    t.time = {-time(nullptr) - 1000, 0};
    fails("a step to before 1970", set(t, ADJ_SETOFFSET), EINVAL);
    unsigned far[52] = {ADJ_SETOFFSET};
    for (unsigned seconds : {0x7fffffffu, 0x80000000u}) {
        far[18] = 0, far[19] = seconds;  // the upper half of 64 bits
        fails("a step out of all time", syscall(405, CLOCK_REALTIME, far), EINVAL);
    }
    fails("adjtime without its bit", set(t, 0x8000), EINVAL);
    fails("an address", syscall(SYS_adjtimex, 0xc0000000), EFAULT);
    t = {};
    fails("a clock that is not steered", clock_adjtime(CLOCK_MONOTONIC, &t), EOPNOTSUPP);
    fails("no clock", clock_adjtime(clockid_t(99), &t), EINVAL);
    exits("a user", 0, [] {
        needs("setuid", setuid(1000));
        timex own{};
        that("may look", set(own, 0) >= 0);
        fails("may not steer", set(own, ADJ_FREQUENCY), EPERM);
        that("may read what is left", set(own, ADJ_OFFSET_SS_READ) >= 0);
        fails("may not adjust", set(own, ADJ_OFFSET_SINGLESHOT), EPERM);
        return done();
    });
}

}  // namespace

int main() {
    test_refusals();
    test_steering();
    test_leap_second();
    return done();
}
