// Processes as files: pidfd_open, CLONE_PIDFD of clone and clone3, waiting by poll, epoll and waitid, signals,
// taking over a descriptor; what clone3 refuses; that nothing is left after 10,000 rounds.
// run: --smp 4
// Spec: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), waitid(2), clone(2).
// needs: wing
#include <linux/sched.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <cstdint>

#include "tests/guest/check.hpp"
#include "tests/guest/no_leak.hpp"

using namespace check;

// What a clone_args does not name is 0.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace {

constexpr idtype_t kPidFile = idtype_t(3);  // P_PIDFD

int pidfd_open(int pid, unsigned flags = 0) { return int(syscall(SYS_pidfd_open, pid, flags)); }
int send_to(int fd, int number, siginfo_t* info = nullptr, unsigned flags = 0) {
    return int(syscall(SYS_pidfd_send_signal, fd, number, info, flags));
}
int take_from(int fd, int wanted, unsigned flags = 0) {
    return int(syscall(SYS_pidfd_getfd, fd, wanted, flags));
}
int clone3(clone_args& arguments, size_t bytes = sizeof(clone_args)) {
    return int(syscall(SYS_clone3, &arguments, bytes));
}
bool readable(int fd, int timeout) {
    pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, timeout) == 1 && one.revents == POLLIN;
}

void test_opening() {
    fails("no such process", pidfd_open(99999999), ESRCH);
    fails("no group", pidfd_open(-1), EINVAL);
    fails("nobody", pidfd_open(0), EINVAL);
    fails("no such flag", pidfd_open(getpid(), 1), EINVAL);
    const int fd = needs("pidfd_open", pidfd_open(getpid()));
    equal("closed by exec", fcntl(fd, F_GETFD), FD_CLOEXEC);
    char byte;
    fails("nothing to read", read(fd, &byte, 1), EINVAL);
    that("not ended", !readable(fd, 0));
    char link[32], name[64] = {};
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    needs("readlink", readlink(link, name, sizeof name - 1));
    same("its link", name, "anon_inode:[pidfd]");
    close(fd);
}

void test_waiting() {
    Gate gate;
    const pid_t child = start([&] { return gate.wait(); });
    const int fd = needs("pidfd_open", pidfd_open(child, O_NONBLOCK));
    const int set = needs("epoll_create1", epoll_create1(0));
    epoll_event event = {EPOLLIN, {.u32 = 7}};
    succeeds("epoll takes it", epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
    equal("no news", epoll_wait(set, &event, 1, 0), 0);
    siginfo_t info = {};
    fails("waitid does not wait", waitid(kPidFile, id_t(fd), &info, WEXITED), EAGAIN);
    equal("nor with WNOHANG", waitid(kPidFile, id_t(fd), &info, WEXITED | WNOHANG), 0);
    equal("and says so", info.si_pid, 0);
    gate.pass(3);
    that("poll sees its end", readable(fd, -1));
    equal("epoll too", epoll_wait(set, &event, 1, -1), 1);
    equal("the same one", event.data.u32, 7);
    succeeds("a look", waitid(kPidFile, id_t(fd), &info, WEXITED | WNOWAIT));
    succeeds("waitid", waitid(kPidFile, id_t(fd), &info, WEXITED));
    equal("which child", info.si_pid, child);
    equal("how", info.si_status, 3);
    that("it stays readable", readable(fd, 0));
    fails("once only", waitid(kPidFile, id_t(fd), &info, WEXITED), ECHILD);
    char details[256] = {}, path[32];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    const int in_proc = needs("open", open(path, O_RDONLY));
    needs("read", read(in_proc, details, sizeof details - 1));
    close(in_proc);
    that("/proc knows it is buried", strstr(details, "Pid:\t-1\n"));
    fails("no signal to the dead", send_to(fd, 0), ESRCH);
    fails("nor its files", take_from(fd, 0), ESRCH);
    fails("not a process", waitid(kPidFile, 1, &info, WEXITED), EBADF);
    fails("not a descriptor", waitid(kPidFile, id_t(-1), &info, WEXITED), EINVAL);
    const int own = needs("pidfd_open", pidfd_open(getpid()));
    fails("not a child", waitid(kPidFile, id_t(own), &info, WEXITED), ECHILD);
    for (int each : {own, set, fd}) close(each);
}

volatile int got_value = 0, got_code = 0;
void note(int, siginfo_t* info, void*) {
    got_value = info->si_value.sival_int;
    got_code = info->si_code;
}

void test_signals() {
    struct sigaction action = {};
    action.sa_sigaction = note;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, nullptr);
    const int fd = needs("pidfd_open", pidfd_open(getpid()));
    succeeds("a signal", send_to(fd, SIGUSR1));
    equal("as by kill", got_code, SI_USER);
    siginfo_t info = {};
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = 42;
    succeeds("one with a value", send_to(fd, SIGUSR1, &info));
    equal("the value", got_value, 42);
    info.si_signo = SIGUSR2;
    fails("another number inside", send_to(fd, SIGUSR1, &info), EINVAL);
    fails("no such signal", send_to(fd, 65), EINVAL);
    fails("no such flag", send_to(fd, SIGUSR1, nullptr, 8), EINVAL);
    fails("not a process", send_to(1, SIGUSR1), EBADF);
    fails("bad memory", send_to(fd, SIGUSR1, reinterpret_cast<siginfo_t*>(4)), EFAULT);
    const int parent = needs("pidfd_open", pidfd_open(getppid()));
    info.si_signo = SIGCONT;
    info.si_code = SI_USER;
    fails("no lies to others", send_to(parent, SIGCONT, &info), EPERM);
    const int by_name = needs("/proc/self", open("/proc/self", O_DIRECTORY | O_CLOEXEC));
    got_code = 77;
    succeeds("by its directory", send_to(by_name, SIGUSR1));
    equal("it came", got_code, SI_USER);
    const int below = needs("/proc/self/fd", open("/proc/self/fd", O_DIRECTORY | O_CLOEXEC));
    fails("not by one in it", send_to(below, SIGUSR1), EBADF);
    exits("another user's", 0, [&] {
        needs("setuid", setuid(100));
        fails("no signal", send_to(parent, 0), EPERM);
        fails("no descriptor", take_from(parent, 0), EPERM);
        return done();
    });
    for (int each : {below, by_name, parent, fd}) close(each);
}

