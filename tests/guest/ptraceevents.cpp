// ptrace: events and group stops; attaching, seizing, detaching; a tracer that ends; who may trace whom; and
// what is left after many rounds. It holds on Linux too, as ptrace.cpp says. Spec: ptrace(2).
// needs: wing
#include "tests/guest/ptrace.hpp"

namespace {

unsigned long message(pid_t tid) {
    unsigned long value = 0;
    trace(PTRACE_GETEVENTMSG, tid, 0, &value);
    return value;
}
int wait_any(pid_t& who) {
    int status = -1;
    who = waitpid(-1, &status, __WALL);
    return status;
}
void* sleeper(void*) {
    syscall(SYS_gettid);
    return nullptr;
}
void events() {
    for (int kind : {PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_CLONE}) {
        pid_t child = traced_child([=] {
            pthread_t thread;
            if (kind == PTRACE_EVENT_CLONE)
                pthread_create(&thread, nullptr, sleeper, nullptr), pthread_join(thread, nullptr);
            if (kind == PTRACE_EVENT_FORK && syscall(SYS_fork) == 0) _exit(4);
            if (kind == PTRACE_EVENT_VFORK && vfork() == 0) _exit(4);
            if (kind != PTRACE_EVENT_CLONE) wait(nullptr);
            _exit(6);
        });
        trace(PTRACE_SETOPTIONS, child, 0,
              static_cast<unsigned long>(1 << kind | PTRACE_O_EXITKILL));
        runs_to(child, "the event of a new one", stopped(SIGTRAP, kind));
        const pid_t fresh = pid_t(message(child));
        equal("it stops first of all", wait_of(fresh), stopped(SIGSTOP));
        trace(PTRACE_CONT, fresh), trace(PTRACE_CONT, child);
        int ended = 0;
        for (pid_t who = 0; !(ended & 1);) {
            int status = wait_any(who);
            if (who == fresh && WIFEXITED(status))
                ended |= WEXITSTATUS(status) == (kind == PTRACE_EVENT_CLONE ? 0 : 4) ? 2 : 4;
            if (who == child && WIFEXITED(status)) ended |= WEXITSTATUS(status) == 6 ? 1 : 5;
            if (WIFSTOPPED(status))
                trace(PTRACE_CONT, who, 0, static_cast<unsigned long>(WSTOPSIG(status)));
            if (who < 0) break;
        }
        equal("both end", ended, 3);
    }
    pid_t child = traced_child([] { execl("/bin/sh", "sh", "-c", "exit 5", nullptr); });
    runs_to(child, "without an option execve is a SIGTRAP", stopped(SIGTRAP));
    trace(PTRACE_SETOPTIONS, child, 0, static_cast<unsigned long>(PTRACE_O_TRACEEXIT));
    runs_to(child, "before the end", stopped(SIGTRAP, PTRACE_EVENT_EXIT));
    equal("its status", long(message(child)), exited(5));
    that("memory is still there", registers(child).esp != 0);
    runs_to(child, "then the end", exited(5));
    child = traced_child([] { execl("/bin/sh", "sh", "-c", "exit 5", nullptr); });
    trace(PTRACE_SETOPTIONS, child, 0, static_cast<unsigned long>(PTRACE_O_TRACEEXEC));
    runs_to(child, "the event of execve", stopped(SIGTRAP, PTRACE_EVENT_EXEC));
    equal("it was", long(message(child)), child);
    runs_to(child, "the end", exited(5));
}

// One that runs, not begun by its tracer.
pid_t running_child() {
    pid_t child = int(needs("fork", fork()));
    if (child == 0) {
        alarm(60);
        for (;;) pause();
    }
    return child;
}
void end(pid_t child) {
    kill(child, SIGKILL);
    equal("SIGKILL ends it", wait_of(child), SIGKILL);
}
void attaching() {
    pid_t child = running_child();
    succeeds("ATTACH", trace(PTRACE_ATTACH, child));
    equal("it stops", wait_of(child), stopped(SIGSTOP));
    fails("a second tracer", trace(PTRACE_ATTACH, child), EPERM);
    fails("oneself", trace(PTRACE_ATTACH, getpid()), EPERM);
    fails("no such thread", trace(PTRACE_ATTACH, 99999), ESRCH);
    succeeds("DETACH", trace(PTRACE_DETACH, child));
    same("it has none", status_line(child, "TracerPid"), "TracerPid:\t0");
    fails("it is not ours any more", trace(PTRACE_CONT, child), ESRCH);

    succeeds("SEIZE",
             trace(PTRACE_SEIZE, child, 0, static_cast<unsigned long>(PTRACE_O_TRACESYSGOOD)));
    int status = 0;
    equal("does not stop it", waitpid(child, &status, WNOHANG | __WALL), 0);
    fails("one that runs is not looked at", trace(kGetRegs, child, 0, &status), ESRCH);
    succeeds("INTERRUPT", trace(PTRACE_INTERRUPT, child));
    equal("does", wait_of(child), stopped(SIGTRAP, PTRACE_EVENT_STOP));

    trace(PTRACE_CONT, child);
    kill(child, SIGSTOP);
    equal("a stop signal", wait_of(child), stopped(SIGSTOP));
    runs_to(child, "stops the group", stopped(SIGSTOP, PTRACE_EVENT_STOP), PTRACE_CONT, SIGSTOP);
    succeeds("LISTEN", trace(PTRACE_LISTEN, child));
    kill(child, SIGCONT);
    equal("and hears of SIGCONT", wait_of(child), stopped(SIGTRAP, PTRACE_EVENT_STOP));
    runs_to(child, "the signal itself", stopped(SIGCONT));

    kill(child, SIGSTOP);
    runs_to(child, "stopped again", stopped(SIGSTOP));
    runs_to(child, "as a group", stopped(SIGSTOP, PTRACE_EVENT_STOP), PTRACE_CONT, SIGSTOP);
    succeeds("detached in a group stop", trace(PTRACE_DETACH, child));
    for (int i = 0; i < 1000 && status_line(child, "State") != "State:\tT (stopped)"; ++i)
        usleep(1000);
    same("it stays stopped", status_line(child, "State"), "State:\tT (stopped)");
    end(child);
    child = running_child();
    trace(PTRACE_ATTACH, child);
    siginfo_t info{};
    equal("attached", wait_of(child), stopped(SIGSTOP));
    succeeds("the signal's information", trace(PTRACE_GETSIGINFO, child, 0, &info));
    runs_to(child, "a group stop", stopped(SIGSTOP), PTRACE_CONT, SIGSTOP);
    fails("which has none", trace(PTRACE_GETSIGINFO, child, 0, &info), EINVAL);
    end(child);
}

void tracer_ends() {
    for (bool kills : {false, true}) {
        pid_t child = running_child();
        pid_t tracer = fork();
        if (tracer == 0) {
            if (trace(PTRACE_SEIZE, child, 0,
                      kills ? static_cast<unsigned long>(PTRACE_O_EXITKILL) : 0))
                _exit(1);
            trace(PTRACE_INTERRUPT, child);
            _exit(wait_of(child) == stopped(SIGTRAP, PTRACE_EVENT_STOP) ? 0 : 2);
        }
        equal("a tracer of another's child", wait_of(tracer), 0);
        if (kills) {
            equal("ends and kills it", wait_of(child), SIGKILL);
        } else {
            same("ends; it goes on", status_line(child, "TracerPid"), "TracerPid:\t0");
            end(child);
        }
    }
    pid_t child = traced_child([] {
        for (;;) pause();
    });
    trace(PTRACE_CONT, child);
    fails(
        "TRACEME twice",
        [&] {
            pid_t second = fork();
            if (second == 0) {
                trace(PTRACE_TRACEME, 0);
                _exit(trace(PTRACE_TRACEME, 0) == -1 ? errno : 0);
            }
            errno = WEXITSTATUS(wait_of(second));
            return -1;
        }(),
        EPERM);
    end(child);
}

// The superuser's attempt to trace what another user traces already makes no superuser of that user.
void late_superuser() {
    int ask[2], answer[2];
    needs("pipes", pipe(ask) | pipe(answer));
    const pid_t other = fork();
    if (other == 0) {
        if (setgid(1000) || setuid(1000)) _exit(1);
        const pid_t child = fork();
        if (child == 0) {
            trace(PTRACE_TRACEME, 0);
            raise(SIGSTOP);
            execl("/tmp/ptrace.suid", "ptrace", "whoami", nullptr);
            _exit(9);
        }
        char byte;
        if (wait_of(child) != stopped(SIGSTOP)) _exit(2);
        if (write(ask[1], &child, sizeof child) < 0 || read(answer[0], &byte, 1) != 1) _exit(3);
        trace(PTRACE_CONT, child);
        if (wait_of(child) != stopped(SIGTRAP)) _exit(4);
        trace(PTRACE_CONT, child);
        _exit(wait_of(child) == exited(0) ? 0 : 5);
    }
    pid_t theirs = 0;
    equal("it is traced", read(ask[0], &theirs, sizeof theirs), long(sizeof theirs));
    fails("the superuser comes late", trace(PTRACE_ATTACH, theirs), EPERM);
    equal("and tells", write(answer[1], "x", 1), 1);
    equal("no set-user-id for another user's tracee", wait_of(other), 0);
    for (int end : {ask[0], ask[1], answer[0], answer[1]}) close(end);
}

void who_may() {
    pid_t root = running_child();
    pid_t other = fork();
    if (other == 0) {
        if (setgid(1000) || setuid(1000)) _exit(1);
        if (trace(PTRACE_ATTACH, root) != -1 || errno != EPERM) _exit(2);
        if (trace(PTRACE_ATTACH, 1) != -1 || errno != EPERM) _exit(3);
        char byte;
        const iovec here{&byte, 1};
        if (process_vm_readv(root, &here, 1, &here, 1, 0) != -1 || errno != EPERM) _exit(7);
        if (open(("/proc/" + std::to_string(root) + "/mem").c_str(), O_RDWR) != -1 ||
            errno != EACCES)
            _exit(8);
        // A set-user-id program under a tracer who is no superuser keeps its user.
        pid_t child = fork();
        if (child == 0) {
            trace(PTRACE_TRACEME, 0);
            execl("/tmp/ptrace.suid", "ptrace", "whoami", nullptr);
            _exit(9);
        }
        if (wait_of(child) != stopped(SIGTRAP)) _exit(4);
        trace(PTRACE_CONT, child);
        if (wait_of(child) != exited(0)) _exit(5);
        if (fork() == 0) {
            execl("/tmp/ptrace.suid", "ptrace", "whoami", nullptr);
            _exit(9);
        }
        int status = 0;
        wait(&status);
        if (status != exited(1)) _exit(6);
        _exit(0);
    }
    equal("others' programs, and set-user-id ones", wait_of(other), 0);
    end(root);
}

void many_rounds() {
    pid_t child = running_child();
    for (int i = 0; i < 5000; ++i) {
        if (trace(PTRACE_ATTACH, child) || wait_of(child) != stopped(SIGSTOP) ||
            trace(PTRACE_DETACH, child)) {
            equal("attached and detached as often", i, 5000);
            break;
        }
    }
    end(child);
    int done = 0;
    for (; done < 1000; ++done) {
        child = fork();
        if (child == 0) {
            trace(PTRACE_TRACEME, 0);
            raise(SIGSTOP);
            _exit(1);
        }
        if (wait_of(child) != stopped(SIGSTOP)) break;
        if (done % 2) kill(child, SIGKILL);
        if (done % 2 == 0) trace(PTRACE_CONT, child);
        if (wait_of(child) != (done % 2 ? SIGKILL : exited(1))) break;
    }
    equal("begun, stopped and ended", done, 1000);
}

}  // namespace

int main(int argc, char**) {
    if (argc > 1) return geteuid() == 0 ? 1 : 0;
    std::string self(4096, 0);
    self.resize(size_t(readlink("/proc/self/exe", self.data(), self.size())));
    needs("copy",
          system(("cp " + self + " /tmp/ptrace.suid && chmod 4755 /tmp/ptrace.suid").c_str()) ? -1
                                                                                              : 0);
    events();
    attaching();
    tracer_ends();
    who_may();
    late_superuser();
    many_rounds();
    unlink("/tmp/ptrace.suid");
    return done();
}
