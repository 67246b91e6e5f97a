// kcmp: what threads and processes share, the order of what they don't, and what is refused; /proc/PID/syscall.
// Spec: kcmp(2), proc(5).
// needs: wing
#include <linux/kcmp.h>
#include <sys/syscall.h>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

int kcmp(pid_t a, pid_t b, int kind, unsigned long first = 0, unsigned long second = 0) {
    return int(syscall(SYS_kcmp, a, b, kind, first, second));
}

void test_kcmp() {
    int ends[2];
    needs("pipe", pipe(ends));
    const int copy = dup(ends[0]);
    const pid_t self = getpid();
    equal("a duplicate", kcmp(self, self, KCMP_FILE, ends[0], copy), 0);
    const int order = kcmp(self, self, KCMP_FILE, ends[0], ends[1]);
    that("two files have an order", order == 1 || order == 2);
    equal("the other way round", kcmp(self, self, KCMP_FILE, ends[1], ends[0]), 3 - order);
    const int opened = needs("open", open("/dev/null", O_RDONLY));
    const int again = needs("open", open("/dev/null", O_RDONLY));
    that("opened twice is two", kcmp(self, self, KCMP_FILE, opened, again) > 0);
    Gate leave;
    const pid_t child = start([&] { return leave.wait(); });
    equal("a child has the same files", kcmp(self, child, KCMP_FILE, ends[0], copy), 0);
    that("in a table of its own", kcmp(self, child, KCMP_FILES) > 0);
    that("and its own memory", kcmp(self, child, KCMP_VM) > 0);
    equal("itself", kcmp(child, child, KCMP_VM), 0);
    equal("its actions", kcmp(child, child, KCMP_SIGHAND), 0);
    fails("no such file", kcmp(self, child, KCMP_FILE, 99, 0), EBADF);
    fails("no such kind", kcmp(self, child, 99), EINVAL);
    fails("no such process", kcmp(self, 9999999, KCMP_VM), ESRCH);
    exits("another user", 0, [&] {
        needs("setuid", setuid(61));
        fails("may not ask", kcmp(getpid(), self, KCMP_VM), EPERM);
        return done();
    });
    leave.pass(0);
    wait_for(child);
    for (int fd : {ends[0], ends[1], copy, opened, again}) close(fd);
}

std::string call_of(const std::string& who) {
    char text[256] = {};
    const int fd =
        needs("syscall", open(("/proc/" + who + "/syscall").c_str(), O_RDONLY | O_CLOEXEC));
    needs("read", read(fd, text, sizeof text - 1));
    close(fd);
    return text;
}

void test_proc() {
    same("the reader runs", call_of("self"), "running\n");
    int ends[2];
    needs("pipe", pipe(ends));
    const pid_t child = start([&] {
        char byte;
        syscall(SYS_read, ends[0], &byte, 1);
        return 0;
    });
    wait_until(child);
    char wanted[32];
    snprintf(wanted, sizeof wanted, "3 0x%x 0x", ends[0]);
    const std::string call = call_of(std::to_string(child));
    that("read, of that descriptor", call.starts_with(wanted));
    int words = 0;
    for (char c : call) words += c == ' ' || c == '\n';
    equal("number, six arguments, two registers", words, 9);
    same("of its thread", call_of(std::to_string(child) + "/task/" + std::to_string(child)), call);
    exits("another user", 0, [&] {
        needs("setuid", setuid(61));
        const std::string path = "/proc/" + std::to_string(child) + "/syscall";
        fails("may not look", open(path.c_str(), O_RDONLY), EACCES);
        return done();
    });
    needs("write", write(ends[1], "x", 1));
    wait_for(child);
    close(ends[0]);
    close(ends[1]);
}

}  // namespace

int main() {
    test_kcmp();
    test_proc();
    return done();
}
