// Leases: who may have one, how opening and cutting ask for it and wait, downgrading, the time that a holder
// has, O_NONBLOCK, the end by closing. Spec: fcntl(2), "Leases".
// run: --smp 4
// needs: wing
#include <sys/stat.h>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr const char *kFile = "/tmp/leased", *kOther = "/tmp/leased too";

int opened(int flags) { return needs("open", open(kFile, flags | O_CLOEXEC)); }
int lease(int fd, int kind) { return fcntl(fd, F_SETLEASE, kind); }

siginfo_t next_signal(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    siginfo_t info = {};
    const timespec long_enough = {20, 0};
    if (sigtimedwait(&set, &info, &long_enough) < 0) info.si_signo = 0;
    return info;
}

void write_setting(const char* value) {
    const int fd = needs("lease-break-time", open("/proc/sys/fs/lease-break-time", O_WRONLY));
    needs("write", write(fd, value, strlen(value)));
    close(fd);
}

void test_having() {
    const int reader = opened(O_RDONLY), writer = opened(O_RDWR);
    equal("none", fcntl(reader, F_GETLEASE), F_UNLCK);
    fails("nothing to give up", lease(reader, F_UNLCK), EAGAIN);
    fails("to read, while it is open for writing", lease(reader, F_RDLCK), EAGAIN);
    fails("by the writer itself", lease(writer, F_RDLCK), EAGAIN);
    fails("to write, while others have it open", lease(writer, F_WRLCK), EAGAIN);
    close(writer);
    succeeds("to read", lease(reader, F_RDLCK));
    equal("it is", fcntl(reader, F_GETLEASE), F_RDLCK);
    const int second = opened(O_RDONLY);
    succeeds("another reader's", lease(second, F_RDLCK));
    fails("not to write", lease(second, F_WRLCK), EAGAIN);
    close(second);
    needs("link", link(kFile, kOther));
    const int by_other_name = needs("open", open(kOther, O_RDONLY | O_CLOEXEC));
    fails("nor while another name has it open", lease(reader, F_WRLCK), EAGAIN);
    close(by_other_name);
    const int kept = opened(O_RDONLY);
    needs("unlink", unlink(kFile));
    fails("nor is one of its names, now gone, left out", lease(kept, F_WRLCK), EAGAIN);
    close(kept);
    needs("link", link(kOther, kFile));
    needs("unlink", unlink(kOther));
    succeeds("alone: more", lease(reader, F_WRLCK));
    equal("to write", fcntl(reader, F_GETLEASE), F_WRLCK);
    succeeds("given up", lease(reader, F_UNLCK));
    fails("no such kind", lease(reader, 5), EINVAL);
    close(reader);
    int ends[2];
    needs("pipe", pipe(ends));
    fails("not of a pipe", lease(ends[0], F_RDLCK), EINVAL);
    const int folder = needs("open", open("/tmp", O_RDONLY));
    fails("nor of a directory", lease(folder, F_RDLCK), EINVAL);
    for (int fd : {folder, ends[0], ends[1]}) close(fd);
    exits("of another user's file", 0, [] {
        const int fd = opened(O_RDONLY);
        needs("setuid", setuid(55));
        fails("none", lease(fd, F_RDLCK), EACCES);
        return done();
    });
}

void test_breaking() {
    const int fd = opened(O_RDONLY);
    needs("F_SETSIG", fcntl(fd, F_SETSIG, SIGRTMIN));
    succeeds("to read", lease(fd, F_RDLCK));
    close(opened(O_RDONLY));
    fails("a writer that does not wait", open(kFile, O_WRONLY | O_NONBLOCK), EAGAIN);
    siginfo_t info = next_signal(SIGRTMIN);
    equal("the holder is told", info.si_fd, fd);
    equal("what it will be", fcntl(fd, F_GETLEASE), F_UNLCK);
    fails("a lease that is broken is not taken anew", lease(fd, F_RDLCK), EAGAIN);
    succeeds("given up", lease(fd, F_UNLCK));

    succeeds("again", lease(fd, F_RDLCK));
    const pid_t writer = start([] {
        close(opened(O_WRONLY));
        return 0;
    });
    info = next_signal(SIGRTMIN);
    equal("told", info.si_signo, SIGRTMIN);
    wait_until(writer);
    that("the writer waits", waitpid(writer, nullptr, WNOHANG) == 0);
    succeeds("given up", lease(fd, F_UNLCK));
    equal("and goes on", wait_for(writer), 0);

    succeeds("to write", lease(fd, F_WRLCK));
    const pid_t reader = start([] {
        close(opened(O_RDONLY));
        return 0;
    });
    equal("a reader comes", next_signal(SIGRTMIN).si_signo, SIGRTMIN);
    equal("reading may stay", fcntl(fd, F_GETLEASE), F_RDLCK);
    succeeds("downgraded", lease(fd, F_RDLCK));
    equal("the reader goes on", wait_for(reader), 0);
    equal("and the lease stays", fcntl(fd, F_GETLEASE), F_RDLCK);

    succeeds("given up", lease(fd, F_UNLCK));
    succeeds("to write, again", lease(fd, F_WRLCK));
    needs("link", link(kFile, kOther));
    fails("another name does not get around it", open(kOther, O_RDONLY | O_NONBLOCK), EAGAIN);
    equal("the holder is told", next_signal(SIGRTMIN).si_fd, fd);
    needs("unlink", unlink(kOther));
    succeeds("downgraded", lease(fd, F_RDLCK));

    const pid_t cutter = start([&] {
        close(fd);  // the lease ends with the last descriptor
        return truncate(kFile, 0);
    });
    equal("cutting off asks too", next_signal(SIGRTMIN).si_signo, SIGRTMIN);
    close(fd);
    equal("closing gives up", wait_for(cutter), 0);
}

void test_time() {
    write_setting("1");
    const int fd = opened(O_RDONLY);
    needs("F_SETSIG", fcntl(fd, F_SETSIG, SIGRTMIN));
    succeeds("to read", lease(fd, F_RDLCK));
    close(opened(O_WRONLY));
    equal("after a second it is taken away", fcntl(fd, F_GETLEASE), F_UNLCK);
    equal("having been told", next_signal(SIGRTMIN).si_signo, SIGRTMIN);
    close(fd);
    write_setting("45");
}

void test_interrupted() {
    const int fd = opened(O_RDONLY);
    succeeds("to read", lease(fd, F_RDLCK));
    const pid_t writer = start([] {
        struct sigaction action = {};
        action.sa_handler = [](int) {};
        sigaction(SIGUSR1, &action, nullptr);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        return open(kFile, O_WRONLY) < 0 ? errno : 0;
    });
    equal("the holder is told", next_signal(SIGIO).si_signo, SIGIO);
    wait_until(writer);
    kill(writer, SIGUSR1);
    equal("a signal ends the wait", WEXITSTATUS(wait_for(writer)), EINTR);
    close(fd);
}

}  // namespace

int main() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    close(needs("open", open(kFile, O_CREAT | O_WRONLY, 0644)));
    test_having();
    test_breaking();
    test_time();
    test_interrupted();
    return done();
}
