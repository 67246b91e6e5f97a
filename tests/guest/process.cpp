// Processes: birth and death as the parent sees them, orphans, process groups and sessions, vfork,
// and who may signal whom.
// Spec: fork(2), waitpid(2), setpgid(2), setsid(2), kill(2), vfork(2).
#include <grp.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

void test_exit_codes() {
    for (int code : {0, 1, 42, 127, 255})
        exits("exit " + std::to_string(code), code, [=] { return code; });
    exits("exit code is cut to a byte", 1, [] { return 257; });
    for (int signal : {SIGKILL, SIGTERM, SIGHUP, SIGPIPE, SIGALRM, SIGUSR1, SIGRTMIN})
        killed(std::string("killed by ") + std::to_string(signal), signal, [=] {
            raise(signal);
            return 0;
        });
    for (int signal : {SIGCHLD, SIGURG, SIGWINCH, SIGCONT})
        exits(std::string("ignored by default: ") + std::to_string(signal), 5, [=] {
            raise(signal);
            return 5;
        });
}

void test_fork_copies() {
    static int variable = 1;
    int local = 1, fd = open("/proc/self/stat", O_RDONLY);
    exits("child has its own memory and number", 0, [&] {
        variable = 2;
        local = 2;
        close(fd);
        return getpid() == getppid();
    });
    equal("parent's data is its own", variable + local, 2);
    succeeds("parent's descriptor is its own", lseek(fd, 0, SEEK_CUR));
    close(fd);
    pid_t self = getpid();
    exits("getppid is the parent", 0, [=] { return getppid() != self; });
}

void test_wait() {
    fails("no children", waitpid(-1, nullptr, 0), ECHILD);
    fails("no children, WNOHANG", waitpid(-1, nullptr, WNOHANG), ECHILD);
    fails("not a child", waitpid(getppid(), nullptr, 0), ECHILD);
    fails("bad options", waitpid(-1, nullptr, 0x40000), EINVAL);

    Gate gate;
    pid_t child = start([&] { return gate.wait(); });
    equal("WNOHANG while it runs", waitpid(child, nullptr, WNOHANG), 0);
    equal("kill 0 of a living child", kill(child, 0), 0);
    gate.pass(9);
    wait_until(child, 'Z');
    equal("kill 0 of a zombie", kill(child, 0), 0);
    int status = 0;
    rusage usage;
    memset(&usage, 0xFF, sizeof usage);
    equal("wait4 returns the child", wait4(child, &status, WNOHANG, &usage), child);
    equal("wait4 status", status, 9 << 8);
    that("wait4 usage is filled in", usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 1000);
    fails("reaped only once", waitpid(child, nullptr, 0), ECHILD);
    fails("reaped is gone", kill(child, 0), ESRCH);

    pid_t first = start([] { return 1; });
    wait_until(first, 'Z');
    pid_t second = start([&] { return gate.wait(); });
    equal("wait for any finds the dead one", waitpid(-1, nullptr, 0), first);
    kill(second, SIGKILL);
    equal("wait for one", waitpid(second, &status, 0), second);
    equal("status says SIGKILL", status, SIGKILL);
}

void test_wait_by_group() {
    Gate ready, gate;
    pid_t other = start([&] {
        setpgid(0, 0);
        ready.pass();
        return gate.wait();
    });
    ready.wait();
    pid_t same_group = start([] { return 3; });
    int status = 0;
    equal("wait for own group", waitpid(0, &status, 0), same_group);
    fails("none left in own group", waitpid(0, &status, 0), ECHILD);
    equal("WNOHANG for the other group", waitpid(-other, &status, WNOHANG), 0);
    gate.pass(4);
    equal("wait for the other group", waitpid(-other, &status, 0), other);
    equal("its status", status, 4 << 8);
}

