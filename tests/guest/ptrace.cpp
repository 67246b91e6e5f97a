// ptrace: a tracer and its tracees: stops at signals, calls, steps, breakpoints of both kinds, events; memory
// and registers; group stops; attaching, seizing, detaching; a tracer that ends; who may trace whom; and what
// is left after many rounds. What is checked here holds on Linux too: built for i386 it passes there as root.
// Spec: ptrace(2), Linux i386.
// needs: wing
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <linux/ptrace.h>
#undef PTRACE_GETREGS

#include "tests/guest/check.hpp"

using namespace check;

namespace {

enum { kGetRegs = 12, kSetRegs = 13, kGetFpxRegs = 18, kGetInfo = 0x420e };

long trace(int request, pid_t tid, unsigned long address = 0, unsigned long data = 0) {
    return syscall(SYS_ptrace, request, tid, address, data);
}
template <typename T>
long trace(int request, pid_t tid, unsigned long address, T* data) {
    return trace(request, tid, address, reinterpret_cast<unsigned long>(data));
}
int wait_of(pid_t tid) {
    int status = -1;
    return waitpid(tid, &status, __WALL) == tid ? status : -1;
}
constexpr int stopped(int signal, int event = 0) { return (event << 8 | signal) << 8 | 0x7f; }
constexpr int exited(int code) { return code << 8; }

long peek(pid_t tid, void* address) {
    long word = 0;
    trace(PTRACE_PEEKDATA, tid, reinterpret_cast<unsigned long>(address), &word);
    return word;
}
user_regs_struct registers(pid_t tid) {
    user_regs_struct r{};
    trace(kGetRegs, tid, 0, &r);
    return r;
}

volatile int counter = 0, watched = 0;
volatile double number = 0;
[[gnu::noinline]] void count() { counter = counter + 1; }

// A child that is traced from its start, and stopped.
template <typename F>
pid_t traced_child(F&& body) {
    pid_t child = int(needs("fork", fork()));
    if (child == 0) {
        alarm(60);
        needs("TRACEME", trace(PTRACE_TRACEME, 0));
        raise(SIGSTOP);
        body();
        _exit(7);
    }
    equal("a traced child stops", wait_of(child), stopped(SIGSTOP));
    return child;
}
void runs_to(pid_t child, std::string_view what, int status, int request = PTRACE_CONT,
             long signal = 0) {
    needs("go on", trace(request, child, 0, static_cast<unsigned long>(signal)));
    equal(what, wait_of(child), status);
}
std::string status_line(pid_t pid, const char* key) {
    char text[4096] = {};
    int file = open(("/proc/" + std::to_string(pid) + "/status").c_str(), O_RDONLY);
    (void)!read(file, text, sizeof text - 1);
    close(file);
    const char* at = strstr(text, key);
    return at ? std::string(at, strcspn(at, "\n")) : "";
}

volatile sig_atomic_t handled;
void note(int signal) { handled = signal; }

void signals() {
    pid_t child = traced_child([] {
        signal(SIGUSR1, note), signal(SIGUSR2, note);
        raise(SIGUSR1);
        if (handled) _exit(1);
        raise(SIGUSR1);
        if (handled != SIGUSR1) _exit(2);
        raise(SIGUSR1);
        if (handled != SIGUSR2) _exit(3);
        raise(SIGCHLD);
        raise(SIGUSR1);
        _exit(9);
    });
    same("TracerPid", status_line(child, "TracerPid"), "TracerPid:\t" + std::to_string(getpid()));
    same("its state", status_line(child, "State"), "State:\tt (tracing stop)");
    runs_to(child, "a signal stops it", stopped(SIGUSR1));
    siginfo_t info{};
    trace(PTRACE_GETSIGINFO, child, 0, &info);
    equal("what it says", info.si_signo * 100000 + info.si_pid, SIGUSR1 * 100000 + child);
    runs_to(child, "suppressed, and the next", stopped(SIGUSR1));
    runs_to(child, "delivered", stopped(SIGUSR1), PTRACE_CONT, SIGUSR1);
    runs_to(child, "another one; one that is ignored is seen too", stopped(SIGCHLD), PTRACE_CONT,
            SIGUSR2);
    runs_to(child, "and the last", stopped(SIGUSR1), PTRACE_CONT, SIGCHLD);
    fails("no such signal", trace(PTRACE_CONT, child, 0, 65), EIO);
    fails("no such request", trace(0x4fff, child), EIO);
    runs_to(child, "a fatal one ends it", SIGTERM, PTRACE_CONT, SIGTERM);
    fails("there is none any more", trace(PTRACE_CONT, child), ESRCH);
}

void memory_and_registers() {
    static const char constant[16] = "read-only text!";
    pid_t child = traced_child([] {
        number = 1.5;
        raise(SIGUSR1);
        count();
        _exit(counter);
    });
    runs_to(child, "where it is to be seen", stopped(SIGUSR1));
    equal("PEEKDATA", peek(child, const_cast<char*>(constant)), long(0x64616572));
    succeeds(
        "POKEDATA of a constant",
        trace(PTRACE_POKEDATA, child, reinterpret_cast<unsigned long>(constant), 0x31313131ul));
    equal("it is changed there", peek(child, const_cast<char*>(constant)), long(0x31313131));
    equal("and not here", constant[0], 'r');
    succeeds("POKEDATA of a variable",
             trace(PTRACE_POKEDATA, child, reinterpret_cast<unsigned long>(&counter), 40ul));
    fails("nothing there", trace(PTRACE_PEEKDATA, child, 16, &handled), EIO);
    fails("nor to be written", trace(PTRACE_POKEDATA, child, 16, 1ul), EIO);
    fails("no place for it",
          trace(PTRACE_PEEKDATA, child, reinterpret_cast<unsigned long>(constant), 8ul), EFAULT);

    user_regs_struct r = registers(child);
    long word = 0;
    trace(PTRACE_PEEKUSER, child, 12 * 4, &word);
    equal("PEEKUSER has the same eip", word, r.eip);
    equal("ring 3", r.xcs & 3, 3);
    fails("beyond struct user", trace(PTRACE_PEEKUSER, child, 4096, &word), EIO);
    fails("between words", trace(PTRACE_PEEKUSER, child, 2, &word), EIO);
    iovec range{&r, sizeof r};
    succeeds("GETREGSET", trace(PTRACE_GETREGSET, child, 1, &range));
    equal("its length", long(range.iov_len), 68);
    fails("no such set", trace(PTRACE_GETREGSET, child, 77, &range), EINVAL);
    fails("a code segment of ring 0", trace(PTRACE_POKEUSER, child, 13 * 4, 0ul), EIO);
    user_fpregs_struct f{};
    succeeds("GETFPREGS", trace(14, child, 0, &f));
    equal("an empty x87", f.twd & 0xffff, 0xffff);
    equal("its control word", f.cwd & 0xffff, 0x37f);
    f.cwd = long(0xffff0000 | 0x27f);
    succeeds("SETFPREGS", trace(15, child, 0, &f));
    trace(14, child, 0, &f);
    equal("is kept", f.cwd & 0xffff, 0x27f);
    user_fpxregs_struct x{};
    succeeds("GETFPXREGS", trace(kGetFpxRegs, child, 0, &x));
    equal("the same control word", x.cwd, 0x27f);

    // Call a function of the tracee's.
    user_regs_struct call = r;
    call.esp -= 64;
    trace(PTRACE_POKEDATA, child, static_cast<unsigned long>(call.esp), 0ul);  // it returns to 0
    call.eip = long(reinterpret_cast<unsigned long>(&count));
    call.orig_eax = -1;
    succeeds("SETREGS", trace(kSetRegs, child, 0, &call));
    runs_to(child, "the function returns to nowhere", stopped(SIGSEGV));
    equal("it was called", peek(child, const_cast<int*>(&counter)), 41);
    trace(kSetRegs, child, 0, &r);
    runs_to(child, "and all goes on as before", exited(42));
}

void steps_and_breakpoints() {
    pid_t child = traced_child([] {
        raise(SIGUSR1);
        count(), count();
        watched = 5;
        raise(SIGUSR2);
        _exit(counter);
    });
    runs_to(child, "ready", stopped(SIGUSR1));
    const auto at = reinterpret_cast<unsigned long>(&count);
    long old = peek(child, reinterpret_cast<void*>(at));
    trace(PTRACE_POKETEXT, child, at, static_cast<unsigned long>((old & ~0xffl) | 0xcc));
    runs_to(child, "a breakpoint", stopped(SIGTRAP));
    user_regs_struct r = registers(child);
    equal("after INT3", r.eip, long(at + 1));
    trace(PTRACE_POKETEXT, child, at, static_cast<unsigned long>(old));
    trace(PTRACE_POKEUSER, child, 12 * 4, at);
    runs_to(child, "a step", stopped(SIGTRAP), PTRACE_SINGLESTEP);
    that("one instruction further", registers(child).eip != long(at));
    siginfo_t info{};
    trace(PTRACE_GETSIGINFO, child, 0, &info);
    equal("TRAP_TRACE", info.si_code, 2);
    that("the trap flag is not to be seen", !(registers(child).eflags & 0x100));

    constexpr unsigned long kDebug = 252;
    fails("ports are not to be watched", trace(PTRACE_POKEUSER, child, kDebug + 28, 0x00020001ul),
          EINVAL);
    succeeds("DR0",
             trace(PTRACE_POKEUSER, child, kDebug, reinterpret_cast<unsigned long>(&watched)));
    succeeds("DR7: four bytes, written", trace(PTRACE_POKEUSER, child, kDebug + 28, 0x000d0001ul));
    runs_to(child, "what is watched changes", stopped(SIGTRAP));
    equal("it has", peek(child, const_cast<int*>(&watched)), 5);
    long status = 0;
    trace(PTRACE_PEEKUSER, child, kDebug + 24, &status);
    equal("DR6", status & 15, 1);
    trace(PTRACE_GETSIGINFO, child, 0, &info);
    equal("TRAP_HWBKPT", info.si_code, 4);
    trace(PTRACE_POKEUSER, child, kDebug + 28, 0ul);
    runs_to(child, "no more of it", stopped(SIGUSR2));
    runs_to(child, "the end", exited(2));
}

// A step over INT 0x80 stops right behind it.
void step_over_a_call() {
    pid_t child = traced_child([] {
        raise(SIGUSR1);
        long result;
        asm volatile("int $0x80" : "=a"(result) : "0"(SYS_getppid));
        _exit(3);
    });
    runs_to(child, "ready", stopped(SIGUSR1));
    bool seen = false, stops = true;
    for (int i = 0; i < 3000 && stops && !seen; ++i) {
        const user_regs_struct before = registers(child);
        const long code = peek(child, reinterpret_cast<void*>(before.eip));
        trace(PTRACE_SINGLESTEP, child);
        const int status = wait_of(child);
        stops = status == stopped(SIGTRAP);
        if ((code & 0xffff) == 0x80cd && before.eax == SYS_getppid) {
            seen = true;
            equal("a step over a call", registers(child).eip, before.eip + 2);
            equal("its result", registers(child).eax, getpid());
        }
    }
    that("the call was met", seen);
    runs_to(child, "the end", exited(3));
}

void calls() {
    pid_t child = traced_child([] {
        syscall(SYS_getppid);
        syscall(SYS_close, 99);
        if (syscall(SYS_getpid) != 4711) _exit(1);
        if (syscall(SYS_getuid32) != -1 || errno != ENOSYS) _exit(2);
        _exit(8);
    });
    succeeds("SETOPTIONS",
             trace(PTRACE_SETOPTIONS, child, 0, static_cast<unsigned long>(PTRACE_O_TRACESYSGOOD)));
    fails("an unknown option", trace(PTRACE_SETOPTIONS, child, 0, 1ul << 30), EINVAL);
    constexpr int kCall = SIGTRAP | 0x80;
    __ptrace_syscall_info info{};
    auto next = [&](long number) {
        for (int i = 0; i < 30; ++i) {
            trace(PTRACE_SYSCALL, child);
            if (wait_of(child) != stopped(kCall)) return false;
            trace(kGetInfo, child, sizeof info, &info);
            if (info.op == 1 && long(info.entry.nr) == number) return true;
        }
        return false;
    };
    that("getppid begins", next(SYS_getppid));
    user_regs_struct r = registers(child);
    equal("orig_eax", r.orig_eax, SYS_getppid);
    equal("eax before", r.eax, -ENOSYS);
    equal("the architecture", info.arch, 0x40000003);
    equal("where", long(info.instruction_pointer), r.eip);
    runs_to(child, "and ends", stopped(kCall), PTRACE_SYSCALL);
    equal("an exit", trace(kGetInfo, child, sizeof info, &info), 33);
    equal("of that kind", info.op, 2);
    equal("its result", long(info.exit.rval), getpid());
    equal("is no error", info.exit.is_error, 0);
    that("close begins", next(SYS_close));
    equal("an entry", trace(kGetInfo, child, sizeof info, &info), 80);
    equal("its argument", long(info.entry.args[0]), 99);
    runs_to(child, "and ends", stopped(kCall), PTRACE_SYSCALL);
    trace(kGetInfo, child, sizeof info, &info);
    equal("with an error", long(info.exit.rval) * 10 + info.exit.is_error, -EBADF * 10 + 1);
    that("getpid begins", next(SYS_getpid));
    runs_to(child, "and ends", stopped(kCall), PTRACE_SYSCALL);
    trace(PTRACE_POKEUSER, child, 6 * 4, 4711ul);
    that("getuid begins", next(SYS_getuid32));
    trace(PTRACE_POKEUSER, child, 11 * 4, ~0ul);
    runs_to(child, "and is not made", stopped(kCall), PTRACE_SYSCALL);
    runs_to(child, "the end", exited(8));
}

// A call that sleeps is made once.
void sleeping_call() {
    int ends[2];
    needs("pipe", pipe(ends));
    pid_t child = traced_child([=] {
        char c;
        raise(SIGUSR1);
        _exit(read(ends[0], &c, 1) == 1 ? 0 : 1);
    });
    runs_to(child, "ready", stopped(SIGUSR1));
    trace(PTRACE_SETOPTIONS, child, 0, static_cast<unsigned long>(PTRACE_O_TRACESYSGOOD));
    constexpr int kCall = SIGTRAP | 0x80;
    __ptrace_syscall_info info{};
    for (int i = 0; i < 30 && !(info.op == 1 && info.entry.nr == SYS_read); ++i) {
        runs_to(child, "a call", stopped(kCall), PTRACE_SYSCALL);
        trace(kGetInfo, child, sizeof info, &info);
    }
    trace(PTRACE_SYSCALL, child);
    for (int i = 0; i < 100 && status_line(child, "State") != "State:\tS (sleeping)"; ++i)
        usleep(1000);
    int status = 0;
    equal("it sleeps", waitpid(child, &status, WNOHANG | __WALL), 0);
    equal("until something comes", write(ends[1], "x", 1), 1);
    equal("and ends", wait_of(child), stopped(kCall));
    equal("with it", registers(child).eax, 1);
    runs_to(child, "the end", exited(0));
    close(ends[0]), close(ends[1]);
}

// /proc/PID/mem, process_vm_readv and process_vm_writev, /proc/PID/auxv.
void other_memory() {
    static const char constant[16] = "read-only text!";
    static char variable[16] = "some variable..";
    pid_t child = traced_child([] { _exit(variable[0]); });
    const std::string folder = "/proc/" + std::to_string(child);
    int memory = open((folder + "/mem").c_str(), O_RDWR);
    succeeds("/proc/PID/mem", memory);
    char text[16] = {};
    const auto at = [](const void* where) { return off_t(reinterpret_cast<unsigned long>(where)); };
    equal("a read there", pread(memory, text, 16, at(constant)), 16);
    same("gives", text, constant);
    equal("a write of a constant", pwrite(memory, "X", 1, at(constant)), 1);
    equal("is done", peek(child, const_cast<char*>(constant)) & 0xff, 'X');
    fails("nothing there", pread(memory, text, 16, 16), EIO);
    close(memory);
    char first[4] = {}, second[9] = {};
    const iovec mine[] = {{first, 3}, {second, 8}};
    const iovec theirs[] = {{variable, 5}, {const_cast<char*>(constant) + 1, 6}};
    equal("process_vm_readv", process_vm_readv(child, mine, 2, theirs, 2, 0), 11);
    same("the first piece", first, "som");
    same("and the second", second, "e ead-on");
    const iovec letter = {const_cast<char*>("*"), 1}, to = {variable, 1};
    equal("process_vm_writev", process_vm_writev(child, &letter, 1, &to, 1, 0), 1);
    const iovec nowhere = {reinterpret_cast<void*>(16), 4},
                constant_place = {const_cast<char*>(constant), 1};
    fails("from nowhere", process_vm_readv(child, mine, 1, &nowhere, 1, 0), EFAULT);
    fails("not by force", process_vm_writev(child, &letter, 1, &constant_place, 1, 0), EFAULT);
    fails("flags", process_vm_readv(child, mine, 1, theirs, 1, 1), EINVAL);
    fails("nobody", process_vm_readv(99999, mine, 1, theirs, 1, 0), ESRCH);
    unsigned long pairs[128] = {};
    int file = open((folder + "/auxv").c_str(), O_RDONLY);
    const ssize_t bytes = read(file, pairs, sizeof pairs);
    close(file);
    unsigned long page = 0;
    for (unsigned i = 0; i + 1 < bytes / sizeof(long); i += 2)
        if (pairs[i] == 6) page = pairs[i + 1];
    equal("/proc/PID/auxv has the page's size", long(page), 4096);
    runs_to(child, "the end", exited('*'));
}

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
    wait_of(child);
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

int main(int argc, char** argv) {
    if (argc > 1) return geteuid() == 0 ? 1 : 0;
    std::string self(4096, 0);
    self.resize(size_t(readlink("/proc/self/exe", self.data(), self.size())));
    needs("copy",
          system(("cp " + self + " /tmp/ptrace.suid && chmod 4755 /tmp/ptrace.suid").c_str()) ? -1
                                                                                              : 0);
    signals();
    memory_and_registers();
    steps_and_breakpoints();
    step_over_a_call();
    calls();
    sleeping_call();
    other_memory();
    events();
    attaching();
    tracer_ends();
    who_may();
    many_rounds();
    unlink("/tmp/ptrace.suid");
    return done();
}
