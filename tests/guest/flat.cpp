// Costs that do not grow: the same operation beside few and beside many others takes about as many
// instructions (under icount with shift 0 one tick of the time-stamp counter is one instruction).
// run: --icount 0 --mem 512
// timeout: 300
#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#include <vector>

#include "tests/guest/check.hpp"
#include "tests/guest/cost.hpp"

namespace {

using namespace check;

// At most half as much again, and a few hundred instructions for deeper trees.
void flat(const std::string& name, unsigned long long few, unsigned long long many) {
    report(
        many <= few + few / 2 + 600, name,
        std::to_string(few) + " instructions beside few, " + std::to_string(many) + " beside many",
        Where::current());
}

constexpr int kFew = 10, kMany = 1000;

// --- descriptors

void test_descriptors() {
    const rlimit limit = {20'000, 20'000};
    needs("limit", setrlimit(RLIMIT_NOFILE, &limit));
    const auto dup_and_close = [] { close(dup(0)); };
    const unsigned long long few = cost_of(dup_and_close);
    int last = 0;
    for (int i = 0; i < 10'000; ++i) last = needs("dup", dup(0));
    flat("dup and close beside 10,000 open files", few, cost_of(dup_and_close));
    closefrom(3);
    that("all were there", last > 10'000);
}

// --- timers

void test_timers() {
    std::vector<int> timers;
    const auto arm = [](int timer, int seconds) {
        const itimerspec at = {{0, 0}, {seconds, 0}};
        timerfd_settime(timer, 0, &at, nullptr);
    };
    const auto add = [&](int count) {
        for (int i = 0; i < count; ++i) {
            timers.push_back(needs("timerfd", timerfd_create(CLOCK_MONOTONIC, 0)));
            arm(timers.back(), 1000 + i);
        }
    };
    const int probe = needs("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
    add(kFew);
    const unsigned long long few = cost_of([&] { arm(probe, 1001); });
    add(9'990);
    flat("arming a timer beside 10,000", few, cost_of([&] { arm(probe, 1001); }));
    close(probe);
    for (int timer : timers) close(timer);
}

// --- threads

pthread_barrier_t everybody;
int pipe_ends[2];

void* wait_on_pipe(void*) {
    char byte;
    pthread_barrier_wait(&everybody);
    return reinterpret_cast<void*>(read(pipe_ends[0], &byte, 1));
}
void* sleep_on(void*) {
    pthread_barrier_wait(&everybody);
    pause();
    return nullptr;
}

class Threads {
  public:
    Threads(int count, void* (*body)(void*)) {
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 16384);
        pthread_barrier_init(&everybody, nullptr, count + 1);
        for (int i = 0; i < count; ++i) {
            pthread_t thread;
            needs("thread", -pthread_create(&thread, &small, body, nullptr));
            threads_.push_back(thread);
        }
        pthread_barrier_wait(&everybody);
        for (int i = 0; i < 20; ++i) sched_yield();
    }
    std::vector<pthread_t>& all() { return threads_; }

  private:
    std::vector<pthread_t> threads_;
};

// A byte into a pipe on whose other end so many threads sleep: one of them takes it.
unsigned long long wake_one_of(int sleepers) {
    int answer[2];
    needs("pipe", pipe(answer));
    const pid_t child = start([&] {
        needs("pipe", pipe(pipe_ends));
        Threads threads(sleepers, wait_on_pipe);
        const unsigned long long cost = cost_of([] {
            if (write(pipe_ends[1], "x", 1) != 1) _exit(1);
            sched_yield();
        });
        return write(answer[1], &cost, sizeof cost) != sizeof cost;
    });
    unsigned long long cost = 0;
    needs("answer", read(answer[0], &cost, sizeof cost));
    wait_for(child);
    close(answer[0]);
    close(answer[1]);
    return cost;
}

void test_wake_ups() {
    const unsigned long long few = wake_one_of(30), many = wake_one_of(kMany);
    flat("a byte for one of 1,000 readers", few, many);
}

void test_threads() {
    exits("a signal to one of 1,000 threads", 0, [] {
        signal(SIGUSR1, SIG_IGN);
        const auto signal_last = [](Threads& threads) {
            const pid_t tid = getpid() + static_cast<pid_t>(threads.all().size());
            return cost_of([=] { syscall(SYS_tgkill, getpid(), tid, SIGUSR1); });
        };
        Threads few(kFew, sleep_on);
        const unsigned long long cheap = signal_last(few);
        Threads many(kMany, sleep_on);
        flat("tgkill beside 1,000 threads", cheap, signal_last(many));
        return done();
    });
}

// --- processes

char text[8192];

void read_load() {
    const int fd = open("/proc/loadavg", O_RDONLY);
    if (read(fd, text, sizeof text) <= 0) _exit(1);
    close(fd);
}
void fork_and_wait() {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    wait_for(child);
}
// Instructions for each entry.
unsigned long long list_processes() {
    int entries = 0;
    const unsigned long long all = cost_of([&] {
        DIR* folder = opendir("/proc");
        for (entries = 0; readdir(folder);) ++entries;
        closedir(folder);
    });
    return all / static_cast<unsigned>(entries);
}

void test_processes() {
    exits("beside many processes", 0, [] {
        std::vector<pid_t> others;
        const auto add = [&](int count) {
            for (int i = 0; i < count; ++i)
                others.push_back(start([] {
                    pause();
                    return 0;
                }));
        };
        needs("setgid", setresgid(1000, 1000, 1000));
        needs("setuid", setresuid(1000, 1000, 1000));
        add(kFew);
        const unsigned long long load = cost_of(read_load), fork = cost_of(fork_and_wait),
                                 list = list_processes();
        add(600);
        flat("/proc/loadavg beside 600 processes", load, cost_of(read_load));
        flat("fork and wait of a user beside 600 processes", fork, cost_of(fork_and_wait));
        flat("an entry of /proc among 600 processes", list, list_processes());
        for (pid_t other : others) kill(other, SIGKILL);
        for (pid_t other : others) wait_for(other);
        return done();
    });
}

}  // namespace

int main() {
    test_descriptors();
    test_timers();
    test_wake_ups();
    test_threads();
    test_processes();
    return done();
}
