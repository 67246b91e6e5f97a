// The floating-point unit belongs to one process at a time: two processes hold values in every x87
// and SSE register while each waits, in registers, for the other to have run. On one CPU that takes
// preemption at an arbitrary instruction; neither may find a register changed.
// Spec: Intel SDM vol. 1, 8 and 10; vol. 3, 13 (saving state); IEEE 754 for the arithmetic.
#include <sys/mman.h>

#include <cstddef>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct State {
    unsigned short control, pad;
    unsigned mxcsr;
    double x87[8];
    alignas(16) unsigned xmm[8][4];
};

// How often each has been at work, and whether it has finished; shared.
struct Shared {
    volatile unsigned turns[2], finished[2];
};

bool has_sse() {
    unsigned a = 1, b, c, d;
    asm("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return d >> 25 & 1;
}

#define FIELD(name) [name] "i"(offsetof(State, name))

void load(const State& state, bool sse) {
    asm volatile(
        "fninit\n\tfldcw %c[control](%0)\n\tfldl %c[x87](%0)\n\tfldl %c[x87]+8(%0)\n\t"
        "fldl %c[x87]+16(%0)\n\tfldl %c[x87]+24(%0)\n\tfldl %c[x87]+32(%0)\n\t"
        "fldl %c[x87]+40(%0)\n\tfldl %c[x87]+48(%0)\n\tfldl %c[x87]+56(%0)" ::"r"(&state),
        FIELD(control), FIELD(x87)
        : "memory");
    if (sse)
        asm volatile(
            "ldmxcsr %c[mxcsr](%0)\n\tmovaps %c[xmm](%0), %%xmm0\n\t"
            "movaps %c[xmm]+16(%0), %%xmm1\n\tmovaps %c[xmm]+32(%0), %%xmm2\n\t"
            "movaps %c[xmm]+48(%0), %%xmm3\n\tmovaps %c[xmm]+64(%0), %%xmm4\n\t"
            "movaps %c[xmm]+80(%0), %%xmm5\n\tmovaps %c[xmm]+96(%0), %%xmm6\n\t"
            "movaps %c[xmm]+112(%0), %%xmm7" ::"r"(&state),
            FIELD(mxcsr), FIELD(xmm)
            : "memory");
}

void store(State& state, bool sse) {
    asm volatile(
        "fnstcw %c[control](%0)\n\tfstpl %c[x87]+56(%0)\n\tfstpl %c[x87]+48(%0)\n\t"
        "fstpl %c[x87]+40(%0)\n\tfstpl %c[x87]+32(%0)\n\tfstpl %c[x87]+24(%0)\n\t"
        "fstpl %c[x87]+16(%0)\n\tfstpl %c[x87]+8(%0)\n\tfstpl %c[x87](%0)\n\tfninit" ::"r"(&state),
        FIELD(control), FIELD(x87)
        : "memory");
    unsigned usual = 0x1F80;
    if (sse)
        asm volatile(
            "stmxcsr %c[mxcsr](%0)\n\tmovaps %%xmm0, %c[xmm](%0)\n\t"
            "movaps %%xmm1, %c[xmm]+16(%0)\n\tmovaps %%xmm2, %c[xmm]+32(%0)\n\t"
            "movaps %%xmm3, %c[xmm]+48(%0)\n\tmovaps %%xmm4, %c[xmm]+64(%0)\n\t"
            "movaps %%xmm5, %c[xmm]+80(%0)\n\tmovaps %%xmm6, %c[xmm]+96(%0)\n\t"
            "movaps %%xmm7, %c[xmm]+112(%0)\n\tldmxcsr %1" ::"r"(&state),
            "m"(usual), FIELD(mxcsr), FIELD(xmm)
            : "memory");
}

State state_for(int who, unsigned turn, bool sse) {
    State state = {};
    state.control = who ? 0x27F : 0xF7F;  // another precision and rounding for each
    state.mxcsr = sse ? (who ? 0x3F80 : 0x5FC0) : 0;
    for (unsigned i = 0; i < 8; i++) state.x87[i] = (who + 1) * 1000.25 + turn * 8 + i;
    for (unsigned i = 0; sse && i < 8; i++)
        for (unsigned j = 0; j < 4; j++) state.xmm[i][j] = (who + 1) << 24 | turn << 8 | i << 4 | j;
    return state;
}

// Holds a state of its own from before the other's turn until after it, many times.
int hold(int who, Shared& shared, bool sse) {
    constexpr unsigned kTurns = 20;
    int wrong = 0;
    for (unsigned turn = 0; turn < kTurns; turn++) {
        State mine = state_for(who, turn, sse), found = {};
        unsigned seen = shared.turns[!who];
        load(mine, sse);
        shared.turns[who] = shared.turns[who] + 1;
        while (shared.turns[!who] == seen && !shared.finished[!who]) {
        }
        store(found, sse);
        wrong |= memcmp(&mine, &found, sizeof mine) != 0;
    }
    shared.finished[who] = 1;
    return wrong;
}

void test_isolation() {
    auto* shared = static_cast<Shared*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    bool sse = has_sse();
    {
        TakingTurns turns;
        pid_t child = start([&] { return hold(1, *shared, sse); });
        equal("first holder's registers stay its own", hold(0, *shared, sse), 0);
        equal("second holder's registers stay its own", wait_for(child), 0);
    }
    exits("a child starts with its parent's registers", 0, [=] {
        State mine = state_for(1, 7, sse), found = {};
        load(mine, sse);
        pid_t grandchild;  // fork by hand: C code would use the registers
        asm volatile("int $0x80" : "=a"(grandchild) : "0"(2) : "memory");
        store(found, sse);
        int wrong = memcmp(&mine, &found, sizeof mine) != 0;
        if (grandchild == 0) _exit(wrong);
        return wrong | wait_for(grandchild);
    });
}

// A computation whose every step rounds; the same bits must come out however often it is preempted.
unsigned long long compute() {
    volatile double sum = 0, term = 1;
    for (int i = 1; i < 20'000; i++) {
        term = term * 1.0000001 + 1.0 / i;
        sum = sum + term / 3.0;
    }
    double result = sum;
    unsigned long long bits;
    memcpy(&bits, &result, sizeof bits);
    return bits;
}

void test_computation() {
    constexpr int kProcesses = 4;
    unsigned long long expected = compute();
    pid_t children[kProcesses];
    for (pid_t& child : children)
        child = start([=] {
            for (int i = 0; i < 20; i++)
                if (compute() != expected) return 1;
            return 0;
        });
    int wrong = 0;
    for (pid_t child : children) wrong |= wait_for(child);
    equal("four processes compute the same", wrong, 0);
    volatile double tiny = 4.9e-324, half = tiny / 2, twice = tiny * 2;
    that("denormal numbers", tiny > 0 && half == 0 && twice == 9.8e-324);
}

// QEMU's translator sets the status bit but never raises #XM: nothing to test there.
bool raises_simd_exceptions() {
    if (!has_sse()) return false;
    pid_t child = start([] {
        unsigned mxcsr = 0x1D80;
        static const float one = 1, zero = 0;
        asm volatile("ldmxcsr %0\n\tmovss %1, %%xmm0\n\tdivss %2, %%xmm0" ::"m"(mxcsr), "m"(one),
                     "m"(zero)
                     : "memory");
        return 99;
    });
    return wait_for(child) != W_EXITCODE(99, 0);
}

void note_code(int, siginfo_t* info, void*) { _exit(info->si_code); }

void test_exceptions() {
    auto catches = [](const char* name, int code, void (*offend)()) {
        exits(name, code, [=] {
            struct sigaction action = {};
            action.sa_sigaction = note_code;
            action.sa_flags = SA_SIGINFO;
            sigaction(SIGFPE, &action, nullptr);
            offend();
            return 99;
        });
    };
    catches("x87 division by zero", FPE_FLTDIV, [] {
        unsigned short control = 0x37B;
        asm volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" ::"m"(control));
    });
    catches("x87 invalid operation", FPE_FLTINV, [] {
        unsigned short control = 0x37E;
        asm volatile("fninit\n\tfldcw %0\n\tfldz\n\tfldz\n\tfdivrp\n\tfwait" ::"m"(control));
    });
    if (raises_simd_exceptions())
        catches("SSE division by zero", FPE_FLTDIV, [] {
            unsigned mxcsr = 0x1D80;
            static const float one = 1, zero = 0;
            asm volatile("ldmxcsr %0\n\tmovss %1, %%xmm0\n\tdivss %2, %%xmm0" ::"m"(mxcsr),
                         "m"(one), "m"(zero)
                         : "memory");
        });
    exits("a new process starts with usual control words", 0, [] {
        unsigned short control;
        unsigned mxcsr = 0x1F80;
        asm volatile("fnstcw %0" : "=m"(control));
        if (has_sse()) asm volatile("stmxcsr %0" : "=m"(mxcsr));
        return control != 0x37F || (mxcsr & ~0x3F) != 0x1F80;
    });
}

}  // namespace

int main() {
    test_exceptions();
    test_isolation();
    test_computation();
    return done();
}
