// lab-threads: the three models of threads under the same four experiments.
//   create    ticks to make a thread, run it and join it
//   switch    ticks from one thread's yield to the next one's, two threads on one CPU
//   blocked   steps that others make while B of them sleep in a call, for B = 1 and B = M
//   speed-up  time of eight equal computations in a row, divided by that of eight threads
// Ticks are of the time-stamp counter: instructions under --icount 0.
#include <getopt.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "user/lab-threads/models.hpp"

namespace {

constexpr char kUsage[] =
    "usage: lab-threads [--kernel-threads M] [--steps N]\n"
    "Compares threads 1:1, N:1 and N:M: cost of a thread and of a switch, what one blocking call\n"
    "stops, and speed-up. M: kernel threads of N:M (2 to 64, by default 2 or the CPUs, if more).\n";

constexpr int kMost = 64, kThreads = 8, kYields = 10'000, kCreations = 200;
int kernel_thread_count = 2;
int computing_steps = 2'000'000;
const Model* chosen_model;

uint64_t now() {
    uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return uint64_t{high} << 32 | low;
}

void start(const Model& model, int kernel_threads) {
    chosen_model = &model;
    if (model.start(kernel_threads)) return;
    fprintf(stderr, "lab-threads: no kernel threads\n");
    exit(1);
}

void* create(user_threads::Body body, void* argument = nullptr) {
    if (void* thread = chosen_model->create(body, argument)) return thread;
    fprintf(stderr, "lab-threads: no memory for a thread\n");
    exit(1);
}

uint64_t measure_creation() {
    const uint64_t before = now();
    for (int i = 0; i < kCreations; ++i) chosen_model->join(create([](void*) {}));
    return (now() - before) / kCreations;
}

std::atomic<int> ready_count;
std::atomic<uint64_t> first_time, last_time;

void pass_turns(void*) {
    if (++ready_count == 2) first_time = now();
    while (ready_count < 2) chosen_model->yield();
    for (int i = 0; i < kYields; ++i) chosen_model->yield();
    last_time = now();
}

// On one CPU, and for N:M on one kernel thread: otherwise the two would not switch but run beside
// each other.
uint64_t measure_switch(const Model& model) {
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    start(model, 1);
    ready_count = 0;
    void* threads[] = {create(pass_turns), create(pass_turns)};
    for (void* thread : threads) model.join(thread);
    model.finish();
    sched_setaffinity(0, sizeof all, &all);
    return (last_time - first_time) / (2 * kYields);
}

std::atomic<int> sleeping_count, awake_count;
std::atomic<long> step_count;

void sleeper(void*) {
    ++sleeping_count;
    const timespec pause = {0, 100'000'000};
    nanosleep(&pause, nullptr);
    --sleeping_count;
    --awake_count;
}

// A step counts only if all sleepers slept before and after it.
void stepper(void* sleepers) {
    const int wanted = static_cast<int>(reinterpret_cast<intptr_t>(sleepers));
    while (awake_count > 0) {
        const bool before = sleeping_count == wanted;
        chosen_model->yield();
        if (before && sleeping_count == wanted) ++step_count;
    }
}

long measure_blocked(const Model& model, int sleepers) {
    start(model, kernel_thread_count);
    sleeping_count = 0;
    step_count = 0;
    awake_count = sleepers;
    void* threads[kMost + 1];
    for (int i = 0; i < sleepers; ++i) threads[i] = create(sleeper);
    threads[sleepers] = create(stepper, reinterpret_cast<void*>(intptr_t{sleepers}));
    for (int i = 0; i <= sleepers; ++i) model.join(threads[i]);
    model.finish();
    return step_count;
}

void compute(void*) {
    for (volatile int i = 0; i < computing_steps; i = i + 1) {
    }
}

double measure_speed_up(const Model& model) {
    uint64_t before = now();
    for (int i = 0; i < kThreads; ++i) compute(nullptr);
    const uint64_t in_a_row = now() - before;
    start(model, kernel_thread_count);
    void* threads[kThreads];
    before = now();
    for (void*& thread : threads) thread = create(compute);
    for (void* thread : threads) model.join(thread);
    const uint64_t together = now() - before;
    model.finish();
    return static_cast<double>(in_a_row) / static_cast<double>(together);
}

void compare(const Model& model) {
    start(model, kernel_thread_count);
    const uint64_t creation = measure_creation();
    model.finish();
    const uint64_t change = measure_switch(model);
    const long one = measure_blocked(model, 1);
    const long all = measure_blocked(model, kernel_thread_count);
    printf("%-6s %9llu %9llu %12ld %12ld %9.2f\n", model.name,
           static_cast<unsigned long long>(creation), static_cast<unsigned long long>(change), one,
           all, measure_speed_up(model));
    fflush(stdout);
}

}  // namespace

int main(int argc, char* argv[]) {
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus > kernel_thread_count)
        kernel_thread_count = cpus < kMost ? static_cast<int>(cpus) : kMost;
    const option kOptions[] = {{"kernel-threads", 1, nullptr, 'm'},
                               {"steps", 1, nullptr, 's'},
                               {"help", 0, nullptr, 'h'},
                               {nullptr, 0, nullptr, 0}};
    for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
        if (c == 'm')
            kernel_thread_count = atoi(optarg);
        else if (c == 's')
            computing_steps = atoi(optarg);
        else
            return fputs(kUsage, c == 'h' ? stdout : stderr), c == 'h' ? 0 : 2;
    }
    if (optind < argc || kernel_thread_count < 2 || kernel_thread_count > kMost ||
        computing_steps < 1)
        return fputs(kUsage, stderr), 2;
    printf("%ld CPUs, %d kernel threads in N:M\n", cpus, kernel_thread_count);
    printf("%-6s %9s %9s %12s %12s %9s\n", "model", "create", "switch", "1 blocked", "M blocked",
           "speed-up");
    compare(kOneToOne);
    compare(kManyToOne);
    compare(kManyToMany);
}
