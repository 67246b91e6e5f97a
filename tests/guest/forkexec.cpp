// forkexec [N]: N times (1000) fork, execve of this program, exit, wait; then the free memory must
// be what it was before, within a hundredth of what N leaked pages would make. Other processes may
// take memory meanwhile, so three tries are made before it counts as a leak; on a busy machine with
// other work even that may not do.
#include "tests/guest/check.hpp"

namespace {

long free_kilobytes() {
    char text[512] = "";
    int fd = check::needs("/proc/meminfo", open("/proc/meminfo", O_RDONLY));
    check::needs("read", read(fd, text, sizeof text - 1));
    close(fd);
    const char* line = strstr(text, "MemFree:");
    return line ? atol(line + strlen("MemFree:")) : check::needs("MemFree", -1);
}

// How many of COUNT children ran and exited as they should.
int fork_and_exec(const char* program, int count) {
    int good = 0;
    for (int i = 0; i < count; i++) {
        int status = check::status_of([&] {
            execl(program, program, "exit", nullptr);
            return 99;
        });
        good += WIFEXITED(status) && WEXITSTATUS(status) == 42;
    }
    return good;
}

}  // namespace

int main(int argc, char* argv[]) {
    if (argc > 1 && strcmp(argv[1], "exit") == 0) return 42;
    const int count = argc > 1 ? atoi(argv[1]) : 1000;
    const long allowed = 64 + count * 4 / 100;

    fork_and_exec(argv[0], 20);  // fills caches that are meant to stay
    long lost = 0;
    for (int attempt = 0; attempt < 3; attempt++) {
        long before = free_kilobytes();
        int good = fork_and_exec(argv[0], count);
        lost = before - free_kilobytes();
        if (good != count) {
            check::equal("every child exits with 42", good, count);
            break;
        }
        if (lost <= allowed) break;
    }
    check::report(lost <= allowed, "fork+execve+exit+wait gives back all memory",
                  std::to_string(lost) + " KiB lost", check::Where::current());
    return check::done();
}
