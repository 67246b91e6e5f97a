// lab-switch: what a context switch costs while N threads are ready. N threads do nothing but give
// up the CPU by sched_yield(); the time between two of their common count's values, divided by the
// yields between, is the cost of one: leaving the CPU, being queued, the policy's choice, the switch
// and the way into and out of the kernel. Under --icount 0 a tick is one instruction.
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr char kUsage[] =
    "usage: lab-switch [--yields N] [--json] THREADS...\n"
    "What a switch between threads costs, in ticks of the time-stamp counter, with so many ready\n"
    "threads (2 to 10000), under the policy in /proc/sys/kernel/sched/policy.\n";

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
        if (int error = pthread_create(&thread, &attributes, run, nullptr)) {
            fprintf(stderr, "lab-switch: a thread: %s\n", strerror(error));
            exit(1);
        }
    for (pthread_t thread : all) pthread_join(thread, nullptr);
}

}  // namespace

int main(int argc, char* argv[]) {
    bool json = false;
    const option kOptions[] = {{"yields", 1, nullptr, 'y'},
                               {"json", 0, nullptr, 'j'},
                               {"help", 0, nullptr, 'h'},
                               {nullptr, 0, nullptr, 0}};
    for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
        if (c == 'y')
            yield_count = atol(optarg);
        else if (c == 'j')
            json = true;
        else
            return fputs(kUsage, c == 'h' ? stdout : stderr), c == 'h' ? 0 : 2;
    }
    std::vector<long> counts;
    for (; optind < argc; ++optind) counts.push_back(atol(argv[optind]));
    bool good = yield_count > 0 && !counts.empty();
    for (long count : counts) good = good && count >= 2 && count <= 10'000;
    if (!good) return fputs(kUsage, stderr), 2;
    if (json)
        printf("[");
    else
        printf("%8s %12s %14s\n", "threads", "ticks/yield", "switches/yield");
    for (size_t i = 0; i < counts.size(); ++i) {
        measure(counts[i]);
        const double each =
            static_cast<double>(last_time - first_time) / static_cast<double>(yield_count);
        const double share =
            static_cast<double>(last_switches - first_switches) / static_cast<double>(yield_count);
        if (json)
            printf("%s{\"threads\": %ld, \"ticks\": %.1f, \"switches\": %.3f}", i ? ", " : "",
                   counts[i], each, share);
        else
            printf("%8ld %12.1f %14.3f\n", counts[i], each, share);
    }
    if (json) printf("]\n");
}
