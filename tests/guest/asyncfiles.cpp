// Signals of files: F_SETOWN, F_SETOWN_EX, F_SETSIG and their counterparts, O_ASYNC on pipes, sockets and
// terminals, what is refused, and who may be signalled. Spec: fcntl(2), "Managing signals"; open(2) O_ASYNC.
// run: --smp 4
// needs: wing
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/guest/check.hpp"
#include "tests/guest/no_leak.hpp"

using namespace check;

namespace {

const int kSignal = SIGRTMIN + 3;

// The next signal of the set, or its number 0 if there is none within a second.
siginfo_t next_signal(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    siginfo_t info = {};
    const timespec second = {1, 0};
    if (sigtimedwait(&set, &info, &second) < 0) info.si_signo = 0;
    return info;
}
bool is_pending(int number) {
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, number);
}
void set_async(int fd, bool on) {
    needs("F_SETFL", fcntl(fd, F_SETFL, (fcntl(fd, F_GETFL) & ~O_ASYNC) | (on ? O_ASYNC : 0)));
}

void test_owners() {
    int ends[2];
    needs("pipe", pipe(ends));
    const int fd = ends[0];
    equal("nobody", fcntl(fd, F_GETOWN), 0);
    succeeds("this process", fcntl(fd, F_SETOWN, getpid()));
    equal("it is", fcntl(fd, F_GETOWN), getpid());
    succeeds("its group", fcntl(fd, F_SETOWN, -getpgrp()));
    f_owner_ex owner = {};
    succeeds("F_GETOWN_EX", fcntl(fd, F_GETOWN_EX, &owner));
    that("the group", owner.type == F_OWNER_PGRP && owner.pid == getpgrp());
    owner = {F_OWNER_TID, pid_t(syscall(SYS_gettid))};
    succeeds("a thread", fcntl(fd, F_SETOWN_EX, &owner));
    owner = {};
    succeeds("F_GETOWN_EX", fcntl(fd, F_GETOWN_EX, &owner));
    that("the thread", owner.type == F_OWNER_TID && owner.pid == getpid());
    fails("no such process", fcntl(fd, F_SETOWN, 9999999), ESRCH);
    fails("no such group", fcntl(fd, F_SETOWN, -9999999), ESRCH);
    fails("the number without a counterpart", fcntl(fd, F_SETOWN, INT32_MIN), EINVAL);
    owner.type = static_cast<decltype(owner.type)>(9);
    fails("no such kind", fcntl(fd, F_SETOWN_EX, &owner), EINVAL);
    fails("bad memory", fcntl(fd, F_SETOWN_EX, 4), EFAULT);
    equal("all that left it as it was", fcntl(fd, F_GETOWN), getpid());
    const pid_t child = start([] { return 0; });
    succeeds("a child", fcntl(fd, F_SETOWN, child));
    wait_for(child);
    equal("which has gone", fcntl(fd, F_GETOWN), 0);
    succeeds("nobody again", fcntl(fd, F_SETOWN, 0));
    equal("no signal", fcntl(fd, F_GETSIG), 0);
    succeeds("a signal", fcntl(fd, F_SETSIG, kSignal));
    equal("that one", fcntl(fd, F_GETSIG), kSignal);
    fails("no such signal", fcntl(fd, F_SETSIG, 65), EINVAL);
    fails("no such signal", fcntl(fd, F_SETSIG, -1), EINVAL);
    close(ends[0]);
    close(ends[1]);
}

