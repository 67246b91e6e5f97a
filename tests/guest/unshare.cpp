// unshare: descriptors and names that were shared, what only one thread may ask, name spaces refused; how far a
// table of descriptors may grow (/proc/sys/fs/nr_open); sysfs. Spec: unshare(2), setns(2), sysfs(2), proc(5).
// needs: wing
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr int kNewTime = 0x80;  // clone() has a part of the signal there
const int kNameSpaces[] = {CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID,
                           CLONE_NEWNET,    CLONE_NEWNS,  kNewTime};

// Shares the descriptors of its parent.
template <typename F>
void with_shared_files(const char* what, F&& body) {
    const auto child = pid_t(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
    needs("clone", child);
    if (child == 0) _exit(body());
    equal(what, wait_for(child), 0);
}

void test_files() {
    const int fd = needs("open", open("/dev/null", O_RDONLY));
    with_shared_files("a child closes its own", [&] {
        succeeds("unshare", unshare(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM));
        close(fd);
        return done();
    });
    that("ours is open", fcntl(fd, F_GETFD) >= 0);
    with_shared_files("a child closes the one for both", [&] { return close(fd); });
    fails("ours is closed", fcntl(fd, F_GETFD), EBADF);
    int failed = 0;
    for (int i = 0; i < 10000; ++i) failed += unshare(CLONE_FILES | CLONE_FS) != 0;
    equal("ten thousand times", failed, 0);
}

void test_threads() {
    succeeds("one thread", unshare(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM));
    Gate leave;
    std::thread other([&] { leave.wait(); });
    for (int flag : {CLONE_THREAD, CLONE_SIGHAND, CLONE_VM})
        fails("one of two threads", unshare(flag), EINVAL);
    leave.pass(0);
    other.join();
    fails("an unknown flag", unshare(CLONE_PARENT), EINVAL);
    succeeds("nothing", unshare(0));
}

void test_name_spaces() {
    for (int flag : kNameSpaces) {
        fails("there is one name space", unshare(flag), EINVAL);
        if (flag != kNewTime)
            fails("for clone too", syscall(SYS_clone, flag | SIGCHLD, 0, 0, 0, 0), EINVAL);
    }
    exits("another user", 0, [] {
        needs("setuid", setuid(61));
        for (int flag : kNameSpaces) {
            fails("may not ask", unshare(flag), EPERM);
            if (flag != kNewTime)
                fails("nor by clone", syscall(SYS_clone, flag | SIGCHLD, 0, 0, 0, 0), EPERM);
            unsigned long long wide[8] = {(unsigned long long)flag};
            fails("nor by clone3", syscall(SYS_clone3, wide, sizeof wide), EPERM);
        }
        fails("users", unshare(CLONE_NEWUSER), EINVAL);
        succeeds("but for itself", unshare(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM));
        return done();
    });
    fails("no name space", setns(0, 0), EINVAL);
    fails("no file", setns(99, 0), EBADF);
    const int place = needs("open", open("/", O_PATH));
    fails("only a place", setns(place, 0), EBADF);
    close(place);
}

const char* const kNrOpen = "/proc/sys/fs/nr_open";
bool set_most(const std::string& value) {
    std::ofstream to(kNrOpen);
    to << value << std::flush;
    return bool(to);
}

void test_most_open() {
    std::string before;
    std::ifstream(kNrOpen) >> before;
    that("not less than 32", !set_most("31"));
    that("not too many", !set_most("1073741793"));
    that("the most", set_most("1073741792"));
    exits("a process with many", 0, [] {
        succeeds("a high number", dup2(0, 65));
        that("64", set_most("64"));
        rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        limit = {64, 65};
        fails("no limit above", setrlimit(RLIMIT_NOFILE, &limit), EPERM);
        fails("a new one beyond", fcntl(0, F_DUPFD, 300), EMFILE);
        fails("and at a number", dup2(0, 300), EBADF);
        succeeds("that one stays", close(dup(65)));
        fails("but not in a copy", fork(), EMFILE);
        close(65);
        exits("that is small enough", 0, [] { return 0; });
        return done();
    });
    that("as before", set_most(before));
}

int sysfs(unsigned option, unsigned long a = 0, char* to = nullptr) {
    return int(syscall(SYS_sysfs, option, a, to));
}

void test_types() {
    const int count = sysfs(3);
    that("some types", count > 3);
    for (int i = 0; i < count; ++i) {
        char name[64];
        succeeds("a name", sysfs(2, (unsigned long)i, name));
        equal(name, sysfs(1, (unsigned long)name), i);
    }
    fails("beyond", sysfs(2, (unsigned long)count, nullptr), EINVAL);
    fails("no room", sysfs(2, 0, nullptr), EFAULT);
    fails("no such type", sysfs(1, (unsigned long)"none"), EINVAL);
    fails("no text", sysfs(1, 0), EFAULT);
    fails("no such question", sysfs(4), EINVAL);
}

}  // namespace

int main() {
    test_files();
    test_threads();
    test_name_spaces();
    test_most_open();
    test_types();
    return done();
}
