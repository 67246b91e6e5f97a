// The rows of System V semaphores. Spec: semop(2), ipc(2).
#include <sys/ipc.h>
#include <sys/sem.h>

#include "user/bench/bench.h"
#include "user/bench/raw.h"

enum { kSemop = 1, kSemget = 2, kSemctl = 3 };  // what ipc() does

// Adds to semaphore `number`, or waits until it can take.
static long change(long set, unsigned short number, short by) {
    struct sembuf operation = {number, by, 0};
    return ipc(kSemop, set, 1, 0, (long)&operation);
}

static long two_semaphores(void) { return ipc(kSemget, IPC_PRIVATE, 2, 0600, 0); }
static void remove_set(long set) { ipc(kSemctl, set, 0, IPC_RMID, 0); }

int64_t semaphore_pair(unsigned count) {
    long set = two_semaphores();
    if (set < 0) return set;
    change(set, 0, 1);
    int64_t cost = COST_OF(count, change(set, 0, -1) + change(set, 0, 1));
    remove_set(set);
    return cost;
}

int64_t semaphore_ping_pong(unsigned count) {
    long set = two_semaphores();
    if (set < 0) return set;
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        for (unsigned i = 0; i < count + 1; i++) {
            change(set, 0, -1);
            change(set, 1, 1);
        }
        call(kExit, 0, 0, 0);
    }
    change(set, 0, 1);  // the first round is not like the others: the child has to come up
    change(set, 1, -1);
    int64_t cost = COST_OF(count, change(set, 0, 1) + change(set, 1, -1));
    call4(kWait4, child, 0, 0, 0);
    remove_set(set);
    return cost;
}
