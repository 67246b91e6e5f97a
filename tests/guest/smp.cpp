// Several CPUs at once: memory mapped and taken away under other threads' hands, fork and exec
// storms, files made and removed, /proc read meanwhile, signals across CPUs, affinity. Every round
// checks that nothing stale was seen and nothing was lost.
// run: --smp 4 --mem 256 --icount 5
// timeout: 240
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <dirent.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

int rounds = 1;
const char* self_name;

template <typename F>
void in_threads(int count, F&& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++) threads.emplace_back([&, i] { work(i); });
    for (auto& thread : threads) thread.join();
}

// A page is filled, forbidden, and mapped anew: others may read what is mapped or fault, never what
// was there before.
thread_local sigjmp_buf* rescue;
void on_fault(int) {
    if (rescue) siglongjmp(*rescue, 1);
    _exit(99);
}

void test_shoot_down() {
    struct sigaction action = {};
    action.sa_handler = on_fault;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &action, nullptr);
    auto* page = static_cast<uint32_t*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::atomic<uint32_t> least = 0;
    std::atomic<bool> done = false, stale = false;
    std::atomic<int> faults = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; i++)
        readers.emplace_back([&] {
            sigjmp_buf here;
            while (!done) {
                rescue = &here;
                if (sigsetjmp(here, 0)) {
                    faults++;
                    continue;
                }
                uint32_t before = least;
                uint32_t seen = *static_cast<volatile uint32_t*>(page);
                if (seen && seen < before) stale = true;
            }
        });
    for (uint32_t n = 1; n <= 200u * rounds; n++) {
        *page = n;
        if (n % 3 == 0) {
            mprotect(page, 4096, PROT_NONE);
            mprotect(page, 4096, PROT_READ | PROT_WRITE);
        } else {
            mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0);
        }
        *page = n + 1;
        least = n + 1;
    }
    done = true;
    for (auto& reader : readers) reader.join();
    that("no stale page was read", !stale);
}

// Frames that are given back must not be written by those who had them mapped.
void test_mapping_storm() {
    std::atomic<bool> wrong = false;
    in_threads(4, [&](int who) {
        for (int n = 0; n < 60 * rounds; n++) {
            size_t pages = 1 + (n * 7 + who) % 40;
            auto* at = static_cast<uint32_t*>(mmap(nullptr, pages * 4096, PROT_READ | PROT_WRITE,
                                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
            for (size_t i = 0; i < pages; i++) {
                if (at[i * 1024]) wrong = true;
                at[i * 1024] = who * 1000 + n;
            }
            for (size_t i = 0; i < pages; i++)
                if (at[i * 1024] != uint32_t(who * 1000 + n)) wrong = true;
            munmap(at, pages * 4096);
        }
    });
    that("mapped memory is zero first, and nobody else's", !wrong);
}

// While threads write, the process forks: each child's copy is one moment's.
void test_fork_under_writes() {
    static std::atomic<uint32_t> first[1024], second[1024];
    std::atomic<bool> done = false;
    std::thread writer([&] {
        for (uint32_t n = 1; !done; n++) {
            first[0] = n;
            second[1023] = n;
        }
    });
    int bad = 0;
    for (int i = 0; i < 20 * rounds; i++) {
        pid_t child = fork();
        if (child == 0) {
            uint32_t a = first[0], b = second[1023];
            first[0] = 7;
            _exit(a - b > 1);
        }
        int status;
        waitpid(child, &status, 0);
        bad += status != 0;
    }
    done = true;
    writer.join();
    equal("a fork's copy is one moment's", bad, 0);
}

void test_process_storm() {
    std::atomic<int> bad = 0;
    in_threads(4, [&](int who) {
        for (int n = 0; n < 8 * rounds; n++) {
            pid_t child = fork();
            if (child == 0) {
                if (n % 2 == 0) execl(self_name, self_name, "child", nullptr);
                _exit(who + 1);
            }
            int status = 0;
            int expected = n % 2 == 0 ? 33 : who + 1;
            if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != expected) bad++;
        }
    });
    equal("every child's status reached who waited", bad.load(), 0);
}

void test_files() {
    std::atomic<int> bad = 0;
    mkdir("/tmp/smp", 0755);
    in_threads(4, [&](int who) {
        for (int n = 0; n < 40 * rounds; n++) {
            std::string own = "/tmp/smp/" + std::to_string(who), common = "/tmp/smp/common";
            int fd = open(own.c_str(), O_CREAT | O_RDWR | O_TRUNC, 0644);
            char text[3000];
            memset(text, 'a' + who, sizeof text);
            bad += write(fd, text, sizeof text) != sizeof text;
            char back[3000] = {};
            bad +=
                pread(fd, back, sizeof back, 0) != sizeof back || memcmp(text, back, sizeof text);
            close(fd);
            int other = open(common.c_str(), O_CREAT | O_RDWR, 0644);
            if (other >= 0) close(other);
            rename(own.c_str(), common.c_str());
            unlink(common.c_str());
            if (DIR* names = opendir("/tmp/smp")) {
                while (readdir(names)) {
                }
                closedir(names);
            }
        }
    });
    unlink("/tmp/smp/common");
    equal("files hold what was written", bad.load(), 0);
    equal("all names are gone", rmdir("/tmp/smp"), 0);
}

void test_pipes() {
    int ends[2];
    if (pipe(ends)) return;
    std::atomic<long> sent = 0, received = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++)
        threads.emplace_back([&, i] {
            for (int n = 0; n < 150 * rounds; n++) {
                int value = i * 1000 + n;
                if (write(ends[1], &value, sizeof value) == sizeof value) sent += value;
            }
        });
    for (int i = 0; i < 3; i++)
        threads.emplace_back([&] {
            for (int n = 0; n < 150 * rounds; n++) {
                int value = 0;
                if (read(ends[0], &value, sizeof value) == sizeof value) received += value;
            }
        });
    for (auto& thread : threads) thread.join();
    close(ends[0]);
    close(ends[1]);
    equal("what was sent is what was received", received.load(), sent.load());
}

