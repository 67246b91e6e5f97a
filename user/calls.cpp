// calls COMMAND [ARGUMENT...]: runs the command and prints each of its system calls as a debugger sees it: by
// number, with three arguments and the result. The shortest tracer that is of use: stop, look, go on.
// Spec: ptrace(2), PTRACE_SYSCALL and PTRACE_GET_SYSCALL_INFO.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr int kGetCall = 0x420e, kCallStop = SIGTRAP | 0x80;
struct CallInfo {  // struct ptrace_syscall_info
    uint8_t kind, padding[3];
    uint32_t architecture;
    uint64_t eip, esp, values[7];
};

void show(pid_t child) {
    CallInfo info{};
    if (syscall(SYS_ptrace, kGetCall, child, sizeof info, &info) < 0) return;
    const uint64_t* v = info.values;
    if (info.kind == 1)
        fprintf(stderr, "call %3u (%#x, %#x, %#x)", unsigned(v[0]), unsigned(v[1]), unsigned(v[2]),
                unsigned(v[3]));
    if (info.kind == 2) fprintf(stderr, " = %d\n", int(v[0]));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return fprintf(stderr, "usage: calls COMMAND [ARGUMENT...]\n"), 2;
    const pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0) raise(SIGSTOP);
        execvp(argv[1], argv + 1);
        fprintf(stderr, "calls: %s: %s\n", argv[1], strerror(errno));
        return 127;
    }
    int status = 0, signal = 0;
    waitpid(child, &status, 0);
    if (child < 0 || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC) < 0)
        return fprintf(stderr, "calls: cannot trace: %s\n", strerror(errno)), 1;
    while (ptrace(PTRACE_SYSCALL, child, nullptr, signal) == 0 &&
           waitpid(child, &status, 0) == child) {
        if (!WIFSTOPPED(status)) break;
        const bool call = WSTOPSIG(status) == kCallStop, event = status >> 16;
        if (call) show(child);
        signal = call || event ? 0 : WSTOPSIG(status);
    }
    fprintf(stderr, "\n");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