void test_taking() {
    int ends[2];
    needs("pipe", pipe(ends));
    Gate ready, leave;
    const pid_t child = start([&] {
        needs("dup2", dup2(ends[1], 90));
        ready.pass();
        leave.wait();
        return 0;
    });
    ready.wait();
    const int fd = needs("pidfd_open", pidfd_open(child));
    const int mine = take_from(fd, 90);
    succeeds("its descriptor", mine);
    equal("closed by exec", fcntl(mine, F_GETFD), FD_CLOEXEC);
    char byte = 0;
    equal("the same file", write(mine, "x", 1), 1);
    equal("the pipe's end", read(ends[0], &byte, 1), 1);
    fails("it has no such", take_from(fd, 91), EBADF);
    fails("no such flag", take_from(fd, 90, 1), EINVAL);
    fails("not a process", take_from(1, 0), EBADF);
    leave.pass();
    wait_for(child);
    for (int each : {mine, fd, ends[0], ends[1]}) close(each);
}

void test_clone3() {
    int file = -1;
    clone_args a = {};
    a.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    a.exit_signal = SIGCHLD;
    a.pidfd = reinterpret_cast<uintptr_t>(&file);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR2, [](int) {});
    const int child = clone3(a);
    if (child == 0) {
        struct sigaction now;
        sigaction(SIGUSR2, nullptr, &now);
        const bool cleared = now.sa_handler == SIG_DFL;
        sigaction(SIGHUP, nullptr, &now);
        _exit(cleared && now.sa_handler == SIG_IGN ? 5 : 6);
    }
    signal(SIGHUP, SIG_DFL);
    succeeds("clone3", child);
    that("its end is seen", readable(file, -1));
    int status = 0;
    equal("waitpid", waitpid(child, &status, 0), child);
    equal("default actions but for ignored signals", WEXITSTATUS(status), 5);
    close(file);

    struct {
        clone_args a;
        uint64_t more;
    } longer = {};
    longer.a.exit_signal = SIGCHLD;
    longer.more = 1;
    auto clone_long = [&](size_t bytes) { return clone3(longer.a, bytes); };
    fails("more than is known", clone_long(sizeof longer), E2BIG);
    fails("longer than a page", clone_long(8192), E2BIG);
    fails("too short", clone_long(63), EINVAL);
    longer.more = 0;
    const int plain = clone_long(sizeof longer);
    if (plain == 0) _exit(0);
    succeeds("more, of zeros", plain);
    waitpid(plain, nullptr, 0);
    fails("bad memory", syscall(SYS_clone3, 4, sizeof(clone_args)), EFAULT);
    auto refused = [](const char* what, clone_args bad) { fails(what, clone3(bad), EINVAL); };
    refused("a signal among the flags", {.flags = SIGCHLD});
    refused("no such signal", {.exit_signal = 65});
    refused("a stack without a length", {.stack = 4096});
    refused("a length without a stack", {.stack_size = 4096});
    refused("actions shared and cleared",
            {.flags = CLONE_SIGHAND | CLONE_VM | CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD});
    refused("a file of a thread", {.flags = CLONE_PIDFD | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM});
    refused("an unknown flag", {.flags = 1ull << 40});
    clone_args nowhere = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
    nowhere.pidfd = 4;
    fails("nowhere to tell the file", clone3(nowhere), EFAULT);
    fails("nothing was made", waitpid(-1, nullptr, 0), ECHILD);
}

