// Corners of calls where a program sees a difference only when something goes wrong: what a failed call
// has left undone, and which error comes first.
// Spec: open(2), mq_open(3), accept(2), pwritev2(2), pread(2), flock(2), poll(2), wait(2), mprotect(2),
// getrandom(2), fcntl(2) on EDEADLK, proc(5) on protected_hardlinks.
// needs: wing
#include <dirent.h>
#include <linux/fs.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sched.h>

#include <atomic>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr uid_t kUser = 1000;

off_t size_of(const char* name) {
    struct stat found;
    return stat(name, &found) ? -1 : found.st_size;
}

int file_of(const char* name, std::string_view text, mode_t mode = 0600) {
    const int fd = needs(name, open(name, O_CREAT | O_TRUNC | O_RDWR, 0600));
    needs(name, write(fd, text.data(), text.size()));
    needs(name, fchmod(fd, mode));
    return fd;
}

// No descriptor is left: what the call would open stays as it is.
void test_no_descriptor() {
    close(file_of("kept", "contents"));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    strcpy(name.sun_path, "listens");
    const int listener = needs("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    const int client = needs("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    needs("bind", bind(listener, reinterpret_cast<sockaddr*>(&name), sizeof name));
    needs("listen", listen(listener, 1));
    needs("connect", connect(client, reinterpret_cast<sockaddr*>(&name), sizeof name));
    exits("without descriptors", 0, [&] {
        const int last = dup(0);
        close(last);
        const rlimit none = {static_cast<rlim_t>(last), static_cast<rlim_t>(last)};
        needs("limit", setrlimit(RLIMIT_NOFILE, &none));
        fails("open with O_TRUNC", open("kept", O_WRONLY | O_TRUNC), EMFILE);
        equal("the file is not cut", size_of("kept"), 8);
        fails("open with O_CREAT", open("fresh", O_WRONLY | O_CREAT, 0600), EMFILE);
        equal("the file is not made", size_of("fresh"), -1);
        fails("mq_open", mq_open("/fresh", O_RDWR | O_CREAT, 0600, nullptr), EMFILE);
        fails("the queue is not made", mq_unlink("/fresh"), ENOENT);
        fails("accept", accept(listener, nullptr, nullptr), EMFILE);
        return done();
    });
    succeeds("the connection waits still", accept(listener, nullptr, nullptr));
    close(listener);
    close(client);
    unlink("listens");
    unlink("kept");
    exits("a failed open gives its number back", 0, [] {
        const int before = dup(0);
        close(before);
        open("nothing", O_RDONLY);
        return dup(0) != before;
    });
}

void test_positions() {
    const int file = file_of("appended", "abc");
    fcntl(file, F_SETFL, O_APPEND);
    char x = 'x';
    const iovec piece{&x, 1};
    equal("pwritev2 with O_APPEND", pwritev2(file, &piece, 1, 0, 0), 1);
    char text[5] = {};
    pread(file, text, 4, 0);
    same("appends", text, "abcx");
    close(file);
    unlink("appended");

    int ends[2];
    needs("pipe", pipe(ends));
    fails("pread of the end that writes", pread(ends[1], text, 1, 0), ESPIPE);
    fails("pwrite to the end that reads", pwrite(ends[0], text, 1, 0), ESPIPE);
    fails("pread of nothing", pread(99, text, 1, 0), EBADF);

    const int small = needs("open", syscall(SYS_open, "small", O_CREAT | O_RDWR, 0600));
    fails("2 GiB without O_LARGEFILE", pwrite64(small, "x", 1, 0x7fffffff), EFBIG);
    equal("one byte before", pwrite64(small, "xy", 2, 0x7ffffffe), 1);
    close(small);
    const int large = needs("open", open64("small", O_RDWR | O_LARGEFILE));
    equal("with it", pwrite64(large, "x", 1, 0x7fffffff), 1);
    close(large);
    unlink("small");
}

void test_locks() {
    close(file_of("locked", "x"));
    const int first = open("locked", O_RDWR), second = open("locked", O_RDWR),
              third = open("locked", O_RDWR);
    needs("flock", flock(first, LOCK_SH));
    needs("flock", flock(second, LOCK_SH));
    fails("an upgrade that must not wait", flock(first, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    flock(second, LOCK_UN);
    succeeds("the old lock is gone", flock(third, LOCK_EX | LOCK_NB));

    // A waits for B's second range, though another one of C's is in its way first.
    const auto lock = [&](int start, int length, int command) {
        struct flock range {};
        range.l_type = F_WRLCK;
        range.l_start = start;
        range.l_len = length;
        return fcntl(first, command, &range);
    };
    Gate b_ready, c_ready;
    const pid_t c = start([&] {
        needs("C's range", lock(0, 1, F_SETLK));
        c_ready.pass();
        pause();
        return 0;
    });
    c_ready.wait();
    const pid_t self = getpid();
    const pid_t b = start([&] {
        needs("B's range", lock(5, 1, F_SETLK));
        b_ready.pass();
        wait_until(self);
        return lock(10, 1, F_SETLKW) < 0 ? errno : 0;
    });
    b_ready.wait();
    needs("A's range", lock(10, 1, F_SETLK));
    // C ends once A and B have met, so that a circle that nobody saw would stay.
    const pid_t ender = start([&] {
        while (state_of(b) != 'Z') {
            if (state_of(b) == 'S' && state_of(self) == 'S') break;
            sched_yield();
        }
        return kill(c, SIGKILL);
    });
    alarm(60);
    const int got = lock(0, 8, F_SETLKW) < 0 ? errno : 0;  // C's first, then B's
    alarm(0);
    equal("B is told of the circle", wait_for(b), EDEADLK << 8);
    equal("and A gets its range", got, 0);
    wait_for(ender);
    wait_for(c);
    unlink("locked");
}

void test_others() {
    exits("poll that a signal ends", 0, [] {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        sigaction(SIGUSR1, &action, nullptr);
        const pid_t self = getpid();
        const pid_t child = start([=] {
            wait_until(self);
            return kill(self, SIGUSR1);
        });
        int ends[2];
        needs("pipe", pipe(ends));
        pollfd file{ends[0], POLLIN, 0x7fff};
        const int got = poll(&file, 1, -1);
        const int error = errno;
        wait_for(child);
        return got == -1 && error == EINTR && file.revents == 0 ? 0 : 1;
    });

    const pid_t child = start([] { return 0; });
    fails("__WCLONE and an ordinary child", waitpid(child, nullptr, __WCLONE), ECHILD);
    equal("__WALL and it", waitpid(child, nullptr, __WALL), child);
    const pid_t clone =
        static_cast<pid_t>(syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
    if (clone == 0) _exit(0);
    fails("a child without a signal", waitpid(clone, nullptr, 0), ECHILD);
    equal("is one for __WCLONE", waitpid(clone, nullptr, __WCLONE), clone);

    char byte;
    fails("GRND_INSECURE with GRND_RANDOM", getrandom(&byte, 1, 4 | GRND_RANDOM), EINVAL);

    auto* pages = static_cast<volatile char*>(
        mmap(nullptr, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(const_cast<char*>(pages) + 4096, 4096);
    fails("mprotect over a hole",
          mprotect(const_cast<char*>(pages), 3 * 4096, PROT_READ | PROT_WRITE), ENOMEM);
    pages[0] = 1;
    that("changes what lies before it", pages[0] == 1);
    killed("and not what lies behind it", SIGSEGV, [&] {
        pages[2 * 4096] = 1;
        return 0;
    });
}

void test_links() {
    close(file_of("program", "x", 04755));
    close(file_of("secret", "x", 0600));
    close(file_of("shared", "x", 0666));
    needs("chmod", chmod(".", 0777));
    exits("links to others' files", 0, [] {
        needs("setgid", setresgid(kUser, kUser, kUser));
        needs("setuid", setresuid(kUser, kUser, kUser));
        fails("a set-user-id program", link("program", "copy"), EPERM);
        fails("one that may not be read", link("secret", "copy"), EPERM);
        succeeds("one that may be written", link("shared", "copy"));
        close(file_of("own", "x", 0400));
        succeeds("one's own", link("own", "copy-of-own"));
        return done();
    });
    succeeds("the superuser's", link("program", "program-link"));
    for (const char* name :
         {"program", "program-link", "secret", "shared", "copy", "own", "copy-of-own"})
        unlink(name);
}

// What a mapping wrote behind the end of a file on a disk is not the file's, though the page is.
void test_behind_the_end() {
    const int file = file_of("/mapped", "x");
    ftruncate(file, 2048);
    const auto view = [&] {
        return static_cast<char*>(mmap(nullptr, 2048, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    };
    char* pages = view();
    pages[0] = 'a', pages[2047] = 'b', pages[2048] = 'c', pages[4095] = 'd';
    msync(pages, 2048, MS_SYNC);
    munmap(pages, 2048);
    pages = view();
    that("what lies before the end stays", pages[0] == 'a' && pages[2047] == 'b');
    that("what lies behind it goes", pages[2048] == 0 && pages[4095] == 0);
    munmap(pages, 2048);
    close(file);
    unlink("/mapped");
}

void test_order_of_errors() {
    fails("mmap of nothing, of no file",
          reinterpret_cast<long>(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE, 99, 0)), EBADF);
    fails("of nothing",
          reinterpret_cast<long>(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)),
          EINVAL);
    fails("mount without a type", mount("x", ".", nullptr, 0, nullptr), EINVAL);
    fails("without a place", mount("x", nullptr, "tmpfs", 0, nullptr), EFAULT);
    const int from = file_of("from", "x"), to = file_of("to", "y");
    const int folder = needs("open", open(".", O_RDONLY));
    fails("FICLONE from no file", ioctl(to, FICLONE, 99), EBADF);
    fails("of a folder", ioctl(to, FICLONE, folder), EISDIR);
    fails("of another file system", ioctl(to, FICLONE, open("/proc/version", O_RDONLY)), EXDEV);
    fails("where files share no blocks", ioctl(to, FICLONE, from), EOPNOTSUPP);
    for (const int fd : {from, to, folder}) close(fd);
    unlink("from");
    unlink("to");
}

void test_no_links() {
    mkdir("place", 0755);
    needs("mount", mount("x", "place", "tmpfs", MS_NOSYMFOLLOW, nullptr));
    close(file_of("place/file", "x"));
    needs("symlink", symlink("file", "place/link"));
    needs("symlink", symlink("place/file", "to-place"));
    char text[8];
    fails("a link on a mount without them", open("place/link", O_RDONLY), ELOOP);
    equal("can be read", readlink("place/link", text, sizeof text), 4);
    succeeds("one from elsewhere leads in", open("to-place", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : -1);
    struct statfs found;
    statfs("place", &found);
    that("statfs tells", found.f_flags & 0x2000);
    unlink("to-place");
    umount2("place", MNT_DETACH);
    rmdir("place");
}

// A thread's id is one for calls that take a process', and a name in /proc that is not listed.
void test_thread_ids() {
    static Gate may_end;
    static std::atomic<pid_t> tid;
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
            prctl(PR_SET_NAME, "second");
            tid.store(gettid());
            may_end.wait();
            return nullptr;
        },
        nullptr);
    while (!tid.load()) sched_yield();
    equal("getpgid", getpgid(tid.load()), getpgrp());
    equal("getsid", getsid(tid.load()), getsid(0));
    char path[40], text[16] = {};
    snprintf(path, sizeof path, "/proc/%d/comm", tid.load());
    const int comm = open(path, O_RDONLY);
    read(comm, text, sizeof text - 1);
    close(comm);
    same("/proc/TID tells of the thread", text, "second\n");
    DIR* all = opendir("/proc");
    const std::string name = std::to_string(tid.load());
    int seen = 0;
    while (const dirent* entry = readdir(all)) seen += entry->d_name == name;
    closedir(all);
    equal("and is not listed", seen, 0);
    may_end.pass();
    pthread_join(thread, nullptr);
    fails("it goes with the thread", open(path, O_RDONLY), ENOENT);
    fails("as does its id", getpgid(tid.load()), ESRCH);
}

}  // namespace

// A process that has ended, and is not waited for yet, is there for who asks.
void test_ended() {
    const pid_t ended = start([] { return 0; });
    siginfo_t info;
    waitid(P_PID, ended, &info, WEXITED | WNOWAIT);
    sched_param parameters{1};
    equal("its class", sched_getscheduler(ended), SCHED_OTHER);
    equal("its parameters", sched_getparam(ended, &parameters), 0);
    equal("its priority", parameters.sched_priority, 0);
    equal("its nice", getpriority(PRIO_PROCESS, ended), 0);
    equal("a signal", kill(ended, 0), 0);
    cpu_set_t cpus;
    succeeds("its CPUs", sched_getaffinity(ended, sizeof cpus, &cpus));
    wait_for(ended);
    fails("no longer", sched_getscheduler(ended), ESRCH);
    fails("nor its nice", getpriority(PRIO_PROCESS, ended), ESRCH);
    fails("huge pages", shmget(IPC_PRIVATE, 4096, IPC_CREAT | SHM_HUGETLB | 0600), ENOMEM);
}

int main() {
    mkdir("/tmp/corners", 0777);
    needs("work folder", chdir("/tmp/corners"));
    test_no_descriptor();
    test_positions();
    test_locks();
    test_others();
    test_links();
    test_ended();
    test_behind_the_end();
    test_order_of_errors();
    test_no_links();
    test_thread_ids();
    chdir("/");
    rmdir("/tmp/corners");
    return done();
}
