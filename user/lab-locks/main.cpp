// lab-locks: which of the four rules of critical sections each lock keeps on this machine's CPUs, and
// what waiting costs.
//   1 free: let in       a thread alone gets the lock again and again     空闲让进
//   2 busy: wait         never two inside                                 忙则等待
//   3 bounded waiting    others enter at most once each after my doorway  有限等待
//   4 give way           while the holder sleeps, waiting takes no CPU    让权等待
#include "user/lab-locks/locks.hpp"

#include <sched.h>
#include <sys/io.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>

std::atomic<bool> give_up;

namespace {

constexpr long kHoldNs = 20'000'000, kAlone = 1000;

std::atomic<long> entries;
long entries_before[kMostThreads];

long long clock_ns(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}
long long cpu_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }
unsigned long long cycles() { return __builtin_ia32_rdtsc(); }
void work(int rounds) {
    for (volatile int i = 0; i < rounds;) i = i + 1;
}

struct Start {
    const std::function<void(int)>* body;
    int number;
};

void in_threads(int count, const std::function<void(int)>& body) {
    pthread_t threads[kMostThreads];
    Start starts[kMostThreads];
    for (int i = 0; i < count; ++i) {
        starts[i] = {&body, i};
        auto run = [](void* s) -> void* {
            (*static_cast<Start*>(s)->body)(static_cast<Start*>(s)->number);
            return nullptr;
        };
        if (pthread_create(&threads[i], nullptr, run, &starts[i])) {
            perror("lab-locks: a thread");
            exit(1);
        }
    }
    for (int i = 0; i < count; ++i) pthread_join(threads[i], nullptr);
}

struct Figures {
    double cycles_alone = 0;      // of a lock and unlock that nobody disputes
    bool let_in = false;          // rule 1
    long intrusions = 0;          // rule 2
    long overtaken = 0;           // rule 3: the most entries between a doorway and the section
    double wasted_us = 0;         // CPU time beyond that of the work, an acquire
    double waiting_cpu_part = 0;  // rule 4: of the time that a thread waited for a sleeping holder
};

