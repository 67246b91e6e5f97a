// The operations of threads, by bare calls: a thread of the C library would make this program, and
// with it the rows of fork and exec, larger than they are for others.
// Spec: clone(2), futex(2).
#include <linux/futex.h>
#include <linux/sched.h>

#include "user/bench/bench.h"
#include "user/bench/raw.h"

enum {
    kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                   CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID
};

static uint32_t stack[4096];
static volatile int tid;   // of the thread, until it has ended
static volatile int turn;  // whose it is: 0 or 1

static void futex(volatile int* word, int operation, int value) {
    call4(kFutex, (long)word, operation, value, 0);
}

// Runs BODY in a thread, which then ends. The child finds BODY on its stack and never returns.
static long start_thread(void (*body)(void)) {
    uint32_t* top = stack + sizeof stack / sizeof *stack - 4;
    *top = (uint32_t)body;
    long result;
    __asm__ volatile(
        "int $0x80\n\t"
        "testl %%eax, %%eax\n\t"
        "jnz 1f\n\t"
        "popl %%eax\n\t"
        "call *%%eax\n\t"
        "movl %[exit], %%eax\n\t"
        "xorl %%ebx, %%ebx\n\t"
        "int $0x80\n"
        "1:"
        : "=a"(result)
        : "0"(kClone), "b"(kThreadFlags), "c"(top), "d"(&tid), "S"(0), "D"(&tid), [exit] "i"(kExit)
        : "memory");
    return result;
}

static void join(void) {
    for (int seen; (seen = tid) != 0;) futex(&tid, FUTEX_WAIT, seen);
}

// Waits for its turn and passes it on.
static void take_turn(int own) {
    while (turn != own) futex(&turn, FUTEX_WAIT_PRIVATE, !own);
    turn = !own;
    futex(&turn, FUTEX_WAKE_PRIVATE, 1);
}

static unsigned turns;
static void play(void) {
    for (unsigned i = 0; i < turns; i++) take_turn(1);
}

int64_t futex_ping_pong(unsigned count) {
    turn = 0;
    turns = count + 1;
    long error = start_thread(play);
    if (error < 0) return error;
    take_turn(0);  // both run now
    int64_t cost = COST_OF(count, take_turn(0));
    join();
    return cost;
}

static void nothing(void) {}

static long start_and_join(void) {
    long error = start_thread(nothing);
    if (error > 0) join();
    return error;
}

int64_t thread_create_join(unsigned count) {
    long error = start_and_join();
    return error < 0 ? error : COST_OF(count, start_and_join());
}