// set_tid: who may choose the id of a new process, and which.
void test_chosen_id() {
    pid_t ids[2] = {};
    clone_args a = {};
    a.exit_signal = SIGCHLD;
    a.set_tid = reinterpret_cast<uintptr_t>(ids);
    a.set_tid_size = 1;
    auto chosen = [&](pid_t id) {
        ids[0] = id;
        const int child = clone3(a);
        if (child == 0) _exit(getpid() == id && syscall(SYS_gettid) == id ? 5 : 6);
        return child;
    };
    for (pid_t id : {30000, 29000, 30000}) {
        equal("the id that was asked for", chosen(id), id);
        int status = 0;
        equal("it is there", waitpid(id, &status, 0), id);
        equal("and knows it", WEXITSTATUS(status), 5);
    }
    fails("in use", chosen(getpid()), EEXIST);
    fails("init", chosen(1), EEXIST);
    Gate gate;
    const pid_t before = start([&] {
        setsid();
        const pid_t member = fork();
        if (member == 0) _exit(gate.wait());
        return 0;
    });
    wait_for(before);
    fails("it still names a group", chosen(before), EEXIST);
    gate.pass(0);
    fails("none", chosen(0), EINVAL);
    fails("below", chosen(-1), EINVAL);
    fails("too large", chosen(32768), EINVAL);
    a.set_tid_size = 2;
    fails("two", chosen(30000), EINVAL);
    a.set_tid_size = 0;
    fails("no length", chosen(30000), EINVAL);
    a.set_tid_size = 1;
    a.set_tid = 0;
    fails("a length alone", clone3(a), EINVAL);
    a.set_tid = 4;
    fails("bad memory", clone3(a), EFAULT);
    a.set_tid = reinterpret_cast<uintptr_t>(ids);
    exits("another user", 0, [&] {
        needs("setuid", setuid(55));
        fails("may not", chosen(30000), EPERM);
        fails("nor what makes no sense", chosen(0), EINVAL);
        return done();
    });
    const pid_t next = fork();  // an id that was chosen is not given out meanwhile
    if (next == 0) _exit(0);
    waitpid(next, nullptr, 0);
    const pid_t ahead = next + 3;
    ids[0] = ahead;
    const int child = clone3(a);
    if (child == 0) _exit(gate.wait());
    equal("one that comes soon", child, ahead);
    for (int i = 0; i < 6; ++i) {
        const pid_t each = fork();
        if (each == 0) _exit(0);
        that("is left out", each != ahead);
        waitpid(each, nullptr, 0);
    }
    gate.pass(0);
    waitpid(ahead, nullptr, 0);
    fails("nothing is left", waitpid(-1, nullptr, 0), ECHILD);
}

void test_old_clone() {
    int file = -1;
    const long child = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &file, 0, 0);
    if (child == 0) _exit(9);
    succeeds("clone with CLONE_PIDFD", child);
    siginfo_t info = {};
    succeeds("waitid", waitid(kPidFile, id_t(file), &info, WEXITED));
    equal("its status", info.si_status, 9);
    close(file);
    fails("one place for two numbers",
          syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &file, 0, 0), EINVAL);
}

void test_no_leak() {
    no_leak(
        [] {
            const int fd = pidfd_open(getpid());
            return fd < 0 || readable(fd, 0) || close(fd);
        },
        256);
}

}  // namespace

int main() {
    test_opening();
    test_waiting();
    test_signals();
    test_taking();
    test_clone3();
    test_chosen_id();
    test_old_clone();
    test_no_leak();
    return done();
}
