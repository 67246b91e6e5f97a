// Signals: how a handler is entered and left, what is blocked when, and what they do to calls.
// Spec: signal(7), sigaction(2), sigaltstack(2), sigsuspend(2).
#include <sys/mman.h>
#include <sys/ucontext.h>

#include "tests/guest/signals.hpp"

namespace {

using namespace check;
using namespace signals;

volatile siginfo_t last;

void count_info(int signal, siginfo_t* info, void*) {
    count(signal);
    last.si_code = info->si_code;
    last.si_signo = info->si_signo;
    last.si_pid = info->si_pid;
    last.si_uid = info->si_uid;
}

bool is_blocked(int signal) {
    sigset_t mask;
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    return sigismember(&mask, signal);
}

bool is_pending(int signal) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, signal);
}

void test_handlers() {
    handle(SIGUSR1, count);
    raise(SIGUSR1);
    equal("handler has run when raise returns", runs_of[SIGUSR1], 1);
    kill(getpid(), SIGUSR1);
    equal("and when kill returns", runs_of[SIGUSR1], 2);
    struct sigaction old;
    sigaction(SIGUSR1, nullptr, &old);
    that("sigaction tells the handler", old.sa_handler == count);
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    equal("ignored", runs_of[SIGUSR1], 2);
    for (int bad : {SIGKILL, SIGSTOP, 0, 65}) {
        struct sigaction action = {};
        action.sa_handler = count;
        fails("no handler for " + std::to_string(bad), sigaction(bad, &action, nullptr), EINVAL);
    }
    handle(SIGUSR1, count, SA_RESETHAND);
    raise(SIGUSR1);
    sigaction(SIGUSR1, nullptr, &old);
    that("SA_RESETHAND", runs_of[SIGUSR1] == 1 && old.sa_handler == SIG_DFL);

    struct sigaction action = {};
    action.sa_sigaction = count_info;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR2, &action, nullptr);
    wait_for(start([] { return kill(getppid(), SIGUSR2); }));
    that("siginfo of kill: code", last.si_code == SI_USER && last.si_signo == SIGUSR2);
    that("siginfo of kill: sender",
         last.si_pid > 0 && last.si_pid != getpid() && last.si_uid == getuid());
    raise(SIGUSR2);
    that("siginfo of raise", last.si_code == SI_TKILL && last.si_pid == getpid());
}

void test_masks() {
    handle(SIGUSR1, count);
    block(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    equal("blocked: not delivered", runs_of[SIGUSR1], 0);
    that("blocked: pending", is_pending(SIGUSR1) && !is_pending(SIGUSR2));
    exits("pending signals are not inherited, the mask is", 0,
          [] { return is_pending(SIGUSR1) || !is_blocked(SIGUSR1); });
    unblock(SIGUSR1);
    equal("unblocked: delivered once", runs_of[SIGUSR1], 1);

    block(SIGUSR1);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    that("ignoring drops what is pending", !is_pending(SIGUSR1));
    unblock(SIGUSR1);

    sigset_t all, mask;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &mask);
    that("SIGKILL and SIGSTOP cannot be blocked", !is_blocked(SIGKILL) && !is_blocked(SIGSTOP));
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    fails("no such way to change a mask", sigprocmask(77, &all, nullptr), EINVAL);
}

volatile int inner_before, inner_after, blocked_inside;

void raise_inner(int signal) {
    count(signal);
    inner_before = runs_of[SIGUSR2];
    raise(SIGUSR2);
    inner_after = runs_of[SIGUSR2];
}

void raise_itself(int signal) {
    count(signal);
    blocked_inside = is_blocked(signal);
    if (runs_of[signal] == 1) raise(signal);
    inner_after = runs_of[signal];
}

void test_nesting() {
    handle(SIGUSR2, count);
    handle(SIGUSR1, raise_inner);
    raise(SIGUSR1);
    that("another signal nests", inner_before == 0 && inner_after == 1);
    handle(SIGUSR2, count);
    handle(SIGUSR1, raise_inner, 0, SIGUSR2);
    raise(SIGUSR1);
    that("sa_mask puts it off", inner_after == 0 && runs_of[SIGUSR2] == 1);
    that("mask is as before", !is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));

    handle(SIGUSR1, raise_itself);
    raise(SIGUSR1);
    that("the same signal waits", runs_of[SIGUSR1] == 2 && blocked_inside);
    handle(SIGUSR1, raise_itself, SA_NODEFER);
    raise(SIGUSR1);
    that("SA_NODEFER nests it", runs_of[SIGUSR1] == 2 && !blocked_inside && inner_after == 2);
}

void test_suspend() {
    handle(SIGUSR1, count);
    block(SIGUSR1);
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    fails("sigsuspend returns after a pending signal", sigsuspend(&none), EINTR);
    equal("whose handler has run", runs_of[SIGUSR1], 1);
    that("and restores the mask", is_blocked(SIGUSR1));
    Gate ready;
    pid_t child = start([&] {
        ready.pass();
        return sigsuspend(&none) == -1 && errno == EINTR && runs_of[SIGUSR1] == 2 ? 0 : 1;
    });
    ready.wait();
    wait_until(child);
    kill(child, SIGUSR1);
    equal("sigsuspend sleeps until one comes", wait_for(child), 0);
    unblock(SIGUSR1);
}

