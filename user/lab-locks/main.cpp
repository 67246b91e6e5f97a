// lab-locks: which of the four rules of critical sections each lock keeps on this machine's CPUs, and
// what waiting costs.
//   1 free: let in       a thread alone gets the lock again and again     空闲让进
//   2 busy: wait         never two inside                                 忙则等待
//   3 bounded waiting    others enter at most once each after my doorway  有限等待
//   4 give way           while the holder sleeps, waiting takes no CPU    让权等待
#include "user/lab-locks/locks.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

#include <sched.h>
#include <sys/io.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>

std::atomic<bool> g_give_up;

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
    for (volatile int i = 0; i < rounds; i = i + 1) {
    }
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
            g_give_up = true;
            return;
        }
        const unsigned long long start = cycles();
        for (long i = 0; i < kAlone; ++i) {
            lock.lock(0);
            lock.unlock(0);
        }
        done = !g_give_up;
        if (done) f.cycles_alone = static_cast<double>(cycles() - start) / kAlone;
    });
    g_give_up = false;
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
        g_give_up = true;  // in turns, the last one waits for nobody
    });
    g_give_up = false;
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

constexpr char kHelp[] =
    "usage: lab-locks [--quantum US] [--json] [ACQUIRES]\n"
    "The four rules of critical sections, lock by lock, on this machine's CPUs: free: let in; "
    "busy:\n"
    "wait; bounded waiting; give way. ACQUIRES (50) by each of four threads (two: peterson, turns) "
    "under\n"
    "round robin (1000 us). Needs root, for cli and sti. Without exclusion, - for rules 3 and 4.\n"
    "    # lab-locks\n"
    "    lock            1 free  2 exclusion  3 bounded  4 yield  intrusions  overtaken ...\n"
    "    interrupts-off  kept    kept         kept       kept              0          0 ...\n"
    "    test-and-set    kept    kept         broken     broken            0        140 ...\n"
    "    ...\n";

lab::Cell verdict(bool kept) { return lab::Cell(kept ? "kept" : "broken", kept); }
lab::Cell percent(double part) {
    char text[16];
    return lab::Cell((snprintf(text, sizeof text, "%.0f %%", 100 * part), text),
                     lab::Decimal{part, 3});
}

void measure(const char* name, Make make, long acquires, lab::Table& table) {
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
    // Where several are inside at once, nobody waits for anybody, and there is nothing to judge.
    const bool excludes = f.intrusions == 0;
    const lab::Cell none("-", nullptr);
    table.row({name, verdict(f.let_in), verdict(excludes),
               excludes ? verdict(f.overtaken < threads) : none,
               excludes ? verdict(f.waiting_cpu_part < 0.5) : none, f.intrusions, f.overtaken,
               percent(f.waiting_cpu_part), lab::Decimal{f.cycles_alone, 0},
               lab::Decimal{f.wasted_us, 1}});
}

}  // namespace

void arrived(int me) { entries_before[me] = entries; }

int main(int argc, char* argv[]) {
    long quantum = 1000;
    bool json = false;
    const auto words = lab::Command(kHelp)
                           .number("--quantum", quantum, 100, 1'000'000)
                           .flag("--json", json)
                           .parse(argc, argv);
    if (words.size() > 1) lab::refuse("one number of acquires, not '%s' too", words[1].c_str());
    const long acquires = words.empty() ? 50 : lab::number("ACQUIRES", words[0], 1, 1'000'000);
    if (iopl(3) != 0) lab::fail("iopl, for cli and sti: %s", strerror(errno));
    const lab::Setting policy("/proc/sys/kernel/sched/policy", "rr");
    const lab::Setting turn("/proc/sys/kernel/sched/rr_quantum_us", std::to_string(quantum));
    lab::Table table({{"lock", "lock"},
                      {"free", "1 free"},
                      {"exclusion", "2 exclusion"},
                      {"bounded", "3 bounded"},
                      {"yield", "4 yield"},
                      {"intrusions", "intrusions"},
                      {"overtaken", "overtaken"},
                      {"waiting_on_cpu", "waiting on CPU"},
                      {"cycles_alone", "cycles alone"},
                      {"wasted_us", "us wasted an acquire"}});
    for (const auto& lock : kLocks) measure(lock.name, lock.make, acquires, table);
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (!json) {
        printf("%ld CPU%s\n", cpus, cpus == 1 ? "" : "s");
        table.print();
        return 0;
    }
    lab::Object()
        .add("lab", "lab-locks")
        .add("input",
             lab::Object().add("cpus", cpus).add("acquires", acquires).add("quantum_us", quantum))
        .add("rows", table.rows())
        .print();
}
