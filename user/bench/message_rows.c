// The rows of System V messages: a mailbox used by one process, and two processes that answer each
// other through two. Spec: msgget(2), msgsnd(2), msgrcv(2), ipc(2).
#include <sys/ipc.h>

#include "user/bench/bench.h"
#include "user/bench/raw.h"

enum { kMsgsnd = 11, kMsgrcv = 12, kMsgget = 13, kMsgctl = 14, kTextBytes = 64 };

static struct {
    long type;
    char text[kTextBytes];
} letter = {1, {0}};

static long make_queue(void) { return ipc(kMsgget, IPC_PRIVATE, 0600, 0, 0); }
static void remove_queue(long queue) { ipc(kMsgctl, queue, IPC_RMID, 0, 0); }
static long put(long queue) { return ipc(kMsgsnd, queue, kTextBytes, 0, (long)&letter); }
static long take(long queue) {
    // msgrcv's last arguments travel in a structure, through the first form of the call.
    struct {
        void* letter;
        long type;
    } both = {&letter, 0};
    return ipc(kMsgrcv, queue, kTextBytes, 0, (long)&both);
}

int64_t message_pair(unsigned count) {
    long queue = make_queue();
    if (queue < 0) return queue;
    int64_t cost = COST_OF(count, put(queue) + take(queue));
    remove_queue(queue);
    return cost;
}

int64_t message_ping_pong(unsigned count) {
    long there = make_queue(), back = make_queue();
    if (there < 0 || back < 0) return there < 0 ? there : back;
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        for (unsigned i = 0; i < count + 1; i++) {
            take(there);
            put(back);
        }
        call(kExit, 0, 0, 0);
    }
    put(there);  // both run now
    take(back);
    int64_t cost = COST_OF(count, put(there) + take(back));
    call4(kWait4, child, 0, 0, 0);
    remove_queue(there);
    remove_queue(back);
    return cost;
}