void test_pipe() {
    int ends[2];
    needs("pipe", pipe(ends));
    fcntl(ends[0], F_SETOWN, getpid());
    set_async(ends[0], true);
    that("O_ASYNC is told", fcntl(ends[0], F_GETFL) & O_ASYNC);
    needs("write", write(ends[1], "x", 1));
    siginfo_t info = next_signal(SIGIO);
    equal("SIGIO", info.si_signo, SIGIO);
    equal("of the kernel", info.si_code, SI_KERNEL);
    fcntl(ends[0], F_SETSIG, kSignal);
    for (int round = 0; round < 3; ++round) {
        needs("write", write(ends[1], "x", 1));
        info = next_signal(kSignal);
        equal("the signal", info.si_signo, kSignal);
        equal("what happened", info.si_code, POLL_IN);
        equal("to which descriptor", info.si_fd, ends[0]);
        equal("the events", info.si_band, POLLIN | POLLRDNORM);
    }
    set_async(ends[0], false);
    needs("write", write(ends[1], "x", 1));
    // A socket's signal after it: that of the pipe would have come before.
    int pair[2];
    needs("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    fcntl(pair[0], F_SETOWN, getpid());
    fcntl(pair[0], F_SETSIG, kSignal + 1);
    int on = 1;
    succeeds("FIOASYNC", ioctl(pair[0], FIOASYNC, &on));
    needs("write", write(pair[1], "x", 1));
    info = next_signal(kSignal + 1);
    equal("of a socket", info.si_fd, pair[0]);
    equal("its data", info.si_code, POLL_IN);
    that("none after O_ASYNC was taken back", !is_pending(kSignal) && !is_pending(SIGIO));
    close(pair[1]);
    info = next_signal(kSignal + 1);
    equal("the other end goes", info.si_signo, kSignal + 1);
    // It may be told in two steps. The pipe's signal, which comes after them, says that both were sent.
    set_async(ends[0], true);
    needs("write", write(ends[1], "x", 1));
    equal("of the pipe again", next_signal(kSignal).si_fd, ends[0]);
    while (is_pending(kSignal + 1)) next_signal(kSignal + 1);
    for (int fd : {pair[0], ends[0], ends[1]}) close(fd);
    that("a closed file is silent", !is_pending(kSignal + 1));
    const int file = needs("open", open("/tmp/asyncfiles", O_CREAT | O_RDWR, 0600));
    set_async(file, true);
    that("a file on a disk has no news", !(fcntl(file, F_GETFL) & O_ASYNC));
    close(file);
}

void test_room() {
    int ends[2];
    needs("pipe", pipe2(ends, O_NONBLOCK));
    char block[4096] = {};
    while (write(ends[1], block, sizeof block) > 0) {
    }
    fcntl(ends[1], F_SETOWN, getpid());
    fcntl(ends[1], F_SETSIG, kSignal);
    set_async(ends[1], true);
    while (read(ends[0], block, sizeof block) > 0) {
    }
    const siginfo_t info = next_signal(kSignal);
    equal("room", info.si_code, POLL_OUT);
    equal("in that pipe", info.si_fd, ends[1]);
    close(ends[0]);
    close(ends[1]);
    while (next_signal(kSignal).si_signo && is_pending(kSignal)) {
    }
}

void test_others() {
    int ends[2];
    needs("pipe", pipe(ends));
    Gate ready;
    const pid_t child = start([&] {
        ready.pass();
        return next_signal(SIGIO).si_signo == SIGIO ? 7 : 8;
    });
    ready.wait();
    fcntl(ends[0], F_SETOWN, child);
    set_async(ends[0], true);
    needs("write", write(ends[1], "x", 1));
    equal("another process", WEXITSTATUS(wait_for(child)), 7);
    close(ends[0]);
    close(ends[1]);

    int more[2];
    needs("pipe", pipe(more));
    exits("what another user may not signal", 0, [&] {
        const pid_t parent = getppid();
        needs("setuid", setuid(77));
        succeeds("can be named", fcntl(more[0], F_SETOWN, parent));
        set_async(more[0], true);
        needs("write", write(more[1], "x", 1));
        // One of its own, later: the other would have been sent before it.
        int own[2];
        needs("pipe", pipe(own));
        fcntl(own[0], F_SETOWN, getpid());
        set_async(own[0], true);
        needs("write", write(own[1], "x", 1));
        equal("its own", next_signal(SIGIO).si_signo, SIGIO);
        return done();
    });
    that("gets nothing", !is_pending(SIGIO));
    close(more[0]);
    close(more[1]);
}

void test_no_leak() {
    auto round = [] {
        int ends[2];
        if (pipe(ends)) return 1;
        fcntl(ends[0], F_SETOWN, getpid());
        set_async(ends[0], true);
        const bool bad = write(ends[1], "x", 1) != 1;
        close(ends[0]);
        close(ends[1]);
        return bad ? 1 : 0;
    };
    no_leak(round, 512);
}

}  // namespace

int main() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    test_owners();
    test_pipe();
    test_room();
    test_others();
    test_no_leak();
    return done();
}
