// Timers and clocks of CPU time: timer_create on the process', the thread's and another process' clock, what is
// left, periods and what was missed, absolute times; clocks by clock_getcpuclockid and its kin; the end.
// Spec: timer_create(2), timer_settime(2), clock_getcpuclockid(3), pthread_getcpuclockid(3).
// needs: wing
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include <atomic>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr long long kMilli = 1'000'000;

struct KernelEvent {
    int value, signal, way, thread, rest[12];
};
int create(clockid_t clock, int signal = SIGUSR1) {
    KernelEvent event = {};
    event.value = 77;
    event.signal = signal;
    int id = -1;
    return syscall(SYS_timer_create, clock, &event, &id) < 0 ? -1 : id;
}
int set(int id, long long value, long long interval = 0, int flags = 0) {
    const long wanted[4] = {long(interval / 1'000'000'000), long(interval % 1'000'000'000),
                            long(value / 1'000'000'000), long(value % 1'000'000'000)};
    return int(syscall(SYS_timer_settime, id, flags, wanted, nullptr));
}
long long left(int id) {
    long now[4] = {};
    needs("timer_gettime", syscall(SYS_timer_gettime, id, now));
    return now[2] * 1'000'000'000ll + now[3];
}
void forget(int id) { needs("timer_delete", syscall(SYS_timer_delete, id)); }

long long used(clockid_t clock) {
    timespec now;
    needs("clock_gettime", clock_gettime(clock, &now));
    return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
}

std::atomic<int> expired = 0, value = 0, overruns = 0;
void note(int, siginfo_t* info, void*) {
    value = info->si_value.sival_int;
    overruns = overruns + info->si_overrun;
    ++expired;
}
// Computes until `times` signals came, or 3 s of CPU are used; how long that took by the process' clock.
long long compute_until(int times) {
    const long long from = used(CLOCK_PROCESS_CPUTIME_ID);
    long long now = from;
    while (expired < times && now - from < 3000 * kMilli) {
        for (int i = 0; i < 20'000; ++i) asm volatile("");
        now = used(CLOCK_PROCESS_CPUTIME_ID);
    }
    return now - from;
}

void test_timer(const char* name, clockid_t clock) {
    const std::string head = std::string(name) + ": ";
    expired = value = overruns = 0;
    const int id = create(clock);
    succeeds(head + "created", id);
    equal(head + "it is off", left(id), 0);
    succeeds(head + "set", set(id, 100 * kMilli, 50 * kMilli));
    const timespec nap = {0, 300'000'000};
    nanosleep(&nap, nullptr);
    equal(head + "sleep does not count", expired, 0);
    that(head + "nearly all is left", left(id) > 60 * kMilli && left(id) <= 100 * kMilli);
    const long long first = compute_until(1);
    that(head + "after its time", first >= 50 * kMilli && first <= 500 * kMilli);
    equal(head + "its value", value, 77);
    const long long second = compute_until(3);
    that(head + "and periodically", second >= 40 * kMilli && second <= 600 * kMilli);
    succeeds(head + "off", set(id, 0));
    equal(head + "nothing is left", left(id), 0);
    expired = 0;
    succeeds(head + "absolute", set(id, used(clock) + 80 * kMilli, 0, TIMER_ABSTIME));
    const long long third = compute_until(1);
    that(head + "at that time", third >= 30 * kMilli && third <= 500 * kMilli);
    succeeds(head + "in the past", set(id, 1, 0, TIMER_ABSTIME));
    compute_until(2);
    equal(head + "at once", expired, 2);
    overruns = 0;
    succeeds(head + "a short period", set(id, kMilli, kMilli));
    expired = 0;
    compute_until(3);
    that(head + "what was missed is counted", overruns >= 10);
    forget(id);
}

std::atomic<bool> other_may_end = false;
void* idle_thread(void*) {
    while (!other_may_end) usleep(10'000);
    return nullptr;
}

void test_threads() {
    pthread_t other;
    needs("pthread_create", -pthread_create(&other, nullptr, idle_thread, nullptr));
    clockid_t clock, own;
    needs("pthread_getcpuclockid", -pthread_getcpuclockid(other, &clock));
    needs("pthread_getcpuclockid", -pthread_getcpuclockid(pthread_self(), &own));
    expired = 0;
    const int id = create(clock);
    succeeds("by another thread's clock", id);
    succeeds("set", set(id, 100 * kMilli));
    const long long before = used(own), idle_before = used(clock);
    const long long until = used(CLOCK_PROCESS_CPUTIME_ID) + 300 * kMilli;
    while (used(CLOCK_PROCESS_CPUTIME_ID) < until) {
    }
    equal("it does not run by ours", expired, 0);
    that("our clock goes", used(own) - before >= 200 * kMilli);
    that("the other's hardly", used(clock) - idle_before < 50 * kMilli);
    forget(id);
    other_may_end = true;
    pthread_join(other, nullptr);
    timespec now;
    fails("a thread that has ended", clock_gettime(clock, &now), EINVAL);
}

void test_processes() {
    Gate leave;
    const pid_t child = start([&] { return leave.wait(); });
    clockid_t clock;
    equal("clock_getcpuclockid", clock_getcpuclockid(child, &clock), 0);
    that("a child's time", used(clock) < 3000 * kMilli);
    const int id = create(clock);
    succeeds("a timer by it", id);
    succeeds("set", set(id, 1'000'000 * kMilli));
    leave.pass(0);
    wait_for(child);
    forget(id);
    fails("no clock of a process that is gone", create(clock), EINVAL);
    fails("no such kind of clock", create(clockid_t(~getpid() * 8 + 3)), EINVAL);
    fails(
        "no thread of another process",
        [] {
            const clockid_t of_parent = clockid_t(~getppid() * 8 + 6);
            return create(of_parent);
        }(),
        EINVAL);
    exits("ends with its process", 0, [] {
        const int own = create(CLOCK_PROCESS_CPUTIME_ID);
        return set(own, 10 * kMilli, 10 * kMilli);
    });
}

}  // namespace

int main() {
    struct sigaction action = {};
    action.sa_sigaction = note;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    test_timer("process", CLOCK_PROCESS_CPUTIME_ID);
    test_timer("thread", CLOCK_THREAD_CPUTIME_ID);
    test_threads();
    test_processes();
    return done();
}
