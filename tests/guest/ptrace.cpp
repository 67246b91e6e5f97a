// ptrace: a tracer and its tracees: stops at signals, calls, steps, breakpoints of both kinds; memory and
// registers. What is checked here and in ptraceevents.cpp holds on Linux too: built for i386 it passes there
// as root. Spec: ptrace(2), Linux i386.
// needs: wing
#include "tests/guest/ptrace.hpp"

namespace {

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

}  // namespace

int main() {
    signals();
    memory_and_registers();
    steps_and_breakpoints();
    step_over_a_call();
    calls();
    sleeping_call();
    other_memory();
    return done();
}
