// Calls that are a few lines each: old signal masks, I/O priorities, fchmodat2, the next id of System V objects,
// sticky timeouts, futex words that are not there, several futex words at once, directory notices, another part of
// a file in a mapping, empty thread areas, SHM_STAT_ANY, levels of the log. Spec: the manual page of each.
// needs: wing
#include <asm/ldt.h>
#include <pthread.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/select.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstdint>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr int kBestEffort = 2 << 13, kRealTime = 1 << 13, kIdle = 3 << 13;

void test_masks() {
    const long before = syscall(SYS_ssetmask, 1 << (SIGUSR1 - 1) | 1 << (SIGKILL - 1));
    equal("SIGKILL is not blocked", syscall(SYS_sgetmask), 1 << (SIGUSR1 - 1));
    equal("the mask before", syscall(SYS_ssetmask, before), 1 << (SIGUSR1 - 1));
}

int io_set(int which, int who, int value) {
    return int(syscall(SYS_ioprio_set, which, who, value));
}
int io_get(int which, int who) { return int(syscall(SYS_ioprio_get, which, who)); }

void test_io_priorities() {
    equal("none at first", io_get(1, 0), 0);
    equal("of a user: by the nice value", io_get(3, int(getuid())) >> 13, 2);
    succeeds("best effort", io_set(1, 0, kBestEffort | 7));
    equal("is kept", io_get(1, getpid()), kBestEffort | 7);
    equal("of a group: the best", io_get(2, 0) <= (kBestEffort | 7), 1);
    fails("level 8", io_set(1, 0, kBestEffort | 8), EINVAL);
    fails("no class with a level", io_set(1, 0, 4), EINVAL);
    fails("class 4", io_set(1, 0, 4 << 13), EINVAL);
    fails("of whom", io_set(4, 0, kIdle), EINVAL);
    fails("nobody", io_get(1, 32000), ESRCH);
    exits("a user", 0, [] {
        needs("setuid", setuid(1000));
        fails("has no real-time class", io_set(1, 0, kRealTime), EPERM);
        fails("may not set another's", io_set(1, 1, kIdle), EPERM);
        succeeds("may be idle", io_set(1, 0, kIdle | 3));
        return done();
    });
    exits("all of a user", 0, [] {
        needs("setuid", setuid(61));
        pthread_t other;
        pthread_create(
            &other, nullptr,
            [](void*) -> void* {
                equal("a thread inherits", io_get(1, 0), kBestEffort | 7);
                succeeds("its own", io_set(1, 0, kIdle));
                equal("the best of all threads", io_get(3, 0), kBestEffort | 7);
                return nullptr;
            },
            nullptr);
        pthread_join(other, nullptr);
        succeeds("of one user", io_set(3, 61, kBestEffort | 1));
        equal("is set", io_get(3, 0), kBestEffort | 1);
        return done();
    });
    fails("no such user", io_get(3, 54321), ESRCH);
    exits("a child", 0, [] { return io_get(1, 0) == (kBestEffort | 7) ? 0 : 1; });
}

