// membarrier: what it offers and refuses, registering, fork, exec; and that two threads whose fast side has no
// barrier never both see what was before. Spec: membarrier(2).
// run: --smp 4
// needs: wing
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <atomic>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

int membarrier(int command, unsigned flags = 0) {
    return int(syscall(SYS_membarrier, command, flags, 0));
}

// Dekker's flags: each side raises its own and looks at the other's. The fast side only keeps the compiler
// from turning the two around; what the processor does with them the slow side's call sees to.
std::atomic<int> fast_flag, slow_flag, round_of_fast, round_of_slow;
std::atomic<int> fast_saw, slow_saw, both_missed;
constexpr int kRounds = 2'000;

void* fast_side(void*) {
    for (int round = 1; round <= kRounds; ++round) {
        while (round_of_slow.load() != round) sched_yield();
        fast_flag.store(1, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        fast_saw.store(slow_flag.load(std::memory_order_relaxed), std::memory_order_relaxed);
        round_of_fast.store(round);
    }
    return nullptr;
}

void test_order() {
    pthread_t other;
    needs("pthread_create", -pthread_create(&other, nullptr, fast_side, nullptr));
    for (int round = 1; round <= kRounds; ++round) {
        fast_flag = slow_flag = 0;
        round_of_slow.store(round);
        slow_flag.store(1, std::memory_order_relaxed);
        if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) both_missed = -1;
        const int saw = fast_flag.load(std::memory_order_relaxed);
        while (round_of_fast.load() != round) sched_yield();
        if (!saw && !fast_saw) ++both_missed;
    }
    pthread_join(other, nullptr);
    equal("never have both missed the other", both_missed, 0);
}

}  // namespace

int main(int count, char**) {
    const int not_registered = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    fails("not registered", not_registered, EPERM);
    if (count > 1) return done();
    equal("what there is", membarrier(MEMBARRIER_CMD_QUERY), 127);
    fails("not registered for code either", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE),
          EPERM);
    fails("a flag", membarrier(MEMBARRIER_CMD_QUERY, 1), EINVAL);
    fails("no such command", membarrier(-1), EINVAL);
    exits("nor is a child", 0, [] {
        fails("not registered", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED), EPERM);
        return done();
    });
    fails("none of rseq", membarrier(128), EINVAL);
    fails("two at once", membarrier(3), EINVAL);
    succeeds("global", membarrier(MEMBARRIER_CMD_GLOBAL));
    succeeds("global, expedited", membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED));
    succeeds("registered for that", membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED));
    succeeds("registered", membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
    succeeds("private", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
    succeeds("registered for code",
             membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE));
    succeeds("of code", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE));
    test_order();
    exits("a child is registered as its parent was", 0, [] {
        succeeds("private", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
        succeeds("of code", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE));
        return done();
    });
    exits("a new program is not registered", 0, [] {
        execl("/proc/self/exe", "membarrier", "again", nullptr);
        return 9;
    });
    return done();
}
