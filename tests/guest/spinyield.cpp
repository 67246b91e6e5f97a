// Threads that wait for each other by sched_yield(2), each alone on its CPU, under an emulator whose CPUs take
// turns: a yield that finds nobody lets another CPU run.
// run: --icount 0 --smp 2
// timeout: 60
#include <pthread.h>

#include <atomic>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr int kRounds = 2000;
std::atomic<int> turn{0};

void stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    succeeds("a CPU of its own", sched_setaffinity(0, sizeof set, &set));
}

void take_turns(int own) {
    for (int i = 0; i < kRounds; ++i) {
        while (turn != own) sched_yield();
        turn = 1 - own;
    }
}

void* other(void*) {
    stay_on(1);
    take_turns(1);
    return nullptr;
}

}  // namespace

int main() {
    pthread_t thread;
    needs("thread", -pthread_create(&thread, nullptr, other, nullptr));
    stay_on(0);
    take_turns(0);
    pthread_join(thread, nullptr);
    equal("all rounds", turn, 0);
    return done();
}
