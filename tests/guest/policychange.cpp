// The policy is changed 10,000 times while 50 processes on four CPUs compute, yield, sleep, talk
// through pipes, fork and exit, change their class, nice value and CPUs. Each must get on after the
// last change, all must end, and nothing may be left: no process, no thread, no memory.
// run: --smp 4 --icount
// timeout: 180
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

#include <ctime>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr int kWorkers = 50, kChanges = 10'000;
const char kPolicy[] = "/proc/sys/kernel/sched/policy";

struct Shared {
    volatile int stop;
    volatile unsigned rounds[kWorkers];
};
Shared* shared;

void sleep_us(long microseconds) {
    timespec t = {microseconds / 1'000'000, microseconds % 1'000'000 * 1000};
    nanosleep(&t, nullptr);
}

void compute() {
    for (int i = 0; i < 3000; i++) asm volatile("");
}

// To a real-time class and back, and to other CPUs.
bool change_oneself(int number) {
    static unsigned turn = unsigned(number);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(++turn % 4, &set);
    CPU_SET(turn / 4 % 4, &set);
    sched_param real_time = {.sched_priority = 1}, none = {};
    return !sched_setaffinity(0, sizeof set, &set) &&
           !sched_setscheduler(0, turn % 2 ? SCHED_RR : SCHED_FIFO, &real_time) &&
           !sched_setscheduler(0, SCHED_OTHER, &none) &&
           !setpriority(PRIO_PROCESS, 0, int(turn % 20));
}

// What worker NUMBER does in one round; false: something went wrong.
bool work(int number, int (&pipes)[2]) {
    switch (number % 6) {
        case 0:
            compute();
            sched_yield();
            return true;
        case 1: sleep_us(100 + number); return true;
        case 2: {
            char byte = 0;
            return write(pipes[1], &byte, 1) == 1 && read(pipes[0], &byte, 1) == 1;
        }
        case 3: return status_of([] { return 3; }) == W_EXITCODE(3, 0);
        case 4: return change_oneself(number);
        default:
            compute();
            sched_yield();
            sleep_us(50);
            return true;
    }
}

int be_worker(int number) {
    int pipes[2];
    needs("pipe", pipe(pipes));
    while (!shared->stop) {
        if (!work(number, pipes)) return 1;
        shared->rounds[number] = shared->rounds[number] + 1;
    }
    return 0;
}

std::vector<std::string> policies() {
    std::ifstream file(kPolicy);
    std::vector<std::string> names;
    for (std::string word; file >> word;)
        names.push_back(word[0] == '[' ? word.substr(1, word.size() - 2) : word);
    return names;
}

void change(const std::string& name) {
    static int fd = needs(kPolicy, open(kPolicy, O_WRONLY | O_CLOEXEC));
    if (write(fd, name.data(), name.size()) < 0) needs("a change of policy", -1);
}

struct Totals {
    int processes;
    unsigned long free;
};
Totals totals() {
    struct sysinfo info;
    needs("sysinfo", sysinfo(&info));
    return {info.procs, info.freeram * info.mem_unit / 1024};
}

// The processes, for as long as CHANGES take.
void run(int changes) {
    const auto names = policies();
    shared->stop = 0;
    std::vector<pid_t> workers;
    for (int i = 0; i < kWorkers; i++) workers.push_back(start([i] { return be_worker(i); }));
    unsigned random = 1;
    for (int i = 0; i < changes; i++) {
        random = random * 1103515245 + 12345;
        change(names[(random >> 16) % names.size()]);
        if (i % 4 == 0) sleep_us(200);
    }
    change("rr");
    unsigned before[kWorkers], stranded = 0;
    for (int i = 0; i < kWorkers; i++) before[i] = shared->rounds[i];
    for (int tries = 0; tries < 200; tries++) {
        sleep_us(10'000);
        stranded = 0;
        for (int i = 0; i < kWorkers; i++) stranded += shared->rounds[i] == before[i];
        if (!stranded) break;
    }
    equal("nobody is stranded", stranded, 0);
    shared->stop = 1;
    int bad = 0;
    for (pid_t worker : workers) bad += wait_for(worker) != 0;
    equal("all ended well", bad, 0);
}

}  // namespace

int main() {
    shared = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    std::ifstream file(kPolicy);
    that("there is a choice", policies().size() >= 8);
    // Ahead of the workers, whatever the policy is; they are ordinary.
    sched_param first = {};
    first.sched_priority = 1;
    needs("SCHED_FIFO", sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first));
    run(100);  // what is made once, and kept, is made
    const Totals before = totals();
    run(kChanges);
    sleep_us(20'000);
    const Totals after = totals();
    equal("no process is left", after.processes, before.processes);
    that("nor memory lost: " + std::to_string(before.free) + " KiB, then " +
             std::to_string(after.free),
         after.free + 512 > before.free);
    return done();
}
