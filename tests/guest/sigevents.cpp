// Signals that tell of something: SIGCHLD of children, SIGALRM of timers, SIGCONT of job control;
// and waiting for them without a handler.
// Spec: sigaction(2), SA_NOCLDSTOP and SA_NOCLDWAIT; setitimer(2); sigtimedwait(2).
#include <sys/time.h>
#include <time.h>

#include "tests/guest/signals.hpp"

namespace {

using namespace check;
using namespace signals;

// Takes SIGNAL, which is blocked, when it comes.
siginfo_t take(int signal) {
    sigset_t set = set_of(signal);
    siginfo_t info = {};
    while (sigwaitinfo(&set, &info) < 0)
        if (errno != EINTR) needs("sigwaitinfo", -1);
    return info;
}

// Takes SIGNAL if it is pending; 0 if not, else its si_code.
int take_pending(int signal) {
    sigset_t set = set_of(signal);
    siginfo_t info = {};
    timespec at_once = {0, 0};
    return sigtimedwait(&set, &info, &at_once) == signal ? info.si_code : 0;
}

void test_child_signals() {
    block(SIGCHLD);
    handle(SIGCHLD, count);
    pid_t child = start([] { return 5; });
    siginfo_t info = take(SIGCHLD);
    that("SIGCHLD: exited",
         info.si_code == CLD_EXITED && info.si_pid == child && info.si_status == 5);
    equal("the child waits to be reaped", waitpid(child, nullptr, WNOHANG), child);

    child = start([] { return pause(); });
    kill(child, SIGSTOP);
    info = take(SIGCHLD);
    that("SIGCHLD: stopped", info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
    kill(child, SIGCONT);
    info = take(SIGCHLD);
    that("SIGCHLD: continued", info.si_code == CLD_CONTINUED && info.si_pid == child);
    kill(child, SIGKILL);
    info = take(SIGCHLD);
    that("SIGCHLD: killed", info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    wait_for(child);

    handle(SIGCHLD, count, SA_NOCLDSTOP);
    child = start([] { return pause(); });
    kill(child, SIGSTOP);
    int status;
    waitpid(child, &status, WUNTRACED);
    equal("SA_NOCLDSTOP: no signal for a stop", take_pending(SIGCHLD), 0);
    kill(child, SIGKILL);
    take(SIGCHLD);
    wait_for(child);

    child = start([] { return 0; });
    wait_for(child);
    runs_of[SIGCHLD] = 0;
    unblock(SIGCHLD);
    equal("a handler sees it, too", runs_of[SIGCHLD], 1);
    handle(SIGCHLD, SIG_DFL);
}

void test_no_zombies() {
    for (bool ignore : {false, true}) {
        handle(SIGCHLD, ignore ? SIG_IGN : SIG_DFL, ignore ? 0 : SA_NOCLDWAIT);
        pid_t child = start([] { return 3; });
        std::string name = ignore ? "SIGCHLD ignored" : "SA_NOCLDWAIT";
        fails(name + ": wait ends without a status", waitpid(child, nullptr, 0), ECHILD);
        fails(name + ": no zombie stays", kill(child, 0), ESRCH);
        handle(SIGCHLD, SIG_DFL);
    }
}

void test_job_control() {
    Gate ready;
    int status;
    for (int signal : {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU}) {
        pid_t child = start([&] { return pause(); });
        setpgid(child, child);  // its parent's session keeps it from being orphaned
        kill(child, signal);
        waitpid(child, &status, WUNTRACED);
        that("stops by " + name_of(signal), WIFSTOPPED(status) && WSTOPSIG(status) == signal);
        kill(child, SIGKILL);
        wait_for(child);
    }
    pid_t child = start([&] {
        handle(SIGCONT, count);
        block(SIGUSR1);
        ready.pass();
        raise(SIGSTOP);
        take(SIGUSR1);
        return runs_of[SIGCONT];
    });
    ready.wait();
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGUSR1);
    equal("stopped, it takes no signal", waitpid(child, &status, WNOHANG), 0);
    kill(child, SIGCONT);
    equal("SIGCONT continues and runs its handler", wait_for(child), 1 << 8);

    exits("SIGCONT drops a pending stop", 0, [] {
        block(SIGTSTP);
        raise(SIGTSTP);
        raise(SIGCONT);
        sigset_t pending;
        sigpending(&pending);
        return sigismember(&pending, SIGTSTP);
    });
}

void test_wait_for_signals() {
    block(SIGUSR1);
    raise(SIGUSR1);
    sigset_t set = set_of(SIGUSR1);
    siginfo_t info = {};
    timespec at_once = {0, 0}, bad = {0, -1};
    equal("sigtimedwait takes a pending signal", sigtimedwait(&set, &info, &at_once), SIGUSR1);
    that("with its origin", info.si_pid == getpid());
    fails("once", sigtimedwait(&set, &info, &at_once), EAGAIN);
    fails("bad time", sigtimedwait(&set, &info, &bad), EINVAL);
    timespec short_time = {0, 20'000'000}, begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    fails("it gives up in time", sigtimedwait(&set, nullptr, &short_time), EAGAIN);
    clock_gettime(CLOCK_MONOTONIC, &end);
    that("not too early",
         (end.tv_sec - begin.tv_sec) * 1'000'000'000LL + end.tv_nsec - begin.tv_nsec >=
             short_time.tv_nsec);
    pid_t parent = getpid(), child = start([=] {
                                 wait_until(parent);
                                 return kill(parent, SIGUSR1);
                             });
    equal("it is woken", take(SIGUSR1).si_pid, child);
    wait_for(child);
    block(SIGTERM);
    handle(SIGUSR2, count);
    child = start([=] {
        wait_until(parent);
        return kill(parent, SIGUSR2);
    });
    set = set_of(SIGTERM);
    fails("another signal's handler ends it", sigwaitinfo(&set, &info), EINTR);
    wait_for(child);
}

void test_timers() {
    block(SIGALRM);
    equal("no alarm is set", alarm(100), 0);
    unsigned left = alarm(0);
    that("alarm tells what is left", left == 99 || left == 100);
    equal("and was cancelled", alarm(0), 0);

    itimerval once = {{0, 0}, {0, 10'000}}, now, old;
    succeeds("setitimer", setitimer(ITIMER_REAL, &once, nullptr));
    equal("SIGALRM comes from the kernel", take(SIGALRM).si_code, SI_KERNEL);
    getitimer(ITIMER_REAL, &now);
    that("a single shot is over", now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0);

    itimerval repeated = {{0, 10'000}, {0, 10'000}}, none = {};
    setitimer(ITIMER_REAL, &repeated, nullptr);
    for (int i = 0; i < 3; i++) take(SIGALRM);
    succeeds("a timer repeats", setitimer(ITIMER_REAL, &none, &old));
    equal("its interval", old.it_interval.tv_usec, 10'000);
    take_pending(SIGALRM);
    itimerval bad = {{0, 0}, {0, 1'000'000}};
    fails("a million microseconds", setitimer(ITIMER_REAL, &bad, nullptr), EINVAL);
    fails("no such timer", setitimer(static_cast<__itimer_which>(7), &once, nullptr), EINVAL);

    unblock(SIGALRM);
    setitimer(ITIMER_REAL, &once, nullptr);
    exits("timers are not inherited", 0, [&] {
        itimerval child_timer;
        getitimer(ITIMER_REAL, &child_timer);
        return child_timer.it_value.tv_usec != 0;
    });
    killed("SIGALRM kills a busy program", SIGALRM, [&] {
        handle(SIGALRM, SIG_DFL);
        setitimer(ITIMER_REAL, &once, nullptr);
        for (;;) asm volatile("");
        return 0;
    });
}

}  // namespace

int main() {
    handle(SIGALRM, count);
    test_child_signals();
    test_no_zombies();
    test_job_control();
    test_wait_for_signals();
    test_timers();
    return done();
}
