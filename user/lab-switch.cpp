// lab-switch: what a context switch costs while N threads are ready. N threads do nothing but give
// up the CPU by sched_yield(); the time between two of their common count's values, divided by the
// yields between, is the cost of one: leaving the CPU, being queued, the policy's choice, the switch
// and the way into and out of the kernel. Under --icount 0 a tick is one instruction.
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstring>

#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-switch [--yields N] [--json] THREADS...\n"
    "What a switch between threads costs, in ticks of the time-stamp counter, with so many ready\n"
    "threads (2 to 10000), under the policy in /proc/sys/kernel/sched/policy, over N (20000) "
    "yields.\n"
    "    # lab-switch 10 100\n"
    "    threads  ticks a yield  switches a yield\n"
    "         10          812.4             1.000\n"
    "        100          812.9             1.000\n";
constexpr char kPolicy[] = "/proc/sys/kernel/sched/policy";

long yield_count = 20'000, settle_yields;
pthread_barrier_t start_barrier;
volatile long shared_count;
volatile bool stop_wanted;
uint64_t first_time, last_time;
long first_switches, last_switches;

uint64_t now() {
    uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return uint64_t{high} << 32 | low;
}

long switches() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw + usage.ru_nivcsw;
}

// One CPU: nobody else runs between a thread's yields, so plain counting is exact.
void* run(void*) {
    pthread_barrier_wait(&start_barrier);
    while (!stop_wanted) {
        const long count = shared_count + 1;
        shared_count = count;
        if (count == settle_yields) {
            first_switches = switches();
            first_time = now();
        } else if (count == settle_yields + yield_count) {
            last_time = now();
            last_switches = switches();
            stop_wanted = true;
        }
        sched_yield();
    }
    return nullptr;
}

void measure(long threads) {
    settle_yields = 2 * threads + 1;
    shared_count = 0;
    pthread_barrier_init(&start_barrier, nullptr, static_cast<unsigned>(threads));
    stop_wanted = false;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16384);
    std::vector<pthread_t> all(static_cast<size_t>(threads));
    for (pthread_t& thread : all)
        if (int error = pthread_create(&thread, &attributes, run, nullptr))
            lab::fail("a thread: %s", strerror(error));
    for (pthread_t thread : all) pthread_join(thread, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--yields", yield_count, 1, 100'000'000)
                                               .flag("--json", json)
                                               .parse(argc, argv);
    if (words.empty()) lab::refuse("how many THREADS? Like 10 100; see --help");
    std::vector<long> counts;
    for (const std::string& word : words) counts.push_back(lab::number("THREADS", word, 2, 10'000));
    lab::Table table(
        {{"threads", "threads"}, {"ticks", "ticks a yield"}, {"switches", "switches a yield"}});
    const auto yields = static_cast<double>(yield_count);
    for (const long count : counts) {
        measure(count);
        table.row({count, lab::Decimal{static_cast<double>(last_time - first_time) / yields, 1},
                   lab::Decimal{static_cast<double>(last_switches - first_switches) / yields, 3}});
    }
    if (!json) return table.print(), 0;
    lab::Object input;
    input.add("threads", counts).add("yields", yield_count).add("policy", lab::chosen_in(kPolicy));
    lab::Object().add("lab", "lab-switch").add("input", input).add("rows", table.rows()).print();
}
