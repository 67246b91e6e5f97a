// lab-locks: which of the four rules of critical sections each lock keeps on this machine's CPUs, and
// what waiting costs.
//   1 free: let in       a thread alone gets the lock again and again     空闲让进
//   2 busy: wait         never two inside                                 忙则等待
//   3 bounded waiting    others enter at most once each after my doorway  有限等待
//   4 give way           while the holder sleeps, waiting takes no CPU    让权等待
#include "user/lab-locks/locks.hpp"

#include <sched.h>
#include <sys/io.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>

#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

std::atomic<bool> give_up;

namespace {

constexpr char kHelp[] =
    "usage: lab-locks [ACQUIRES [LOCK]] [--quantum US] [--json]\n"
    "       lab-locks count LOCK ROUNDS [--json]    four threads count together: lost updates\n"
    "The four rules of critical sections on this machine's CPUs, of each lock (or LOCK alone), "
    "with "
    "ACQUIRES\n"
    "(50) by each of four threads (two: peterson, turns), under round robin with a quantum of US "
    "(1000).\n"
    "LOCK: interrupts-off test-and-set swap ticket peterson turns mutex. Needs root, for cli and "
    "sti.\n"
    "overtaken: entries of others past one's doorway, at most; waiting: the part of a wait for a "
    "sleeping\n"
    "holder that took CPU time; cycles: of a lock nobody disputes; wasted: CPU time beyond the "
    "work's.\n"
    "    # lab-locks 20 ticket\n"
    "    1 CPUs, a quantum of 1000 us\n"
    "    lock    1 free  2 excl  3 bound  4 yield  intrusions  overtaken  waiting, %  cycles alone "
    " "
    "us wasted\n"
    "    ticket  kept    kept    kept     broken            0          3         100            33 "
    " "
    "   1051.2\n";
constexpr char kQuantum[] = "/proc/sys/kernel/sched/rr_quantum_us";
constexpr long kHoldNs = 20'000'000, kAlone = 1000, kMost = 1'000'000;

std::atomic<long> entries;
long entries_before[kMostThreads];

int64_t cpu_ns() { return lab::now(CLOCK_THREAD_CPUTIME_ID); }
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
        if (const int error = pthread_create(&threads[i], nullptr, run, &starts[i]))
            lab::fail("a thread: %s", strerror(error));
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
int64_t disputed(Lock& lock, int threads, long acquires, Figures& f) {
    std::atomic<int> inside = 0;
    std::atomic<long> intrusions = 0;
    std::atomic<int64_t> used = 0;
    long overtaken[kMostThreads] = {};
    entries = 0;
    in_threads(threads, [&](int me) {
        const int64_t start = cpu_ns();
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
                lab::sleep_for(kHoldNs);
            } else {
                work(1'000'000);
            }
            lock.unlock(0);
            return;
        }
        while (!held) sched_yield();
        const int64_t wall = lab::now(), cpu = cpu_ns();
        lock.lock(1);
        lock.unlock(1);
        const int64_t waited = lab::now() - wall;
        if (waited > kHoldNs / 2)
            f.waiting_cpu_part = static_cast<double>(cpu_ns() - cpu) / static_cast<double>(waited);
    });
}

using Make = std::unique_ptr<Lock> (*)();
template <typename L>
std::unique_ptr<Lock> make() {
    return std::make_unique<L>();
}
struct Kind {
    const char* name;
    Make make;
};
constexpr Kind kLocks[] = {
    {"interrupts-off", make<InterruptsOff>},
    {"test-and-set", make<TestAndSet>},
    {"swap", make<Swap>},
    {"ticket", make<Ticket>},
    {"peterson", make<Peterson>},
    {"turns", make<Turns>},
    {"mutex", make<Blocking>},
};

std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const Kind& kind : kLocks) all.push_back(kind.name);
    return all;
}
const Kind& kind_of(const std::string& name) {
    return *std::ranges::find(kLocks, lab::one_of("LOCK", name, names()), &Kind::name);
}

lab::Cell verdict(bool kept) { return {kept ? "kept" : "broken", kept}; }

