// lab-threads: the three models of threads under the same four experiments.
//   create    ticks to make a thread, run it and join it
//   switch    ticks from one thread's yield to the next one's, two threads on one CPU
//   blocked   steps that others make while B of them sleep in a call, for B = 1 and B = M
//   speed-up  time of eight equal computations in a row, divided by that of eight threads
// Ticks are of the time-stamp counter: instructions under --icount 0.
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "user/lab-threads/models.hpp"
#include "user/lab-threads/script.hpp"
#include "user/lab/command.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-threads [--kernel-threads M] [--steps N] [--json]\n"
    "       lab-threads order A:yyjB B:y ...       threads N:1: y yields, jB joins B; what "
    "happens\n"
    "       lab-threads mutex A.lock B.lock ...    kernel threads and a mutex on a futex; who "
    "sleeps\n"
    "       lab-threads count ROUNDS               four kernel threads count together under it\n"
    "Compares threads 1:1, N:1 and N:M: ticks for a thread and for a switch, how many steps the "
    "others\n"
    "make while one and while M of them sleep in a call, and speed-up. M: kernel threads of N:M (2 "
    "to\n"
    "64, by default 2 or the CPUs, if more); N: the steps of a computation (2000000).\n"
    "    # lab-threads --steps 20000\n"
    "    1 CPU, 2 kernel threads in N:M\n"
    "    model  create  switch  1 blocked  M blocked  speed-up\n"
    "    1:1     13870     797       1640       1636      0.95\n"
    "    N:1       391      66          0          0      0.99\n"
    "    N:M       533      96       1607          0      0.98\n";

constexpr int kMost = 64, kThreads = 8, kYields = 10'000, kCreations = 200;
long shared_kernel_threads = 2;
long shared_computing = 2'000'000;
const Model* shared_model;

uint64_t now() {
    uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return uint64_t{high} << 32 | low;
}

void start(const Model& model, int kernel_threads) {
    shared_model = &model;
    if (model.start(kernel_threads)) return;
    fprintf(stderr, "lab-threads: no kernel threads\n");
    exit(1);
}

void* create(user_threads::Body body, void* argument = nullptr) {
    if (void* thread = shared_model->create(body, argument)) return thread;
    fprintf(stderr, "lab-threads: no memory for a thread\n");
    exit(1);
}

uint64_t measure_creation() {
    const uint64_t before = now();
    for (int i = 0; i < kCreations; ++i) shared_model->join(create([](void*) {}));
    return (now() - before) / kCreations;
}

std::atomic<int> shared_ready;
std::atomic<uint64_t> shared_first, shared_last;

void pass_turns(void*) {
    if (++shared_ready == 2) shared_first = now();
    while (shared_ready < 2) shared_model->yield();
    for (int i = 0; i < kYields; ++i) shared_model->yield();
    shared_last = now();
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
    shared_ready = 0;
    void* threads[] = {create(pass_turns), create(pass_turns)};
    for (void* thread : threads) model.join(thread);
    model.finish();
    sched_setaffinity(0, sizeof all, &all);
    return (shared_last - shared_first) / (2 * kYields);
}

std::atomic<int> shared_sleeping, shared_awake;
std::atomic<long> shared_steps;

void sleeper(void*) {
    ++shared_sleeping;
    const timespec pause = {0, 100'000'000};
    nanosleep(&pause, nullptr);
    --shared_sleeping;
    --shared_awake;
}

// A step counts only if all sleepers slept before and after it.
void stepper(void* sleepers) {
    const int wanted = static_cast<int>(reinterpret_cast<intptr_t>(sleepers));
    while (shared_awake > 0) {
        const bool before = shared_sleeping == wanted;
        shared_model->yield();
        if (before && shared_sleeping == wanted) ++shared_steps;
    }
}

long measure_blocked(const Model& model, int sleepers) {
    start(model, static_cast<int>(shared_kernel_threads));
    shared_sleeping = 0;
    shared_steps = 0;
    shared_awake = sleepers;
    void* threads[kMost + 1];
    for (int i = 0; i < sleepers; ++i) threads[i] = create(sleeper);
    threads[sleepers] = create(stepper, reinterpret_cast<void*>(intptr_t{sleepers}));
    for (int i = 0; i <= sleepers; ++i) model.join(threads[i]);
    model.finish();
    return shared_steps;
}

void compute(void*) {
    for (volatile long i = 0; i < shared_computing;) i = i + 1;
}

double measure_speed_up(const Model& model) {
    uint64_t before = now();
    for (int i = 0; i < kThreads; ++i) compute(nullptr);
    const uint64_t in_a_row = now() - before;
    start(model, static_cast<int>(shared_kernel_threads));
    void* threads[kThreads];
    before = now();
    for (void*& thread : threads) thread = create(compute);
    for (void* thread : threads) model.join(thread);
    const uint64_t together = now() - before;
    model.finish();
    return static_cast<double>(in_a_row) / static_cast<double>(together);
}

void compare(const Model& model, lab::Table& table) {
    const int kernel_threads = static_cast<int>(shared_kernel_threads);
    start(model, kernel_threads);
    const uint64_t creation = measure_creation();
    model.finish();
    const uint64_t change = measure_switch(model);
    const long one = measure_blocked(model, 1);
    const long all = measure_blocked(model, kernel_threads);
    table.row({model.name, creation, change, one, all, lab::Decimal{measure_speed_up(model), 2}});
}

}  // namespace

int main(int argc, char* argv[]) {
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus > shared_kernel_threads) shared_kernel_threads = cpus < kMost ? cpus : kMost;
    bool json = false;
    const auto words = lab::Command(kHelp)
                           .number("--kernel-threads", shared_kernel_threads, 2, kMost)
                           .number("--steps", shared_computing, 1, 1'000'000'000)
                           .flag("--json", json)
                           .parse(argc, argv);
    if (!words.empty()) {
        lab::one_of("the part", words[0], {"order", "mutex", "count"});
        return words[0] == "order"   ? run_order(words)
               : words[0] == "mutex" ? run_mutex(words)
                                     : run_count(words);
    }
    lab::Table table({{"model", "model"},
                      {"create", "create"},
                      {"switch", "switch"},
                      {"one_blocked", "1 blocked"},
                      {"all_blocked", "M blocked"},
                      {"speed_up", "speed-up"}});
    compare(kOneToOne, table);
    compare(kManyToOne, table);
    compare(kManyToMany, table);
    if (!json) {
        printf("%ld CPU%s, %ld kernel threads in N:M\n", cpus, cpus == 1 ? "" : "s",
               shared_kernel_threads);
        table.print();
        return 0;
    }
    lab::Object()
        .add("lab", "lab-threads")
        .add("input", lab::Object()
                          .add("cpus", cpus)
                          .add("kernel_threads", shared_kernel_threads)
                          .add("steps", shared_computing))
        .add("rows", table.rows())
        .print();
}
