// What the tests of ptrace share: requests, statuses, a child that is traced from its start.
#pragma once

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

enum { kGetRegs = 12, kSetRegs = 13, kGetFpxRegs = 18, kGetInfo = 0x420e };

inline long trace(int request, pid_t tid, unsigned long address = 0, unsigned long data = 0) {
    return syscall(SYS_ptrace, request, tid, address, data);
}
template <typename T>
long trace(int request, pid_t tid, unsigned long address, T* data) {
    return trace(request, tid, address, reinterpret_cast<unsigned long>(data));
}
inline int wait_of(pid_t tid) {
    int status = -1;
    return waitpid(tid, &status, __WALL) == tid ? status : -1;
}
constexpr int stopped(int signal, int event = 0) { return (event << 8 | signal) << 8 | 0x7f; }
constexpr int exited(int code) { return code << 8; }

inline long peek(pid_t tid, void* address) {
    long word = 0;
    trace(PTRACE_PEEKDATA, tid, reinterpret_cast<unsigned long>(address), &word);
    return word;
}
inline user_regs_struct registers(pid_t tid) {
    user_regs_struct r{};
    trace(kGetRegs, tid, 0, &r);
    return r;
}

inline volatile int counter = 0, watched = 0;
inline volatile double number = 0;
[[gnu::noinline]] inline void count() { counter = counter + 1; }

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
inline void runs_to(pid_t child, std::string_view what, int status, int request = PTRACE_CONT,
                    long signal = 0) {
    needs("go on", trace(request, child, 0, static_cast<unsigned long>(signal)));
    equal(what, wait_of(child), status);
}
inline std::string status_line(pid_t pid, const char* key) {
    char text[4096] = {};
    int file = open(("/proc/" + std::to_string(pid) + "/status").c_str(), O_RDONLY);
    (void)!read(file, text, sizeof text - 1);
    close(file);
    const char* at = strstr(text, key);
    return at ? std::string(at, strcspn(at, "\n")) : "";
}

inline volatile sig_atomic_t handled;
inline void note(int signal) { handled = signal; }