void test_stop_and_continue() {
    Gate gate;
    pid_t child = start([&] { return gate.wait(); });
    int status = 0;
    kill(child, SIGSTOP);
    equal("WUNTRACED reports the stop", waitpid(child, &status, WUNTRACED), child);
    that("stopped by SIGSTOP", WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    equal("a stop is reported once", waitpid(child, &status, WUNTRACED | WNOHANG), 0);
    equal("state is T", state_of(child), 'T');
    gate.pass(6);
    kill(child, SIGTERM);
    equal("stopped, it does not die of SIGTERM", waitpid(child, &status, WNOHANG), 0);
    kill(child, SIGCONT);
    equal("WCONTINUED reports or the end", waitpid(child, &status, WCONTINUED), child);
    if (WIFCONTINUED(status)) waitpid(child, &status, 0);
    that("continued, it does", WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);

    Gate shut;  // the first one still holds what nobody took
    child = start([&] { return shut.wait(); });
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    equal("SIGKILL ends a stopped process", waitpid(child, &status, 0), child);
    that("by SIGKILL", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

// A grandchild whose parent dies first belongs to process 1.
void test_orphans() {
    Gate orphaned, finished;
    int numbers[2];
    needs("pipe", pipe(numbers));
    pid_t child = start([&] {
        pid_t parent = getpid();
        start([&] {
            orphaned.wait();
            int result[2] = {getppid() != parent && getppid() > 0, getppid()};
            return int(write(numbers[1], result, sizeof result) < 0);
        });
        return 0;
    });
    wait_for(child);
    orphaned.pass();
    int result[2] = {};
    that("orphan reports", read(numbers[0], result, sizeof result) == sizeof result);
    equal("orphan has a new parent", result[0], 1);
    equal("it is process 1", result[1], 1);
    fails("grandchildren are no children", waitpid(-1, nullptr, 0), ECHILD);
    close(numbers[0]);
    close(numbers[1]);
}

void test_groups() {
    equal("getpgid(0) is getpgrp", getpgid(0), getpgrp());
    fails("getpgid of none", getpgid(0x3FFFFFFF), ESRCH);
    fails("setpgid of none", setpgid(0x3FFFFFFF, 0), ESRCH);
    fails("setpgid negative", setpgid(0, -1), EINVAL);
    Gate gate;
    pid_t leader = start([&] { return gate.wait(); });
    succeeds("setpgid of a child", setpgid(leader, leader));
    equal("its group", getpgid(leader), leader);
    pid_t member = start([&] { return gate.wait(); });
    succeeds("join a group", setpgid(member, leader));
    equal("joined", getpgid(member), leader);
    fails("a group that is not there", setpgid(member, 0x3FFFFFFF), EPERM);
    succeeds("signal to a group", kill(-leader, SIGTERM));
    equal("leader gets it", wait_for(leader), SIGTERM);
    equal("member gets it", wait_for(member), SIGTERM);
    fails("group is gone", kill(-leader, SIGTERM), ESRCH);
}

void test_sessions() {
    Gate gate;
    exits("setsid makes session, group, leader", 0, [] {
        pid_t self = getpid();
        return setsid() != self || getsid(0) != self || getpgrp() != self;
    });
    exits("setsid fails for a group's leader", EPERM, [] {
        setpgid(0, 0);
        return setsid() == -1 ? errno : 0;
    });
    exits("a session's leader keeps its group", EPERM, [] {
        setsid();
        return setpgid(0, 0) == -1 ? errno : 0;
    });
    Gate ready;
    pid_t away = start([&] {
        setsid();
        ready.pass();
        return gate.wait();
    });
    ready.wait();
    fails("setpgid across sessions", setpgid(away, 0), EPERM);
    equal("getsid of another", getsid(away), away);
    gate.pass();
    wait_for(away);
}

void test_kill_errors() {
    fails("kill of none", kill(0x3FFFFFFF, SIGTERM), ESRCH);
    fails("kill with a bad number", kill(getpid(), 65), EINVAL);
    fails("kill with a negative number", kill(getpid(), -1), EINVAL);
    exits("no signal to a process of another user", EPERM, [] {
        if (setgroups(0, nullptr) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
            return errno == ENOSYS ? EPERM : 0;
        return kill(getppid(), 0) == -1 ? errno : 0;
    });
}

void test_vfork() {
    int* shared = static_cast<int*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    pid_t child = vfork();
    if (child == 0) {
        *shared = 1;
        for (int i = 0; i < 3; i++) sched_yield();  // the parent must not run meanwhile
        *shared = 2;
        _exit(3);
    }
    equal("vfork: parent runs after the child's end", *shared, 2);
    int status = 0;
    equal("vfork: child is waited for", waitpid(child, &status, 0), child);
    equal("vfork: status", status, 3 << 8);
}

void test_limits() {
    exits("RLIMIT_NOFILE is obeyed", EMFILE, [] {
        rlimit limit = {16, 16};
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
        int fd;
        while ((fd = dup(0)) >= 0 && fd < 16) {
        }
        return fd >= 0 ? 0 : errno;
    });
}

// Rights to the processor's flags: cli is a fault without them.
void test_iopl() {
    killed("cli", SIGSEGV, [] {
        asm volatile("cli");
        return 0;
    });
    exits("cli with rights", 0, [] {
        succeeds("iopl", iopl(3));
        fails("level 4", iopl(4), EINVAL);
        asm volatile("cli; nop");
        succeeds("a call with interrupts off", write(1, "", 0));
        asm volatile("sti");
        needs("setuid", setuid(1));
        succeeds("less", iopl(0));
        fails("more, as an ordinary user", iopl(3), EPERM);
        return done();
    });
}

}  // namespace

int main() {
    test_exit_codes();
    test_fork_copies();
    test_wait();
    test_wait_by_group();
    test_stop_and_continue();
    test_orphans();
    test_groups();
    test_sessions();
    test_kill_errors();
    test_vfork();
    test_limits();
    test_iopl();
    return done();
}
