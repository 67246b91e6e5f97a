// Locks on files: record locks of processes and of open files, flock, their waits, deadlock.
// Spec: fcntl(2), flock(2).
// needs: wing
#include <sys/file.h>
#include <sys/mman.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

const char* kFile = "/tmp/locks";

int open_it() { return needs("open", open(kFile, O_RDWR | O_CREAT | O_CLOEXEC, 0600)); }

struct flock range(short type, off_t start, off_t length, short whence = SEEK_SET) {
    struct flock l = {};
    l.l_type = type;
    l.l_whence = whence;
    l.l_start = start;
    l.l_len = length;
    return l;
}
int lock(int fd, int command, short type, off_t start, off_t length) {
    struct flock l = range(type, start, length);
    return fcntl(fd, command, &l);
}
// Another process' view of [start, start+length).
short seen_by_other(int fd, off_t start, off_t length, off_t* first = nullptr) {
    static struct flock* shared = static_cast<struct flock*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    wait_for(check::start([&] {
        *shared = range(F_WRLCK, start, length);
        return fcntl(fd, F_GETLK, shared) != 0;
    }));
    if (first) *first = shared->l_start;
    return shared->l_type;
}

void test_ranges() {
    int fd = open_it();
    succeeds("write lock", lock(fd, F_SETLK, F_WRLCK, 10, 90));
    succeeds("turn a part into a read lock", lock(fd, F_SETLK, F_RDLCK, 40, 20));
    succeeds("unlock a hole", lock(fd, F_SETLK, F_UNLCK, 20, 10));
    equal("own locks are not in the way", lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
    equal("nothing before", seen_by_other(fd, 1, 9), F_UNLCK);
    off_t first = 0;
    equal("write part", seen_by_other(fd, 10, 100, &first), F_WRLCK);
    equal("its start", first, 10);
    equal("hole", seen_by_other(fd, 20, 10), F_UNLCK);
    equal("read part", seen_by_other(fd, 45, 5, &first), F_RDLCK);
    equal("its start", first, 40);
    exits("another process may not", 0, [&] {
        fails("conflict", lock(fd, F_SETLK, F_RDLCK, 0, 0), EAGAIN);
        succeeds("shared read", lock(fd, F_SETLK, F_RDLCK, 45, 5));
        return done();
    });
    struct flock l = range(F_WRLCK, -5, 5, SEEK_CUR);
    fails("before the start", fcntl(fd, F_SETLK, &l), EINVAL);
    l.l_type = 7;
    fails("no such type", fcntl(fd, F_SETLK, &l), EINVAL);
    close(dup(fd));
    equal("closing any descriptor drops all", seen_by_other(fd, 0, 0), F_UNLCK);
    int read_only = open(kFile, O_RDONLY);
    fails("write lock needs writing", lock(read_only, F_SETLK, F_WRLCK, 0, 0), EBADF);
    close(read_only);
    close(fd);
}

void test_waiting() {
    int fd = open_it();
    lock(fd, F_SETLK, F_WRLCK, 0, 0);
    pid_t child = start([&] { return lock(fd, F_SETLKW, F_WRLCK, 0, 0) != 0; });
    wait_until(child);
    lock(fd, F_SETLK, F_UNLCK, 0, 0);
    equal("the waiter gets it", wait_for(child), 0);
    // A killed holder's lock goes with it.
    Gate held;
    child = start([&] {
        lock(fd, F_SETLK, F_WRLCK, 0, 0);
        held.pass();
        pause();
        return 1;
    });
    held.wait();
    pid_t waiter = start([&] { return lock(fd, F_SETLKW, F_WRLCK, 0, 0) != 0; });
    wait_until(waiter);
    kill(child, SIGKILL);
    wait_for(child);
    equal("a killed process leaves nothing locked", wait_for(waiter), 0);
    // A signal ends the wait.
    lock(fd, F_SETLK, F_WRLCK, 0, 0);
    child = start([&] {
        struct sigaction action = {};
        action.sa_handler = [](int) {};
        sigaction(SIGUSR1, &action, nullptr);
        fails("interrupted", lock(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
        return done();
    });
    wait_until(child);
    kill(child, SIGUSR1);
    equal("interrupted wait", wait_for(child), 0);
    close(fd);
}

void test_deadlock() {
    int fd = open_it();
    Gate ready;
    lock(fd, F_SETLK, F_WRLCK, 0, 1);
    pid_t child = start([&] {
        lock(fd, F_SETLK, F_WRLCK, 1, 1);
        ready.pass();
        return lock(fd, F_SETLKW, F_WRLCK, 0, 1) != 0;
    });
    ready.wait();
    wait_until(child);
    fails("a circle", lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
    lock(fd, F_SETLK, F_UNLCK, 0, 1);
    equal("the other goes on", wait_for(child), 0);
    close(fd);
}

void test_open_file_locks() {
    int a = open_it(), b = open_it();
    succeeds("OFD lock", lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
    fails("of another open file", lock(b, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
    fails("and against records", lock(b, F_SETLK, F_RDLCK, 5, 1), EAGAIN);
    close(dup(a));
    fails("stays while it is open", lock(b, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
    struct flock l = range(F_RDLCK, 0, 10);
    succeeds("GETLK", fcntl(b, F_OFD_GETLK, &l));
    equal("its pid is -1", l.l_pid, -1);
    l = range(F_RDLCK, 0, 10);
    l.l_pid = 1;
    fails("pid must be 0", fcntl(b, F_OFD_SETLK, &l), EINVAL);
    close(a);
    succeeds("gone with the last descriptor", lock(b, F_OFD_SETLK, F_RDLCK, 5, 1));
    close(b);
}

void test_flock() {
    int a = open_it(), b = open_it();
    succeeds("shared", flock(a, LOCK_SH));
    succeeds("twice", flock(b, LOCK_SH | LOCK_NB));
    fails("not exclusive", flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    succeeds("unlock", flock(a, LOCK_UN));
    succeeds("now", flock(b, LOCK_EX | LOCK_NB));
    succeeds("flock and fcntl do not meet", lock(a, F_SETLK, F_WRLCK, 0, 0));
    pid_t child = start([&] {
        close(b);
        return flock(a, LOCK_EX) != 0;
    });
    wait_until(child);
    close(b);
    equal("waits", wait_for(child), 0);
    fails("bad operation", flock(a, 3), EINVAL);
    close(a);
}

}  // namespace

int main() {
    test_ranges();
    test_waiting();
    test_deadlock();
    test_open_file_locks();
    test_flock();
    unlink(kFile);
    return done();
}