void test_proc() {
    std::atomic<bool> done = false;
    std::thread reader([&] {
        while (!done) {
            DIR* names = opendir("/proc");
            while (dirent* entry = readdir(names)) {
                for (const char* file : {"/stat", "/status", "/maps", "/cmdline", "/cwd", "/exe"}) {
                    std::string name = std::string("/proc/") + entry->d_name + file;
                    char text[512];
                    int fd = open(name.c_str(), O_RDONLY | O_NONBLOCK);
                    if (fd < 0) continue;
                    while (read(fd, text, sizeof text) > 0) {
                    }
                    close(fd);
                }
            }
            closedir(names);
        }
    });
    test_process_storm();
    done = true;
    reader.join();
}

std::atomic<int> handled;
void test_signals() {
    signal(SIGUSR1, [](int) { handled++; });
    std::atomic<bool> done = false;
    std::thread spinner([&] {
        while (!done) {
        }
    });  // a CPU in user mode has to be told
    handled = 0;
    int wanted = 0;
    for (int n = 0; n < 50 * rounds; n++) {
        pthread_kill(spinner.native_handle(), SIGUSR1);
        for (wanted++; handled != wanted;) sched_yield();
    }
    done = true;
    spinner.join();
    equal("a running thread gets its signals at once", handled.load(), wanted);
}

void test_affinity() {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    equal("as many CPUs as the mask says", long(CPU_COUNT(&set)), online);
    int bad = 0;
    for (int n = 0; n < 20 * rounds; n++) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(n % online, &one);
        bad += sched_setaffinity(0, sizeof one, &one) != 0;
        bad += sched_getcpu() != n % online;
    }
    equal("on the CPU that was asked for, at once", bad, 0);
    // Another process moves us while we run.
    std::atomic<pid_t> tid = 0;
    std::atomic<int> where = -1;
    std::atomic<bool> done = false;
    sched_setaffinity(0, sizeof set, &set);
    std::thread runner([&] {
        tid = gettid();
        while (!done) where = sched_getcpu();
    });
    while (!tid) {
    }
    for (int n = 0; n < 20 * rounds; n++) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(n % online, &one);
        sched_setaffinity(tid, sizeof one, &one);
        while (where != n % online) {
        }
    }
    done = true;
    runner.join();
    CPU_ZERO(&set);
    equal("no CPU at all", sched_setaffinity(0, sizeof set, &set), -1);
}

void test_both_work() {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    timespec begin, end, before, after;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    in_threads(int(online), [](int) {
        for (volatile int i = 0; i < 2'000'000;) i = i + 1;
    });
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    clock_gettime(CLOCK_MONOTONIC, &end);
    auto since = [](timespec a, timespec b) {
        return (b.tv_sec - a.tv_sec) * 1'000'000'000LL + b.tv_nsec - a.tv_nsec;
    };
    // On a machine of one CPU it can't be more than one.
    that("CPUs work at the same time",
         since(before, after) * 10 > since(begin, end) * (online > 1 ? 15 : 0));
}

}  // namespace

int main(int count, char** words) {
    if (count > 1 && !strcmp(words[1], "child")) return 33;
    if (count > 1) rounds = atoi(words[1]);
    self_name = words[0];
    test_affinity();
    if (count == 1) test_both_work();  // with rounds given, others may be at work too
    test_shoot_down();
    test_mapping_storm();
    test_fork_under_writes();
    test_process_storm();
    test_files();
    test_pipes();
    test_proc();
    test_signals();
    return done();
}