void alone(Lock& lock, Figures& f) {
    std::atomic<bool> done = false;
    in_threads(2, [&](int me) {
        if (me == 1) {  // gives up for the other one, if that comes to nothing
            for (int tenths = 0; !done && tenths < 20; ++tenths) usleep(10'000);
            f.let_in = done;
            give_up = true;
            return;
        }
        const unsigned long long start = cycles();
        for (long i = 0; i < kAlone; ++i) {
            lock.lock(0);
            lock.unlock(0);
        }
        done = !give_up;
        if (done) f.cycles_alone = static_cast<double>(cycles() - start) / kAlone;
    });
    give_up = false;
}

// Everybody `acquires` times; every tenth holder loses the CPU inside, where it may.
long long disputed(Lock& lock, int threads, long acquires, Figures& f) {
    std::atomic<int> inside = 0;
    std::atomic<long> intrusions = 0;
    std::atomic<long long> used = 0;
    long overtaken[kMostThreads] = {};
    entries = 0;
    in_threads(threads, [&](int me) {
        const long long start = cpu_ns();
        for (long i = 1; i <= acquires; ++i) {
            lock.lock(me);
            intrusions += inside++ != 0;
            const long others = entries++ - entries_before[me];
            if (others > overtaken[me]) overtaken[me] = others;
            work(2000);
            if (i % 10 == 0 && lock.may_sleep_inside()) sched_yield();
            --inside;
            lock.unlock(me);
            work(500);
        }
        used += cpu_ns() - start;
        give_up = true;  // in turns, the last one waits for nobody
    });
    give_up = false;
    f.intrusions = intrusions;
    for (long n : overtaken)
        if (n > f.overtaken) f.overtaken = n;
    return used;
}

void sleeping_holder(Lock& lock, Figures& f) {
    std::atomic<bool> held = false;
    in_threads(2, [&](int me) {
        if (me == 0) {
            lock.lock(0);
            held = true;
            if (lock.may_sleep_inside()) {
                const timespec t = {0, kHoldNs};
                nanosleep(&t, nullptr);
            } else {
                work(1'000'000);
            }
            lock.unlock(0);
            return;
        }
        while (!held) sched_yield();
        const long long wall = clock_ns(CLOCK_MONOTONIC), cpu = cpu_ns();
        lock.lock(1);
        lock.unlock(1);
        const long long waited = clock_ns(CLOCK_MONOTONIC) - wall;
        if (waited > kHoldNs / 2)
            f.waiting_cpu_part = static_cast<double>(cpu_ns() - cpu) / static_cast<double>(waited);
    });
}

using Make = std::unique_ptr<Lock> (*)();
template <typename L>
std::unique_ptr<Lock> make() {
    return std::make_unique<L>();
}
constexpr struct {
    const char* name;
    Make make;
} kLocks[] = {
    {"interrupts-off", make<InterruptsOff>},
    {"test-and-set", make<TestAndSet>},
    {"swap", make<Swap>},
    {"ticket", make<Ticket>},
    {"peterson", make<Peterson>},
    {"turns", make<Turns>},
    {"mutex", make<Blocking>},
};

const char* verdict(bool kept) { return kept ? "kept" : "broken"; }

void measure(const char* name, Make make, long acquires) {
    Figures f, ignored;
    alone(*make(), f);
    const std::unique_ptr<Lock> lock = make();
    const int threads = lock->threads();
    // In turns a thread alone gets nowhere: there the work is that of another lock.
    const std::unique_ptr<Lock> quiet = f.let_in ? make() : std::make_unique<TestAndSet>();
    const long long ideal = disputed(*quiet, 1, acquires, ignored) * threads;
    const long long used = disputed(*lock, threads, acquires, f);
    if (used > ideal)
        f.wasted_us =
            static_cast<double>(used - ideal) / 1000.0 / static_cast<double>(acquires * threads);
    sleeping_holder(*make(), f);
    // Where several are inside at once, no thread waits for another, and there is nothing to judge.
    const bool excludes = f.intrusions == 0;
    printf("%-15s %-6s  %-6s  %-6s  %-6s  %10ld %9ld %6.0f %% %9.0f %10.1f\n", name,
           verdict(f.let_in), verdict(excludes), excludes ? verdict(f.overtaken < threads) : "-",
           excludes ? verdict(f.waiting_cpu_part < 0.5) : "-", f.intrusions, f.overtaken,
           100 * f.waiting_cpu_part, f.cycles_alone, f.wasted_us);
    fflush(stdout);
}

// Four threads count together. Each reads the counter, does something else, and writes one more: what
// others counted meanwhile is lost, unless the lock keeps them out.
int count(const char* name, long rounds) {
    for (const auto& each : kLocks) {
        if (strcmp(each.name, name) != 0) continue;
        const std::unique_ptr<Lock> lock = each.make();
        volatile long counter = 0;
        in_threads(lock->threads(), [&](int me) {
            for (long i = 0; i < rounds; ++i) {
                lock->lock(me);
                const long before = counter;
                work(20);
                counter = before + 1;
                lock->unlock(me);
            }
        });
        const long all = rounds * lock->threads();
        printf("%s: %d threads count to %ld: %ld, %ld lost\n", name, lock->threads(), all, counter,
               all - counter);
        return 0;
    }
    fprintf(stderr, "lab-locks: no lock %s\n", name);
    return 2;
}

}  // namespace

void arrived(int me) { entries_before[me] = entries; }

int main(int argc, char* argv[]) {
    if (argc == 4 && strcmp(argv[1], "count") == 0 && atol(argv[3]) > 0) {
        if (iopl(3) != 0) return perror("lab-locks: iopl"), 1;
        return count(argv[2], atol(argv[3]));
    }
    const long acquires = argc > 1 ? atol(argv[1]) : 50;
    const char* only = argc > 2 ? argv[2] : nullptr;
    if (argc > 3 || acquires < 1) {
        fputs(
            "usage: lab-locks [ACQUIRES [LOCK]]\n"
            "       lab-locks count LOCK ROUNDS    four threads count together: lost updates\n"
            "The four rules of critical sections, lock by lock, on this machine's CPUs; ACQUIRES\n"
            "(50) by each of four threads (two: peterson, turns). Needs root, for cli and sti.\n",
            stderr);
        return 2;
    }
    if (iopl(3) != 0) return perror("lab-locks: iopl"), 1;
    printf(
        "%ld CPUs\n"
        "lock            1 free  2 excl  3 bound 4 yield intrusions overtaken waiting  cycles   "
        "us wasted\n"
        "                                                                    on CPU   alone  "
        "an acquire\n",
        sysconf(_SC_NPROCESSORS_ONLN));
    for (const auto& lock : kLocks)
        if (!only || strcmp(only, lock.name) == 0) measure(lock.name, lock.make, acquires);
    return 0;
}
