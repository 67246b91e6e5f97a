// No call keeps the CPU: while a user's program makes one long call after the other, a thread of class
// SCHED_FIFO that sleeps for 10 ms at a time never wakes late by more than 5 ms. One case for each
// call that takes a length, a count or a tree.
// run: --icount 3 --mem 192
// timeout: 600
// (A shift of 3 makes 125 million instructions a second of guest time.)
// needs: wing
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <poll.h>
#include <time.h>

#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr long long kPeriod = 10'000'000, kMost = 5'000'000;  // nanoseconds
constexpr size_t kMega = 1 << 20;
constexpr uid_t kUser = 1000;

struct Lateness {
    volatile long long worst;
};
Lateness* lateness;  // shared with the thread that sleeps

long long now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

void sleep_for_ever() {
    sched_param parameters{};
    parameters.sched_priority = 90;
    needs("SCHED_FIFO", sched_setscheduler(0, SCHED_FIFO, &parameters));
    needs("mlockall", mlockall(MCL_CURRENT | MCL_FUTURE));
    for (;;) {
        const timespec pause{0, kPeriod};
        const long long before = now();
        nanosleep(&pause, nullptr);
        const long long late = now() - before - kPeriod;
        if (late > lateness->worst) lateness->worst = late;
    }
}

// --- the calls

char bytes[kMega];

std::vector<iovec> megabytes(int count) { return std::vector<iovec>(count, {bytes, sizeof bytes}); }

int scratch(const char* name) { return open(name, O_CREAT | O_RDWR | O_TRUNC, 0600); }

