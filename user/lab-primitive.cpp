// lab-primitive: what a primitive is for. Processes add to one counter, put PCBs into one linked
// queue, and block until they are woken: once by plain instructions, which the timer splits, so that
// updates are lost; then with primitives, which nothing splits. A lost update is found when it happens:
// what was read is no longer there when the result is written. It becomes a mark in the trace.
//   counter   load, add, store            interrupts off; the CPU's XADD; P and V
//   queue     load head, link, store it   the same
//   wake-up   look at a flag, then block  futex: it looks and blocks as one
#include <linux/futex.h>
#include <sched.h>
#include <sys/io.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-primitive [--processes N] [--updates N] [--quantum US] [--random N --seed S] "
    "[--json]\n"
    "N processes (4) update one counter and one queue of PCBs, N times each (20000), and wake "
    "each\n"
    "other, without a primitive and with each: how much was lost. The first losses are shown as "
    "they\n"
    "happened; the trace has them as marks (lost ...). --random: N updates at most, drawn by S.\n"
    "    # lab-primitive\n"
    "    4 processes, 20000 updates each, a quantum of 500 us\n"
    "    what     primitive       wanted  found   lost  split\n"
    "    counter  none             80000  57823  22177      6\n"
    "    counter  interrupts off   80000  80000      0      0\n"
    "    ...\n"
    "    wake-up  none                20      2     18     18\n"
    "    wake-up  futex               20     20      0      0\n"
    "      process 3 read 1290 and was interrupted; others made it 11005; then 3 wrote 1291\n"
    "    ...\n";

constexpr long kMostProcesses = 16, kMostUpdates = 1'000'000, kMostShown = 5;

struct Pcb {
    int next;  // index + 1; 0: the last
};
struct Loss {
    int64_t time;
    long who, read, found;
};
struct Shared {
    volatile long counter;
    volatile int head;
    volatile long split, ready;
    volatile int flag, word;
    volatile long woken_late;
    Loss losses[kMostShown];
};
Shared* shared;
Pcb* pcbs;
int semaphore;

void change(short by) {
    sembuf operation{0, by, SEM_UNDO};
    while (semop(semaphore, &operation, 1) < 0 && errno == EINTR) {
    }
}

// What keeps an update whole. `none` does nothing, and the CPU's own instruction needs nothing.
enum class Primitive { none, interrupts_off, instruction, semaphore };
struct Way {
    const char* name;
    Primitive primitive;
};
constexpr Way kWays[] = {{"none", Primitive::none},
                         {"interrupts off", Primitive::interrupts_off},
                         {"instruction", Primitive::instruction},
                         {"P and V", Primitive::semaphore}};

void enter(Primitive p) {
    if (p == Primitive::interrupts_off) asm volatile("cli" ::: "memory");
    if (p == Primitive::semaphore) change(-1);
}
void leave(Primitive p) {
    if (p == Primitive::interrupts_off) asm volatile("sti" ::: "memory");
    if (p == Primitive::semaphore) change(1);
}

void note_loss(long who, long read, long found) {
    const long n = shared->split;
    shared->split = n + 1;
    if (n >= kMostShown) return;
    shared->losses[n] = {lab::now(), who, read, found};
    char text[80];
    snprintf(text, sizeof text, "lost: %ld read %ld, another made it %ld, %ld writes %ld", who,
             read, found, who, read + 1);
    lab::write_file("/proc/trace_marker", text);
}

// Between the load and the store there is some work, as there is in any real update.
void work() {
    for (int i = 0; i < 20; ++i) asm volatile("");
}

void update_counter(Primitive p, long who) {
    if (p == Primitive::instruction) {
        __atomic_fetch_add(&shared->counter, 1, __ATOMIC_SEQ_CST);
        return;
    }
    enter(p);
    const long read = shared->counter;
    work();
    const long found = shared->counter;
    shared->counter = read + 1;
    leave(p);
    if (found != read) note_loss(who, read, found);
}