void test_modes() {
    constexpr long kFchmodat2 = 452;
    needs("open", open("/tmp/small-mode", O_CREAT | O_RDWR, 0600));
    succeeds("fchmodat2", syscall(kFchmodat2, AT_FDCWD, "/tmp/small-mode", 0640, 0));
    struct stat s {};
    stat("/tmp/small-mode", &s);
    equal("its mode", s.st_mode & 07777, 0640);
    const int path = int(needs("O_PATH", open("/tmp/small-mode", O_PATH)));
    succeeds("of a path", syscall(kFchmodat2, path, "", 0644, AT_EMPTY_PATH));
    fails("flags", syscall(kFchmodat2, AT_FDCWD, "/tmp/small-mode", 0640, 0x40000000), EINVAL);
    fails("no name", syscall(kFchmodat2, AT_FDCWD, "", 0640, 0), ENOENT);
    needs("symlink", symlink("/tmp/small-mode", "/tmp/small-link"));
    fails("a link has none of its own",
          syscall(kFchmodat2, AT_FDCWD, "/tmp/small-link", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    succeeds("through the link", syscall(kFchmodat2, AT_FDCWD, "/tmp/small-link", 0600, 0));
    unlink("/tmp/small-link");
    unlink("/tmp/small-mode");
}

void put(const char* file, const char* text) {
    const int fd = int(needs(file, open(file, O_WRONLY)));
    needs("write", write(fd, text, strlen(text)));
    close(fd);
}

void test_next_id() {
    put("/proc/sys/kernel/msg_next_id", "77777");
    const int first = msgget(IPC_PRIVATE, 0600);
    equal("the id that was asked for", first, 77777);
    put("/proc/sys/kernel/msg_next_id", "77777");
    const int second = msgget(IPC_PRIVATE, 0600);
    that("one that is taken is not given again", second != first && second >= 0);
    that("is found",
         msgctl(first, IPC_RMID, nullptr) == 0 && msgctl(second, IPC_RMID, nullptr) == 0);
    const int fd = open("/proc/sys/kernel/shm_next_id", O_WRONLY);
    fails("not below -1", write(fd, "-2", 2), EINVAL);
    close(fd);
}

void test_sticky_timeouts() {
    personality(STICKY_TIMEOUTS);
    timeval time{0, 10};
    select(0, nullptr, nullptr, nullptr, &time);
    equal("a sticky timeout stays", time.tv_usec, 10);
    personality(PER_LINUX);
    select(0, nullptr, nullptr, nullptr, &time);
    equal("another does not", time.tv_usec, 0);
}

long futex(void* word, int operation, unsigned value) {
    return syscall(SYS_futex, word, operation, value, nullptr, nullptr, 0);
}

void test_absent_words() {
    void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails("a shared word that may not be read", futex(page, 1, 1), EFAULT);
    equal("a private one is only an address", futex(page, 1 | 128, 1), 0);
    munmap(page, 4096);
    fails("a shared word that is not there", futex(page, 1, 1), EFAULT);
}

struct WaitedWord {
    uint64_t value, address;
    uint32_t flags, reserved;
};
WaitedWord words[2];
unsigned values[2];

long wait_any(unsigned count, unsigned flags, const int64_t* time, int clock = CLOCK_MONOTONIC) {
    return syscall(449, words, count, flags, time, clock);
}

void test_several_words() {
    for (int i = 0; i < 2; ++i) words[i] = {0, uintptr_t(&values[i]), 2 | 128, 0};
    const int64_t past[2] = {0, 1};
    fails("none", wait_any(0, 0, nullptr), EINVAL);
    fails("too many", wait_any(129, 0, nullptr), EINVAL);
    fails("flags", wait_any(2, 1, nullptr), EINVAL);
    fails("the time is over", wait_any(2, 0, past), ETIMEDOUT);
    fails("a clock", wait_any(2, 0, past, CLOCK_BOOTTIME), EINVAL);
    words[1].value = 1;
    fails("another value", wait_any(2, 0, nullptr), EAGAIN);
    words[1].value = 0;
    words[0].flags = 128;
    fails("a size", wait_any(2, 0, nullptr), EINVAL);
    words[0].flags = 2 | 128;
    pthread_t waker;
    pthread_create(
        &waker, nullptr,
        [](void*) -> void* {
            while (futex(&values[1], 1 | 128, 1) != 1) sched_yield();
            return nullptr;
        },
        nullptr);
    equal("which was woken", wait_any(2, 0, nullptr), 1);
    pthread_join(waker, nullptr);
}

volatile sig_atomic_t told_fd = -1, told = 0;

void test_notices() {
    mkdir("/tmp/small-notices", 0700);
    const int fd = int(needs("open", open("/tmp/small-notices", O_RDONLY)));
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
        told_fd = info->si_fd;
        told = told + 1;
    };
    sigaction(SIGRTMIN + 1, &action, nullptr);
    needs("F_SETSIG", fcntl(fd, F_SETSIG, SIGRTMIN + 1));
    fails("not a directory", fcntl(0, F_NOTIFY, DN_CREATE), ENOTDIR);
    succeeds("F_NOTIFY", fcntl(fd, F_NOTIFY, DN_CREATE));
    close(creat("/tmp/small-notices/a", 0600));
    that("a file was made", told == 1 && told_fd == fd);
    close(creat("/tmp/small-notices/b", 0600));
    equal("told once", told, 1);
    succeeds("again and again", fcntl(fd, F_NOTIFY, DN_DELETE | DN_RENAME | DN_MULTISHOT));
    rename("/tmp/small-notices/a", "/tmp/small-notices/c");
    that("renamed", told > 1);
    const int before = told;
    unlink("/tmp/small-notices/b");
    unlink("/tmp/small-notices/c");
    equal("removed", told, before + 2);
    succeeds("no more", fcntl(fd, F_NOTIFY, 0));
    close(creat("/tmp/small-notices/d", 0600));
    unlink("/tmp/small-notices/d");
    equal("silence", told, before + 2);
    for (int i = 0; i < 10'000; ++i) {
        const int again = open("/tmp/small-notices", O_RDONLY);
        if (fcntl(again, F_NOTIFY, DN_ATTRIB) != 0) fails("many", -1, 0);
        close(again);
    }
    close(fd);
    rmdir("/tmp/small-notices");
}

void test_parts() {
    volatile char* map = static_cast<volatile char*>(
        mmap(nullptr, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    for (int i = 0; i < 4; ++i) map[i * 4096] = char('a' + i);
    succeeds("remap_file_pages", remap_file_pages(const_cast<char*>(map), 4096, 0, 3, 0));
    equal("another page", map[0], 'd');
    map[0] = 'e';
    equal("the same one", map[3 * 4096], 'e');
    fails("protection", syscall(SYS_remap_file_pages, map, 4096, PROT_READ, 1, 0), EINVAL);
    fails("beyond the mapping", remap_file_pages(const_cast<char*>(map) + 4096, 4 * 4096, 0, 1, 0),
          EINVAL);
    char* own =
        static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    fails("a private one", remap_file_pages(own, 4096, 0, 0, 0), EINVAL);
    munmap(const_cast<char*>(map), 4 * 4096);
}

void test_thread_area() {
    user_desc empty{};
    empty.entry_number = unsigned(-1);
    succeeds("an area of zeros", syscall(SYS_set_thread_area, &empty));
    that("its number", empty.entry_number >= 6 && empty.entry_number <= 8);
    succeeds("reads back", syscall(SYS_get_thread_area, &empty));
}

void test_any() {
    constexpr int kStatAny = 15;
    const int id = int(needs("shmget", shmget(IPC_PRIVATE, 4096, 0)));
    shmid_ds is;
    equal("by slot", shmctl(id % 32768, kStatAny, &is), id);
    equal("a whole id is its slot", shmctl(id, kStatAny, &is), id);
    equal("an older id of that slot too", shmctl((id + 32768) & 0x7fffffff, kStatAny, &is), id);
    fails("below 0", shmctl(-1, kStatAny, &is), EINVAL);
    shmctl(id, IPC_RMID, nullptr);
}

std::string levels() {
    char text[64] = {};
    const int fd = int(needs("printk", open("/proc/sys/kernel/printk", O_RDONLY)));
    needs("read", read(fd, text, sizeof text - 1));
    close(fd);
    return text;
}

void test_levels() {
    const std::string before = levels();
    put("/proc/sys/kernel/printk", "6 4 2 7");
    klogctl(6, nullptr, 0);
    same("off is the least", levels(), "2\t4\t2\t7\n");
    klogctl(6, nullptr, 0);
    klogctl(7, nullptr, 0);
    same("on is what was", levels(), "6\t4\t2\t7\n");
    klogctl(8, nullptr, 1);
    same("never below the least", levels(), "2\t4\t2\t7\n");
    const int fd = open("/proc/sys/kernel/printk", O_WRONLY);
    fails("five", write(fd, "1 2 3 4 5", 9), EINVAL);
    close(fd);
    put("/proc/sys/kernel/printk", before.c_str());
    same("as before", levels(), before);
}

}  // namespace

int main() {
    test_masks();
    test_io_priorities();
    test_modes();
    test_next_id();
    test_sticky_timeouts();
    test_absent_words();
    test_several_words();
    test_notices();
    test_parts();
    test_thread_area();
    test_any();
    test_levels();
    return done();
}