Gate* told;

void count_and_tell(int signal) {
    count(signal);
    told->pass();
}

// A child blocks in CALL; a signal with FLAGS comes; when its handler has run, GATE opens.
template <typename Call>
int interrupt(int flags, Gate& gate, Call call) {
    Gate handled;
    told = &handled;
    handle(SIGUSR1, count_and_tell, flags);
    pid_t child = start([&] {
        int result = call();
        return runs_of[SIGUSR1] == 1 ? result : 100;
    });
    wait_until(child);
    kill(child, SIGUSR1);
    handled.wait();
    if (flags & SA_RESTART) wait_until(child);
    gate.pass();
    int status = wait_for(child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void test_interrupted_calls() {
    int ends[2];
    needs("pipe", pipe(ends));
    auto read_one = [&] {
        char byte;
        return read(ends[0], &byte, 1) < 0 ? errno : 0;
    };
    Gate gate;
    equal("read is interrupted", interrupt(0, gate, read_one), EINTR);
    {
        Gate other;
        auto read_gate = [&] { return other.wait() - 1; };
        equal("read is restarted", interrupt(SA_RESTART, other, read_gate), 0);
    }
    auto wait_for_child = [] {
        pid_t sleeper = start([] { return pause(); });
        int result = waitpid(sleeper, nullptr, 0) < 0 ? errno : 0;
        kill(sleeper, SIGKILL);
        return result;
    };
    equal("waitpid is interrupted", interrupt(0, gate, wait_for_child), EINTR);
    equal("pause is interrupted", interrupt(0, gate, [] { return pause() < 0 ? errno : 0; }),
          EINTR);
    close(ends[0]);
    close(ends[1]);
}

void test_busy_loop() {
    TakingTurns turns;
    Gate ready;
    handle(SIGUSR1, count);
    pid_t child = start([&] {
        ready.pass();
        while (runs_of[SIGUSR1] == 0) {
        }
        return 7;
    });
    ready.wait();
    kill(child, SIGUSR1);
    equal("a program without calls is signalled", wait_for(child), 7 << 8);
    child = start([&] {
        ready.pass();
        for (;;) asm volatile("");
        return 0;
    });
    ready.wait();
    kill(child, SIGKILL);
    equal("and killed", wait_for(child), SIGKILL);
}

void test_pipe_signal() {
    int ends[2];
    needs("pipe", pipe(ends));
    close(ends[0]);
    killed("SIGPIPE kills", SIGPIPE, [&] { return int(write(ends[1], "x", 1)); });
    handle(SIGPIPE, count);
    fails("SIGPIPE handled: EPIPE", write(ends[1], "x", 1), EPIPE);
    equal("and its handler has run", runs_of[SIGPIPE], 1);
    close(ends[1]);
}

char* alternate;
constexpr unsigned kAlternateBytes = 32768;
volatile int on_alternate, change_error, flags_inside;

void look_at_stack(int signal) {
    volatile char here = 0;
    count(signal);
    on_alternate = &here >= alternate && &here < alternate + kAlternateBytes;
    stack_t stack = {.ss_sp = alternate, .ss_flags = 0, .ss_size = kAlternateBytes}, now;
    sigaltstack(nullptr, &now);
    flags_inside = now.ss_flags;
    change_error = sigaltstack(&stack, nullptr) < 0 ? errno : 0;
}

void test_alternate_stack() {
    alternate = static_cast<char*>(malloc(kAlternateBytes));
    stack_t stack = {.ss_sp = alternate, .ss_flags = 0, .ss_size = 100}, now;
    fails("alternate stack too small", sigaltstack(&stack, nullptr), ENOMEM);
    stack.ss_size = kAlternateBytes;
    stack.ss_flags = 0x40;
    fails("alternate stack with odd flags", sigaltstack(&stack, nullptr), EINVAL);
    stack.ss_flags = 0;
    succeeds("alternate stack", sigaltstack(&stack, nullptr));
    handle(SIGUSR1, look_at_stack, SA_ONSTACK);
    raise(SIGUSR1);
    that("SA_ONSTACK runs there", on_alternate && flags_inside == SS_ONSTACK);
    equal("it cannot be changed meanwhile", change_error, EPERM);
    handle(SIGUSR1, look_at_stack);
    raise(SIGUSR1);
    that("others do not", !on_alternate && flags_inside == 0);
    stack.ss_flags = SS_DISABLE;
    succeeds("disable it", sigaltstack(&stack, &now));
    that("it was enabled", now.ss_sp == alternate && now.ss_flags == 0);
    handle(SIGUSR1, look_at_stack, SA_ONSTACK);
    raise(SIGUSR1);
    that("disabled: the usual stack", !on_alternate && flags_inside == SS_DISABLE);
}

}  // namespace

int main() {
    test_handlers();
    test_masks();
    test_nesting();
    test_suspend();
    test_interrupted_calls();
    test_busy_loop();
    test_pipe_signal();
    test_alternate_stack();
    return done();
}
