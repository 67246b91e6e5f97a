// timer_create(2) and its kin: signals to the process and to one thread, values, periods, overruns, what
// is left, absolute times, and what fork, exec and deletion leave. Spec: timer_create(2),
// timer_settime(2), timer_getoverrun(2), timer_delete(2).
// needs: wing
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr long kMillisecond = 1'000'000;

// The system calls themselves: the C library gives timers numbers of its own.
struct KernelEvent {
    int value, signal, way, thread, rest[12];
};
int create(int clock, const KernelEvent* event, int* id) {
    return int(syscall(SYS_timer_create, clock, event, id));
}
int created(const KernelEvent& event, int clock = CLOCK_MONOTONIC) {
    int id = -1;
    needs("timer_create", create(clock, &event, &id));
    return id;
}
int set(int id, long first, long period = 0, int flags = 0, itimerspec* old = nullptr) {
    const itimerspec wanted = {{period / 1'000'000'000, period % 1'000'000'000},
                               {first / 1'000'000'000, first % 1'000'000'000}};
    return int(syscall(SYS_timer_settime, id, flags, &wanted, old));
}
itimerspec get(int id) {
    itimerspec now;
    needs("timer_gettime", syscall(SYS_timer_gettime, id, &now));
    return now;
}
long overrun(int id) { return syscall(SYS_timer_getoverrun, id); }
int remove(int id) { return int(syscall(SYS_timer_delete, id)); }
bool is_off(const itimerspec& t) { return !t.it_value.tv_sec && !t.it_value.tv_nsec; }

sigset_t only(int signal) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, signal);
    return signals;
}
// Waits for the blocked signal.
siginfo_t take(int signal) {
    const sigset_t signals = only(signal);
    siginfo_t info = {};
    needs("sigwaitinfo", sigwaitinfo(&signals, &info));
    return info;
}
bool is_pending(int signal) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, signal);
}
void sleep_ms(long ms) {
    const timespec t = {ms / 1000, ms % 1000 * kMillisecond};
    nanosleep(&t, nullptr);
}