void push_pcb(Primitive p, int index) {
    Pcb& pcb = pcbs[index];
    if (p == Primitive::instruction) {
        int head = shared->head;
        do pcb.next = head;
        while (!__atomic_compare_exchange_n(&shared->head, &head, index + 1, false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
        return;
    }
    enter(p);
    const int head = shared->head;
    pcb.next = head;
    work();
    shared->split = shared->split + (shared->head != head);
    shared->head = index + 1;
    leave(p);
}

void in_processes(long count, auto&& body) {
    std::vector<pid_t> children;
    shared->ready = 0;
    for (long who = 0; who < count; ++who) {
        const pid_t child = fork();
        if (child < 0) lab::fail("fork: %s", strerror(errno));
        if (child == 0) {
            __atomic_fetch_add(&shared->ready, 1, __ATOMIC_SEQ_CST);
            while (shared->ready < count) sched_yield();
            body(who);
            _exit(0);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) waitpid(child, nullptr, 0);
}

struct Outcome {
    long wanted, found, split;
};

Outcome count_up(Primitive p, long processes, long updates) {
    shared->counter = 0;
    shared->split = 0;
    in_processes(processes, [&](long who) {
        for (long i = 0; i < updates; ++i) update_counter(p, who);
    });
    return {processes * updates, shared->counter, shared->split};
}

Outcome queue_up(Primitive p, long processes, long updates) {
    shared->head = 0;
    shared->split = 0;
    in_processes(processes, [&](long who) {
        // In memory beforehand: a page fault inside would let others run, interrupts off or not.
        for (long i = 0; i < updates; ++i) pcbs[who * updates + i].next = 0;
        for (long i = 0; i < updates; ++i) push_pcb(p, static_cast<int>(who * updates + i));
    });
    long found = 0;
    for (int at = shared->head; at; at = pcbs[at - 1].next) ++found;
    return {processes * updates, found, shared->split};
}

// One waits for a flag, the other sets it and wakes it. A wake-up that comes between the look and the
// block wakes nobody: only the time-out ends the wait.
void wait_for_flag(bool as_one, int round) {
    const timespec patience{0, 20'000'000};
    while (shared->flag < round) {
        const int seen = as_one ? shared->flag : shared->word;
        if (as_one && seen >= round) return;
        if (!as_one) {
            if (shared->flag >= round) return;
            work();
            sched_yield();  // here the other one may run, as after an interrupt
        }
        // futex() compares and blocks as one; of a word that never changes the comparison is nothing.
        volatile int* word = as_one ? &shared->flag : &shared->word;
        if (syscall(SYS_futex, word, FUTEX_WAIT, seen, &patience) < 0 && errno == ETIMEDOUT)
            shared->woken_late = shared->woken_late + 1;
    }
}

Outcome wake_up(bool as_one, long rounds) {
    shared->flag = 0;
    shared->woken_late = 0;
    in_processes(2, [&](long who) {
        for (int round = 1; round <= rounds; ++round) {
            if (who == 0) {
                wait_for_flag(as_one, round);
                __atomic_fetch_add(&shared->counter, 1, __ATOMIC_SEQ_CST);
            } else {
                const long before = round - 1;
                while (shared->counter < before) sched_yield();
                shared->flag = round;
                syscall(SYS_futex, as_one ? &shared->flag : &shared->word, FUTEX_WAKE, 1);
                while (shared->counter < round) sched_yield();  // ready when the other one yields
            }
        }
    });
    return {rounds, rounds - shared->woken_late, shared->woken_late};
}

}  // namespace

int main(int argc, char** argv) {
    long processes = 4, updates = 20'000, quantum = 500, random = 0, seed = 1;
    bool json = false;
    const auto words = lab::Command(kHelp)
                           .number("--processes", processes, 2, kMostProcesses)
                           .number("--updates", updates, 1, kMostUpdates)
                           .number("--quantum", quantum, 100, 1'000'000)
                           .random(random, kMostUpdates, seed)
                           .flag("--json", json)
                           .parse(argc, argv);
    if (!words.empty()) lab::refuse("no arguments but options; not '%s'", words[0].c_str());
    if (random) {
        lab::Random draw(seed);
        updates = draw.between(std::min(random, 5'000l), random);
        processes = draw.between(2, 6);
    }
    shared = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    pcbs = static_cast<Pcb*>(mmap(nullptr, sizeof(Pcb) * static_cast<size_t>(processes * updates),
                                  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (shared == MAP_FAILED || pcbs == MAP_FAILED) lab::fail("memory: %s", strerror(errno));
    if (iopl(3)) lab::fail("iopl, for cli and sti: %s", strerror(errno));
    semaphore = semget(IPC_PRIVATE, 1, 0600);
    if (semctl(semaphore, 0, SETVAL, 1) < 0) lab::fail("semaphore: %s", strerror(errno));
    lab::Setting policy("/proc/sys/kernel/sched/policy", "rr");
    lab::Setting turn("/proc/sys/kernel/sched/rr_quantum_us", std::to_string(quantum));

    lab::Table table({{"what", "what"},
                      {"primitive", "primitive"},
                      {"wanted", "wanted"},
                      {"found", "found"},
                      {"lost", "lost"},
                      {"split", "split"}});
    auto row = [&](const char* what, const char* primitive, const Outcome& o) {
        table.row({what, primitive, o.wanted, o.found, o.wanted - o.found, o.split});
    };
    // P and V of processes that wait for each other cost two switches each: a tenth will do.
    auto updates_of = [&](const Way& way) {
        return way.primitive == Primitive::semaphore ? updates / 10 : updates;
    };
    const bool one_cpu = sysconf(_SC_NPROCESSORS_ONLN) == 1;
    std::vector<Loss> losses;
    for (const Way& way : kWays) {
        if (way.primitive == Primitive::interrupts_off && !one_cpu)
            continue;  // that excludes nobody
        row("counter", way.name, count_up(way.primitive, processes, updates_of(way)));
        if (way.primitive == Primitive::none)
            losses.assign(shared->losses,
                          shared->losses + std::min(long{shared->split}, kMostShown));
    }
    for (const Way& way : kWays)
        if (way.primitive != Primitive::interrupts_off || one_cpu)
            row("queue", way.name, queue_up(way.primitive, processes, updates_of(way)));
    const long rounds = 20;
    shared->counter = 0;
    row("wake-up", "none", wake_up(false, rounds));
    shared->counter = 0;
    row("wake-up", "futex", wake_up(true, rounds));
    semctl(semaphore, 0, IPC_RMID);

    if (json) {
        std::vector<lab::Object> seen;
        for (const Loss& loss : losses)
            seen.push_back(lab::Object()
                               .add("process", loss.who)
                               .add("read", loss.read)
                               .add("found", loss.found));
        lab::Object()
            .add("lab", "lab-primitive")
            .add("input", lab::Object()
                              .add("processes", processes)
                              .add("updates", updates)
                              .add("quantum_us", quantum))
            .add("rows", table.rows())
            .add("interleavings", seen)
            .print();
        return 0;
    }
    printf("%ld processes, %ld updates each, a quantum of %ld us\n", processes, updates, quantum);
    table.print();
    for (const Loss& loss : losses)
        printf(
            "  process %ld read %ld and was interrupted; others made it %ld; then %ld wrote %ld\n",
            loss.who, loss.read, loss.found, loss.who, loss.read + 1);
}
