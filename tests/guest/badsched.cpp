// What the calls about threads and their scheduling say to nonsense: affinity to no CPU, classes
// and priorities that do not exist, flags of clone() that contradict.
// Spec: the ERRORS of clone(2), sched_setaffinity(2), sched_setscheduler(2), sched_setattr(2),
// setpriority(2), sched_rr_get_interval(2), futex(2), set_tid_address(2).
#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstdint>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr int kNobody = 30'000'000;

struct Attributes {  // struct sched_attr
    uint32_t size = 48, policy = 0;
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t runtime = 0, deadline = 0, period = 0;
};

long set_attributes(const Attributes& attributes, int tid = 0, int flags = 0) {
    return syscall(SYS_sched_setattr, tid, &attributes, flags);
}

void test_affinity() {
    auto set = [](int tid, unsigned size, const void* mask) {
        return syscall(SYS_sched_setaffinity, tid, size, mask);
    };
    unsigned none = 0, absent = 1u << 31, all = ~0u, got[32] = {};
    fails("affinity to no CPU", set(0, 4, &none), EINVAL);
    fails("to one that is not there", set(0, 4, &absent), EINVAL);
    fails("to a mask of no bytes", set(0, 0, &all), EINVAL);
    fails("of nobody", set(kNobody, 4, &all), ESRCH);
    fails("to a bad address", set(0, 4, reinterpret_cast<void*>(0xc0000000)), EFAULT);
    succeeds("to all CPUs, present or not", set(0, 4, &all));
    auto get = [](int tid, unsigned size, void* mask) {
        return syscall(SYS_sched_getaffinity, tid, size, mask);
    };
    fails("asked with too little room", get(0, 1, got), EINVAL);
    fails("with odd room", get(0, 5, got), EINVAL);
    fails("about nobody", get(kNobody, sizeof got, got), ESRCH);
    that("told at last", get(0, sizeof got, got) >= 4 && (got[0] & 1));
    exits("others' affinity", 0, [&] {
        pid_t parent = getppid();
        if (setresuid(1000, 1000, 1000) < 0) return 1;
        return set(parent, 4, &all) < 0 && errno == EPERM ? 0 : 2;
    });
}

void test_classes() {
    auto set = [](int tid, int policy, const sched_param* parameter) {
        return syscall(SYS_sched_setscheduler, tid, policy, parameter);
    };
    sched_param zero = {}, ten = {}, hundred = {}, minus = {};
    ten.sched_priority = 10;
    hundred.sched_priority = 100;
    minus.sched_priority = -1;
    fails("no such class", set(0, 77, &zero), EINVAL);
    fails("a negative one", set(0, -1, &zero), EINVAL);
    fails("nor is 4", set(0, 4, &zero), EINVAL);
    fails("SCHED_FIFO without priority", set(0, SCHED_FIFO, &zero), EINVAL);
    fails("with one too high", set(0, SCHED_RR, &hundred), EINVAL);
    fails("or negative", set(0, SCHED_RR, &minus), EINVAL);
    fails("SCHED_OTHER with one", set(0, SCHED_OTHER, &ten), EINVAL);
    fails("SCHED_DEADLINE this way", set(0, SCHED_DEADLINE, &zero), EINVAL);
    fails("of nobody", set(kNobody, SCHED_FIFO, &ten), ESRCH);
    fails("of minus one", set(-1, SCHED_FIFO, &ten), EINVAL);
    fails("nothing given", set(0, SCHED_OTHER, nullptr), EINVAL);
    fails("a bad address", set(0, SCHED_OTHER, reinterpret_cast<sched_param*>(0xfffff000)), EFAULT);
    fails("sched_setparam", syscall(SYS_sched_setparam, 0, &ten), EINVAL);
    fails("sched_getparam", syscall(SYS_sched_getparam, kNobody, &ten), ESRCH);
    fails("sched_getscheduler", syscall(SYS_sched_getscheduler, -2), EINVAL);
    fails("sched_get_priority_max", sched_get_priority_max(99), EINVAL);
    fails("sched_get_priority_min", sched_get_priority_min(-1), EINVAL);
    timespec interval;
    fails("sched_rr_get_interval", syscall(SYS_sched_rr_get_interval, -1, &interval), EINVAL);
    fails("of nobody", syscall(SYS_sched_rr_get_interval, kNobody, &interval), ESRCH);
    exits("no privilege", 0, [&] {
        if (setresuid(1000, 1000, 1000) < 0) return 1;
        return set(0, SCHED_FIFO, &ten) < 0 && errno == EPERM ? 0 : 2;
    });
    equal("it is in its old class", sched_getscheduler(0), SCHED_OTHER);
}