void measure(lab::Table& table, const Kind& kind, long acquires) {
    Figures f, ignored;
    alone(*kind.make(), f);
    const std::unique_ptr<Lock> lock = kind.make();
    const int threads = lock->threads();
    // In turns a thread alone gets nowhere: there the work is that of another lock.
    const std::unique_ptr<Lock> quiet = f.let_in ? kind.make() : std::make_unique<TestAndSet>();
    const int64_t ideal = disputed(*quiet, 1, acquires, ignored) * threads;
    const int64_t used = disputed(*lock, threads, acquires, f);
    if (used > ideal)
        f.wasted_us =
            static_cast<double>(used - ideal) / 1000.0 / static_cast<double>(acquires * threads);
    sleeping_holder(*kind.make(), f);
    // Where several are inside at once, no thread waits for another, and there is nothing to judge.
    const bool excludes = f.intrusions == 0;
    const lab::Cell none("-", nullptr);
    table.row({kind.name, verdict(f.let_in), verdict(excludes),
               excludes ? verdict(f.overtaken < threads) : none,
               excludes ? verdict(f.waiting_cpu_part < 0.5) : none, f.intrusions, f.overtaken,
               lab::Decimal{100 * f.waiting_cpu_part, 0}, lab::Decimal{f.cycles_alone, 0},
               lab::Decimal{f.wasted_us, 1}});
}

void rules(const std::vector<Kind>& locks, long acquires, long quantum, bool json) {
    const lab::Setting setting(kQuantum, std::to_string(quantum));
    lab::Table table({{"lock", "lock"},
                      {"free", "1 free"},
                      {"exclusive", "2 excl"},
                      {"bounded", "3 bound"},
                      {"yields", "4 yield"},
                      {"intrusions", "intrusions"},
                      {"overtaken", "overtaken"},
                      {"waiting_percent", "waiting, %"},
                      {"cycles_alone", "cycles alone"},
                      {"wasted_us", "us wasted"}});
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    for (const Kind& lock : locks) measure(table, lock, acquires);
    if (!json) {
        printf("%ld CPUs, a quantum of %ld us\n", cpus, quantum);
        return table.print();
    }
    lab::Object input;
    input.add("acquires", acquires).add("quantum_us", quantum).add("cpus", cpus);
    lab::Object().add("lab", "lab-locks").add("input", input).add("rows", table.rows()).print();
}

// Four threads count together. Each reads the counter, does something else, and writes one more: what
// others counted meanwhile is lost, unless the lock keeps them out.
void count(const Kind& kind, long rounds, bool json) {
    const std::unique_ptr<Lock> lock = kind.make();
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
    const int threads = lock->threads();
    const long all = rounds * threads, found = counter;
    if (!json) {
        printf("%s: %d threads count to %ld: %ld, %ld lost\n", kind.name, threads, all, found,
               all - found);
        return;
    }
    lab::Object row;
    row.add("lock", kind.name).add("threads", threads).add("wanted", all);
    row.add("found", found).add("lost", all - found);
    lab::Object()
        .add("lab", "lab-locks count")
        .add("input", lab::Object().add("lock", kind.name).add("rounds", rounds))
        .add("rows", std::vector{row})
        .print();
}

}  // namespace

void arrived(int me) { entries_before[me] = entries; }

int main(int argc, char** argv) {
    bool json = false;
    long quantum = 1000;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--quantum", quantum, 100, 1'000'000)
                                               .flag("--json", json)
                                               .parse(argc, argv);
    const bool counting = !words.empty() && words[0] == "count";
    if (counting ? words.size() != 3 : words.size() > 2)
        lab::refuse("wants %s; see --help", counting ? "count LOCK ROUNDS" : "[ACQUIRES [LOCK]]");
    const long number = counting
                            ? lab::number("ROUNDS", words[2], 1, 1'000'000'000)
                            : lab::number("ACQUIRES", words.empty() ? "50" : words[0], 1, kMost);
    std::vector<Kind> locks(std::begin(kLocks), std::end(kLocks));
    if (words.size() > 1) locks.assign(1, kind_of(words[1]));
    if (iopl(3) != 0) lab::fail("iopl: %s", strerror(errno));
    if (counting)
        count(locks[0], number, json);
    else
        rules(locks, number, quantum, json);
}