void read_zeros() { readv(open("/dev/zero", O_RDONLY), megabytes(200).data(), 200); }
void write_null() { writev(open("/dev/null", O_WRONLY), megabytes(1000).data(), 1000); }
void read_random() { readv(open("/dev/urandom", O_RDONLY), megabytes(8).data(), 8); }
void get_random() {
    auto* memory = static_cast<char*>(
        mmap(nullptr, 8 * kMega, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    getrandom(memory, 8 * kMega, 0);
}
void read_hole(const char* name) {
    const int fd = scratch(name);
    ftruncate(fd, 1 << 30);
    preadv(fd, megabytes(100).data(), 100, 0);
    unlink(name);
}
void tmpfs_hole() { read_hole("/tmp/hole"); }
void ext2_hole() { read_hole("/var/stall/hole"); }
void send_hole() {
    const int from = scratch("/tmp/hole"), to = open("/dev/null", O_WRONLY);
    ftruncate(from, 1 << 30);
    sendfile(to, from, nullptr, 200 * kMega);
    unlink("/tmp/hole");
}

// Written in one call, cut off in one call.
void write_and_cut(const char* name, int count) {
    const int fd = scratch(name);
    writev(fd, megabytes(count).data(), count);
    ftruncate(fd, 0);
    ftruncate(fd, 1 << 30);
    for (int i = 0; i < 64; ++i) pwrite(fd, bytes, 1, i << 24);
    ftruncate(fd, 1);
    unlink(name);
}
void tmpfs_write() { write_and_cut("/tmp/written", 64); }
void ext2_write() { write_and_cut("/var/stall/written", 8); }

// Forty links of 4,000 bytes each, the last of which leads nowhere.
void follow_links() {
    mkdir("/tmp/links", 0700);
    chdir("/tmp/links");
    std::string way;
    for (int i = 0; i < 1990; ++i) way += "./";
    for (int i = 0; i < 40; ++i)
        symlink((way + std::to_string(i + 1)).c_str(), std::to_string(i).c_str());
    for (int i = 0; i < 3; ++i) access("0", F_OK);
    for (int i = 0; i < 40; ++i) unlink(std::to_string(i).c_str());
    rmdir("/tmp/links");
}
void many_arguments() {
    std::vector<char*> arguments(
        16'000, const_cast<char*>("an argument of about a hundred bytes, as many "
                                  "programs that list files give to others at once"));
    arguments.front() = const_cast<char*>("true");
    arguments.push_back(nullptr);
    execve("/bin/true", arguments.data(), nullptr);
}

void make_regions() {
    for (int i = 0; i < 60'000; ++i)
        if (mmap(nullptr, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
            break;
}
void fork_regions() {
    make_regions();
    status_of([] { return 0; });
}
void unmap_regions() {
    make_regions();
    munmap(reinterpret_cast<void*>(0x40000000), 0x70000000);
}
void show_regions() {
    make_regions();
    const int fd = open("/proc/self/maps", O_RDONLY);
    read(fd, bytes, sizeof bytes);
}
char* populated() {
    return static_cast<char*>(mmap(nullptr, 64 * kMega, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
}
void populate_and_unmap() { munmap(populated(), 64 * kMega); }
void fork_and_protect() {
    char* memory = populated();
    status_of([] { return 0; });
    mprotect(memory, 64 * kMega, PROT_READ);
    mprotect(memory, 64 * kMega, PROT_READ | PROT_WRITE);
    mremap(memory, 64 * kMega, 65 * kMega, MREMAP_MAYMOVE);
}
void exit_populated() {
    status_of([] { return populated() == MAP_FAILED; });
}
void advise() {
    constexpr size_t kSize = 2000 * kMega;
    char* memory = static_cast<char*>(
        mmap(nullptr, kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    std::vector<unsigned char> pages(kSize / 4096);
    madvise(memory, kSize, MADV_DONTNEED);
    madvise(memory, kSize, MADV_WILLNEED);
    mincore(memory, kSize, pages.data());
    msync(memory, kSize, MS_SYNC);
    mprotect(memory, kSize, PROT_READ);
    munmap(memory, kSize);
}
void page_tables() {
    for (const char* name : {"/proc/self/pagemap", "/proc/self/page_walk"}) {
        std::vector<char> records(6 * kMega);
        pread(open(name, O_RDONLY), records.data(), records.size(), 0);
    }
}

void nest_event_sets() {
    constexpr int kLevels = 5, kWidth = 20;
    int sets[kLevels][kWidth];
    const int event = eventfd(0, EFD_NONBLOCK);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    for (int level = 0; level < kLevels; ++level)
        for (int i = 0; i < (level == kLevels - 1 ? 1 : kWidth); ++i) {
            sets[level][i] = epoll_create1(0);
            for (int k = 0; k < (level ? kWidth : 1); ++k)
                epoll_ctl(sets[level][i], EPOLL_CTL_ADD, level ? sets[level - 1][k] : event,
                          &wanted);
        }
    eventfd_write(event, 1);
    pollfd top{sets[kLevels - 1][0], POLLIN, 0};
    poll(&top, 1, 0);
    epoll_wait(top.fd, &wanted, 1, 0);
}
void poll_many() {
    std::vector<pollfd> files(1000);
    const int event = eventfd(0, 0);
    for (pollfd& file : files) file = {dup(event), POLLIN, 0};
    for (int i = 0; i < 20; ++i) poll(files.data(), files.size(), 0);
}
void lock_ranges() {
    const int fd = scratch("/tmp/locked");
    for (int i = 0; i < 4000; ++i) {
        struct flock range {};
        range.l_type = F_WRLCK;
        range.l_start = 2 * i;
        range.l_len = 1;
        fcntl(fd, F_SETLK, &range);
    }
    close(fd);
    unlink("/tmp/locked");
}
void nest_sockets() {
    int last[2];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, last);
    for (int n = 0; n < 400; ++n) {
        int next[2];
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, next) < 0) break;
        alignas(cmsghdr) char control[CMSG_SPACE(8)] = {};
        iovec piece{bytes, 1};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        *CMSG_FIRSTHDR(&message) = {CMSG_LEN(8), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), last, 8);
        sendmsg(next[0], &message, 0);
        close(last[0]);
        close(last[1]);
        memcpy(last, next, sizeof last);
    }
    close(last[0]);
    close(last[1]);
}
void make_tree() {
    mkdir("/tmp/tree", 0700);
    chdir("/tmp/tree");
    int depth = 0;
    for (; depth < 1000; ++depth)
        if (mkdir("d", 0700) || chdir("d")) break;
    getcwd(bytes, sizeof bytes);
    for (; depth > 0; --depth)
        if (chdir("..") || rmdir("d")) break;
    for (int i = 0; i < 5000; ++i) close(open(std::to_string(i).c_str(), O_CREAT, 0600));
    const int fd = open(".", O_RDONLY);
    syscall(SYS_getdents64, fd, bytes, sizeof bytes);
    for (int i = 0; i < 5000; ++i) unlink(std::to_string(i).c_str());
}
void fork_many() {
    std::vector<pid_t> children;
    for (int i = 0; i < 100; ++i)
        children.push_back(start([] {
            pause();
            return 0;
        }));
    for (int i = 0; i < 100; ++i) kill(-getpgrp(), SIGCONT);
    for (pid_t child : children) kill(child, SIGKILL);
    for (pid_t child : children) wait_for(child);
}
void queue_signals() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    const sigval value{};
    for (int i = 0; i < 10'000; ++i)
        if (sigqueue(getpid(), SIGRTMIN + 3, value)) break;
    signal(SIGRTMIN + 3, SIG_IGN);
}

const struct {
    const char* name;
    void (*run)();
} kCases[] = {{"readv of /dev/zero", read_zeros},
              {"writev to /dev/null", write_null},
              {"readv of /dev/urandom", read_random},
              {"getrandom", get_random},
              {"preadv of a hole in tmpfs", tmpfs_hole},
              {"preadv of a hole in ext2", ext2_hole},
              {"sendfile", send_hole},
              {"writev, ftruncate in tmpfs", tmpfs_write},
              {"writev, ftruncate in ext2", ext2_write},
              {"links of 4,000 bytes", follow_links},
              {"execve with 1.5 MB of arguments", many_arguments},
              {"fork of 60,000 regions, exit", fork_regions},
              {"munmap of 60,000 regions", unmap_regions},
              {"maps of 60,000 regions", show_regions},
              {"mmap with MAP_POPULATE, munmap", populate_and_unmap},
              {"fork, mprotect, mremap of 64 MB", fork_and_protect},
              {"exit with 64 MB", exit_populated},
              {"madvise, mincore, msync, mprotect of 2 GB", advise},
              {"pagemap and page_walk", page_tables},
              {"nested event sets", nest_event_sets},
              {"poll of 1,000 files", poll_many},
              {"4,000 record locks", lock_ranges},
              {"a chain of sockets", nest_sockets},
              {"deep and wide folders", make_tree},
              {"100 children, signalled", fork_many},
              {"signals that queue, then ignored", queue_signals}};

}  // namespace

int main(int argc, char* argv[]) {
    lateness = static_cast<Lateness*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    mkdir("/var/stall", 0777);
    chmod("/var/stall", 0777);
    const pid_t sleeper = start([] {
        sleep_for_ever();
        return 0;
    });
    for (const auto& c : kCases) {
        if (argc > 1 && !strstr(c.name, argv[1])) continue;
        lateness->worst = 0;
        const long long begin = now();
        const int status = status_of([&] {
            setpgid(0, 0);
            needs("setuid", setresuid(kUser, kUser, kUser));
            c.run();
            return 0;
        });
        const timespec pause{0, 3 * kPeriod};  // what the sleeper was late by at the end is told
        nanosleep(&pause, nullptr);
        const std::string what =
            std::string(c.name) + " (" + std::to_string((now() - begin) / 1'000'000) + " ms)";
        report(lateness->worst < kMost, what,
               "late by " + std::to_string(lateness->worst / 1000) + " us", Where::current());
        that(std::string(c.name) + " ends", status == 0);
    }
    kill(sleeper, SIGKILL);
    wait_for(sleeper);
    rmdir("/var/stall");
    return done();
}