void test_refused() {
    int id = -7;
    KernelEvent event = {0, SIGUSR1, SIGEV_SIGNAL, 0, {}};
    fails("no such clock", create(77, &event, &id), EINVAL);
    event.signal = 65;
    fails("no such signal", create(CLOCK_REALTIME, &event, &id), EINVAL);
    event.signal = 0;
    fails("signal 0", create(CLOCK_REALTIME, &event, &id), EINVAL);
    event = {0, SIGUSR1, 9, 0, {}};
    fails("no such way", create(CLOCK_REALTIME, &event, &id), EINVAL);
    event = {0, SIGUSR1, SIGEV_THREAD_ID, 1, {}};
    fails("another process' thread", create(CLOCK_REALTIME, &event, &id), EINVAL);
    fails("event in nowhere",
          create(CLOCK_REALTIME, reinterpret_cast<KernelEvent*>(0xC0000000), &id), EFAULT);
    event = {0, SIGUSR1, SIGEV_SIGNAL, 0, {}};
    fails("id to nowhere", create(CLOCK_REALTIME, &event, reinterpret_cast<int*>(16)), EFAULT);
    equal("nothing was made", id, -7);
    fails("settime", set(12345, 1), EINVAL);
    fails("delete", remove(12345), EINVAL);
    fails("getoverrun", overrun(12345), EINVAL);
    const int timer = created(event);
    fails(
        "too many nanoseconds",
        [&] {
            const itimerspec wrong = {{0, 0}, {0, 1'000'000'000}};
            return syscall(SYS_timer_settime, timer, 0, &wrong, nullptr);
        }(),
        EINVAL);
    fails("no time", syscall(SYS_timer_settime, timer, 0, nullptr, nullptr), EINVAL);
    succeeds("deleted", remove(timer));
    fails("twice", remove(timer), EINVAL);
}

void test_once() {
    const int timer = created({42, SIGRTMIN, SIGEV_SIGNAL, 0, {}});
    that("off at first", is_off(get(timer)));
    succeeds("set", set(timer, 5 * kMillisecond));
    that("it runs", !is_off(get(timer)));
    const siginfo_t info = take(SIGRTMIN);
    equal("code", info.si_code, SI_TIMER);
    equal("value", info.si_value.sival_int, 42);
    equal("which", info.si_timerid, timer);
    equal("overrun", info.si_overrun, 0);
    that("off again", is_off(get(timer)));

    itimerspec old;
    succeeds("far away", set(timer, 2'000'000'000, 7));
    succeeds("stopped", set(timer, 0, 5, 0, &old));
    that("what was left", old.it_value.tv_sec == 1);
    equal("its period", old.it_interval.tv_nsec, 7);
    that("it is off", is_off(get(timer)));
    remove(timer);
}

void test_default() {
    int id;
    needs("without an event", create(CLOCK_REALTIME, nullptr, &id));
    set(id, kMillisecond);
    const siginfo_t info = take(SIGALRM);
    equal("the value is the number", info.si_value.sival_int, id);
    remove(id);
}

void test_overrun() {
    const int timer = created({1, SIGRTMIN, SIGEV_SIGNAL, 0, {}});
    set(timer, kMillisecond, kMillisecond);
    sleep_ms(50);
    const siginfo_t info = take(SIGRTMIN);
    that("periods that nobody saw", info.si_overrun >= 45 && info.si_overrun < 1000);
    equal("asked for", overrun(timer), info.si_overrun);
    equal("period", get(timer).it_interval.tv_nsec, kMillisecond);
    take(SIGRTMIN);
    take(SIGRTMIN);
    succeeds("stopped", set(timer, 0));
    if (is_pending(SIGRTMIN)) take(SIGRTMIN);
    sleep_ms(5);
    that("it is silent", !is_pending(SIGRTMIN));

    set(timer, 1000, 1000);  // a million times a second
    sleep_ms(30);
    remove(timer);
    that("periods too short to see", take(SIGRTMIN).si_overrun >= 20'000);
    that("there was one signal", !is_pending(SIGRTMIN));
}

void test_absolute() {
    for (const int clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
        const int timer = created({0, SIGUSR1, SIGEV_SIGNAL, 0, {}}, clock);
        timespec now;
        clock_gettime(clock, &now);
        itimerspec wanted = {{0, 0}, {now.tv_sec + 2, now.tv_nsec}};
        succeeds("in two seconds",
                 syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &wanted, nullptr));
        const itimerspec left = get(timer);
        that("less than two are left",
             left.it_value.tv_sec == 1 || (left.it_value.tv_sec == 2 && !left.it_value.tv_nsec));
        wanted.it_value.tv_sec = now.tv_sec - 1;
        syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &wanted, nullptr);
        equal("what is past comes at once", take(SIGUSR1).si_signo, SIGUSR1);
        remove(timer);
    }
}

void test_silent() {
    const int timer = created({0, 0, SIGEV_NONE, 0, {}});
    set(timer, 2 * kMillisecond);
    while (!is_off(get(timer))) sched_yield();
    that("it runs out without a signal", !is_pending(SIGALRM));
    remove(timer);
}

void test_thread() {
    const int timer = created({5, SIGRTMIN + 1, SIGEV_THREAD_ID, int(gettid()), {}});
    set(timer, kMillisecond);
    equal("to one thread", take(SIGRTMIN + 1).si_value.sival_int, 5);
    remove(timer);
}

// By the C library, which makes a thread for it.
std::atomic<int> notified;
void test_library() {
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_value.sival_int = 3;
    event.sigev_notify_function = [](sigval value) { notified += value.sival_int; };
    timer_t timer;
    needs("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer));
    const itimerspec wanted = {{0, kMillisecond}, {0, kMillisecond}};
    needs("timer_settime", timer_settime(timer, 0, &wanted, nullptr));
    while (notified < 9) sleep_ms(1);
    succeeds("timer_delete", timer_delete(timer));
}

void test_heirs(const char* self) {
    const int timer = created({0, SIGUSR2, SIGEV_SIGNAL, 0, {}});
    set(timer, 1'000'000'000);
    exits("a child has none of them", EINVAL, [=] { return remove(timer) == 0 ? 0 : errno; });
    exits("nor a new program", EINVAL, [=] {
        const int own = created({0, SIGUSR2, SIGEV_SIGNAL, 0, {}});
        set(own, kMillisecond, kMillisecond);
        execl(self, self, std::to_string(own).c_str(), nullptr);
        return 1;
    });
    killed("its default action", SIGALRM, [] {
        const sigset_t signals = only(SIGALRM);
        sigprocmask(SIG_UNBLOCK, &signals, nullptr);
        int id;
        create(CLOCK_MONOTONIC, nullptr, &id);
        set(id, kMillisecond);
        for (;;) pause();
        return 0;
    });
    remove(timer);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) return remove(atoi(argv[1])) == 0 ? 0 : errno;
    for (const int signal : {SIGALRM, SIGUSR1, SIGUSR2, SIGRTMIN, SIGRTMIN + 1}) {
        const sigset_t signals = only(signal);
        sigprocmask(SIG_BLOCK, &signals, nullptr);
    }
    test_refused();
    test_once();
    test_default();
    test_overrun();
    test_absolute();
    test_silent();
    test_thread();
    test_heirs(argv[0]);
    test_library();
    return done();
}
