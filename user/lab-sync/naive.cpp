// The naive philosophers: each takes its left fork, waits until all have one, and wants the right
// one. The kernel finds the circle among the semaphores (/proc/deadlock), and the cure is its own:
// with recovery by `kill` it ends one, whose fork SEM_UNDO gives back; a new philosopher takes the
// seat and the others eat.
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "user/lab-sync/lab.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr int kSeats = 5, kPeriodMs = 20;
constexpr char kSettings[] = "/proc/sys/kernel/deadlock/";

struct Shared {
    std::atomic<int> seated;  // have their left fork for the first time
    std::atomic<int> hands[kSeats];
    std::atomic<long> meals[kSeats];
    std::atomic<long> broken;
};
Shared* shared;
int forks;

// In the hand, as far as others can tell, only while the semaphore is taken.
void use(int fork, int change) {
    sembuf operation = {static_cast<unsigned short>(fork), static_cast<short>(change), SEM_UNDO};
    while (semop(forks, &operation, 1) < 0) {
    }
}

[[noreturn]] void dine(int seat, long meals) {
    const int left = seat, right = (seat + 1) % kSeats;
    bool first = shared->seated < kSeats;
    while (shared->meals[seat] < meals) {
        use(left, -1);
        if (first) {
            for (++shared->seated; shared->seated < kSeats;) sched_yield();
            first = false;
        }
        use(right, -1);
        for (int fork : {left, right}) shared->broken += shared->hands[fork]++ != 0;
        for (int fork : {left, right}) --shared->hands[fork];
        ++shared->meals[seat];
        use(left, 1);
        use(right, 1);
    }
    _exit(0);
}

pid_t seat_one(int seat, long meals) {
    const pid_t pid = fork();
    if (pid < 0) lab::fail("fork: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_NAME, ("philosopher " + std::to_string(seat)).c_str());
        dine(seat, meals);
    }
    return pid;
}

long now_ms() { return static_cast<long>(lab::now() / 1'000'000); }

// Lets others run, whatever the policy.
void rest() { lab::sleep_for(1'000'000); }

}  // namespace

bool run_naive(long steps) {
    shared = static_cast<Shared*>(
        mmap(nullptr, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    forks = semget(IPC_PRIVATE, kSeats, 0600);
    for (int fork = 0; fork < kSeats; ++fork)
        if (semctl(forks, fork, SETVAL, 1) < 0) lab::fail("semaphores: %s", strerror(errno));
    const std::string in = kSettings;
    lab::Setting recovery(in + "recovery", "nothing");
    const long each = (steps + kSeats - 1) / kSeats;
    pid_t pids[kSeats];
    for (int seat = 0; seat < kSeats; ++seat) pids[seat] = seat_one(seat, each);
    while (shared->seated < kSeats) rest();

    // All want their right fork now: the kernel must say so, without being told of forks.
    const long start = now_ms();
    std::string graph;
    while (graph.find("deadlock among processes") == graph.npos && now_ms() - start < 10'000)
        rest(), graph = lab::read_file("/proc/deadlock");
    must(graph.find("deadlock among processes") != graph.npos);
    const long found_after = now_ms() - start;
    std::istringstream lines(graph);
    for (std::string line; std::getline(lines, line);)
        if (line.find("in a cycle") != line.npos) printf("  %s\n", line.c_str());

    lab::Setting strategy(in + "strategy", "detect"),
        period(in + "period_ms", std::to_string(kPeriodMs)),
        detection(in + "detection", "periodic");
    recovery.set("kill");
    const long cure_started = now_ms();
    long cured_after = -1, victims = 0;
    for (int left = kSeats; left > 0;) {
        int status;
        const pid_t pid = wait(&status);
        for (int seat = 0; seat < kSeats; ++seat) {
            if (pids[seat] != pid) continue;
            if (WIFEXITED(status)) {
                --left;
                continue;
            }
            ++victims;
            if (cured_after < 0) cured_after = now_ms() - cure_started;
            pids[seat] = seat_one(seat, each);
        }
    }
    semctl(forks, 0, IPC_RMID);
    must(shared->broken == 0);
    must(victims > 0);
    char more[96];
    snprintf(more, sizeof more, "; found after %ld ms, cured after %ld ms, %ld ended", found_after,
             cured_after, victims);
    munmap(shared, sizeof *shared);
    return report("naive", "detected and cured", each * kSeats, {}, more);
}