void test_attributes() {
    Attributes a;
    fails("attributes of nobody", set_attributes(a, kNobody), ESRCH);
    fails("of minus one", set_attributes(a, -1), EINVAL);
    fails("with flags", set_attributes(a, 0, 1), EINVAL);
    fails("none", syscall(SYS_sched_setattr, 0, nullptr, 0), EINVAL);
    a.size = 47;
    fails("of the wrong size", set_attributes(a), E2BIG);
    equal("the right one is told", a.size, 56);
    a = {};
    a.policy = 44;
    fails("of no class", set_attributes(a), EINVAL);
    a = {};
    a.flags = 1ull << 40;
    fails("with flags of their own", set_attributes(a), EINVAL);
    a = {};
    a.policy = SCHED_RR;
    a.priority = 100;
    fails("with a priority out of range", set_attributes(a), EINVAL);
    a = {};
    a.runtime = 1ull << 63;
    fails("with a negative burst", set_attributes(a), EINVAL);
    struct {
        const char* name;
        uint64_t runtime, deadline, period;
    } const reservations[] = {{"no time", 0, 10'000'000, 10'000'000},
                              {"more than its deadline", 20'000'000, 10'000'000, 30'000'000},
                              {"a deadline after its period", 1'000'000, 30'000'000, 20'000'000},
                              {"a period of nothing", 1'100, 1'200, 1'200},
                              {"a negative time", uint64_t(-5), 10'000'000, 10'000'000}};
    for (auto& r : reservations) {
        a = {};
        a.policy = SCHED_DEADLINE;
        a.runtime = r.runtime;
        a.deadline = r.deadline;
        a.period = r.period;
        fails(std::string("reserving ") + r.name, set_attributes(a), EINVAL);
    }
    a.runtime = 99'000'000;
    a.deadline = a.period = 100'000'000;
    fails("reserving nearly all", set_attributes(a), EBUSY);
    fails("sched_getattr", syscall(SYS_sched_getattr, 0, &a, 40, 0), EINVAL);
    fails("with flags", syscall(SYS_sched_getattr, 0, &a, sizeof a, 1), EINVAL);
    fails("of nobody", syscall(SYS_sched_getattr, kNobody, &a, sizeof a, 0), ESRCH);
}

void test_priorities() {
    fails("setpriority: whose?", setpriority(__priority_which_t(3), 0, 0), EINVAL);
    fails("of nobody", setpriority(PRIO_PROCESS, kNobody, 0), ESRCH);
    fails("of no group", setpriority(PRIO_PGRP, kNobody, 0), ESRCH);
    fails("of no user", setpriority(PRIO_USER, kNobody, 0), ESRCH);
    errno = 0;
    fails("getpriority: whose?", getpriority(__priority_which_t(-1), 0), EINVAL);
    succeeds("priorities beyond the last are it", setpriority(PRIO_PROCESS, 0, 100));
    equal("namely", getpriority(PRIO_PROCESS, 0), 19);
    setpriority(PRIO_PROCESS, 0, 0);
    exits("no privilege", 0, [] {
        pid_t parent = getppid();
        if (setresuid(1000, 1000, 1000) < 0) return 1;
        if (setpriority(PRIO_PROCESS, 0, -1) >= 0 || errno != EACCES) return 2;
        if (nice(-1) != -1 || errno != EPERM) return 3;
        return setpriority(PRIO_PROCESS, parent, 5) < 0 && errno == EPERM ? 0 : 4;
    });
}

long raw_clone(unsigned flags, void* stack = nullptr) {
    long result = syscall(SYS_clone, flags, stack, nullptr, nullptr, nullptr);
    if (result == 0) _exit(99);  // it should have failed
    return result;
}

void test_clone() {
    struct {
        const char* name;
        unsigned flags;
    } const contradictions[] = {
        {"signal actions without memory", CLONE_SIGHAND | SIGCHLD},
        {"a thread without signal actions", CLONE_THREAD | CLONE_VM},
        {"a thread without memory", CLONE_THREAD | CLONE_SIGHAND},
        {"a root of its own and shared", CLONE_FS | CLONE_NEWNS | SIGCHLD},
        {"users of its own and shared names", CLONE_NEWUSER | CLONE_FS | SIGCHLD},
        {"a thread with pids of its own", CLONE_NEWPID | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND},
        {"a sibling with pids of its own", CLONE_NEWPID | CLONE_PARENT | SIGCHLD},
        {"ipc of its own and shared", CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD},
        {"a descriptor of a thread", CLONE_PIDFD | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND},
        {"a descriptor in place of a tid", CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD},
    };
    for (auto& c : contradictions)
        fails(std::string("clone: ") + c.name, raw_clone(c.flags), EINVAL);
    struct {
        unsigned entry, base, limit, flags;
    } descriptor = {77, 0, 0xfffff, 0x51};
    long bad = syscall(SYS_clone, CLONE_VM | CLONE_SETTLS | SIGCHLD, nullptr, nullptr, &descriptor,
                       nullptr);
    if (bad == 0) _exit(99);
    fails("clone: a segment that is not for threads", bad, EINVAL);
    bad = syscall(SYS_clone, CLONE_VM | CLONE_SETTLS | SIGCHLD, nullptr, nullptr, 0xfffffff0,
                  nullptr);
    if (bad == 0) _exit(99);
    fails("clone: a segment from nowhere", bad, EFAULT);
    long child = syscall(SYS_clone,
                         SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
                         nullptr, 0xfffffff0, nullptr, 0xfffffff0);
    if (child == 0) _exit(4);
    equal("bad places for the tid do no harm", wait_for(needs("clone", child)), W_EXITCODE(4, 0));
    child = syscall(SYS_clone, 255, nullptr, nullptr, nullptr, nullptr);
    if (child == 0) _exit(5);
    int status = 0;
    waitpid(needs("clone", child), &status, __WALL);
    equal("nor does a signal that is none at the end", status, W_EXITCODE(5, 0));
}

void test_futex() {
    static uint32_t words[2] = {7, 7};
    auto futex = [](void* word, int operation, unsigned value, const void* time = nullptr,
                    void* second = nullptr, unsigned third = 0) {
        return syscall(SYS_futex, word, operation, value, time, second, third);
    };
    char* odd = reinterpret_cast<char*>(words) + 1;
    timespec wrong = {0, 1'000'000'000}, soon = {0, 1000};
    fails("futex: a word that is not aligned", futex(odd, FUTEX_WAIT, 0), EINVAL);
    fails("a word of the kernel's", futex(reinterpret_cast<void*>(0xc0000000), FUTEX_WAIT, 0),
          EFAULT);
    fails("a word that is not there", futex(reinterpret_cast<void*>(0x1000), FUTEX_WAIT, 0),
          EFAULT);
    fails("another value", futex(words, FUTEX_WAIT, 8), EAGAIN);
    fails("in time", futex(words, FUTEX_WAIT, 7, &soon), ETIMEDOUT);
    fails("a time that is none", futex(words, FUTEX_WAIT, 7, &wrong), EINVAL);
    fails("a wait for no bit", futex(words, FUTEX_WAIT_BITSET, 7), EINVAL);
    fails("a wake of no bit", futex(words, FUTEX_WAKE_BITSET, 1), EINVAL);
    fails("fewer than none", futex(words, FUTEX_REQUEUE, -1, nullptr, words + 1), EINVAL);
    fails("moved though changed", futex(words, FUTEX_CMP_REQUEUE, 1, nullptr, words + 1, 8),
          EAGAIN);
    fails("moved to where there is nothing",
          futex(words, FUTEX_REQUEUE, 1, nullptr, reinterpret_cast<void*>(0xfffffff0)), EFAULT);
    fails("no such operation", futex(words, 77, 0), ENOSYS);
    fails("priority inheritance", futex(words, FUTEX_LOCK_PI, 0), ENOSYS);
    fails("a clock for a wake", futex(words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1), ENOSYS);
    equal("nobody to wake", futex(words, FUTEX_WAKE, 1), 0);
}

// Who sleeps on a word is woken by real-time priority, then in the order of coming; moved sleepers too.
void test_futex_order() {
    struct Shared {
        uint32_t word, other;
        std::atomic<int> place;
        int order[4];
    };
    auto* shared = static_cast<Shared*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const auto futex = [](uint32_t* word, int operation, int value, long count = 0,
                          uint32_t* to = nullptr) {
        return syscall(SYS_futex, word, operation, value, count, to, 0);
    };
    constexpr int kPriorities[] = {0, 5, 0, 50};
    for (const bool moved : {false, true}) {
        shared->place = 0;
        pid_t children[4];
        for (int i = 0; i < 4; ++i) {
            children[i] = start([&] {
                sched_param parameters{kPriorities[i]};
                if (kPriorities[i])
                    needs("SCHED_FIFO", sched_setscheduler(0, SCHED_FIFO, &parameters));
                futex(&shared->word, FUTEX_WAIT, 0);
                shared->order[shared->place++] = i;
                return 0;
            });
            wait_until(children[i]);
        }
        if (moved)
            equal("all are moved", futex(&shared->word, FUTEX_REQUEUE, 0, 4, &shared->other), 4);
        for (int i = 0; i < 4; ++i) {
            futex(moved ? &shared->other : &shared->word, FUTEX_WAKE, 1);
            while (shared->place == i) sched_yield();
        }
        for (pid_t child : children) wait_for(child);
        const int* o = shared->order;
        that(moved ? "moved ones go by priority" : "the highest priority first",
             o[0] == 3 && o[1] == 1);
        that("then in order", o[2] == 0 && o[3] == 2);
    }
    munmap(shared, 4096);
}

}  // namespace

int main() {
    test_affinity();
    test_classes();
    test_attributes();
    test_priorities();
    test_clone();
    test_futex();
    test_futex_order();
    return done();
}
