// Nothing of the interrupted program may change because a handler ran in between: general
// registers, flags, x87 and SSE state. And a handler's edits of the saved registers count, within
// the limits of what a program may have.
// Spec: ucontext and sigframe as Linux i386 lays them out; Intel SDM vol. 1, 8.1.10 (x87 state).
#include <sys/ucontext.h>

#include <cstddef>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct Registers {
    unsigned general[7];  // eax ebx ecx edx esi edi ebp
    unsigned flags;
    unsigned short x87_control, x87_pad;
    unsigned mxcsr;
    double x87[4];
    alignas(16) unsigned xmm[8][4];
    bool operator==(const Registers&) const = default;
};

// Named for the assembly below.
alignas(16) Registers before asm("before"), after asm("after");
volatile unsigned short control_inside;
volatile unsigned flags_inside, mxcsr_inside;
volatile int handled;

bool has_sse() {
    unsigned a = 1, b, c, d;
    asm("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return d >> 25 & 1;
}

// Ruins every register that C code may touch, in the handler.
void clobber(int) {
    unsigned flags;
    asm volatile("pushfl\n\tpopl %0" : "=r"(flags));
    unsigned short control, rounding = 0xF7F;
    asm volatile("fnstcw %0" : "=m"(control));
    control_inside = control;
    flags_inside = flags;
    asm volatile("fninit\n\tfldcw %0\n\tfldpi\n\tfldpi\n\tfldpi\n\tfldpi\n\tfldpi" ::"m"(rounding));
    if (has_sse()) {
        unsigned mxcsr, other = 0x7F80;
        asm volatile("stmxcsr %0" : "=m"(mxcsr));
        mxcsr_inside = mxcsr;
        asm volatile(
            "ldmxcsr %0\n\tpcmpeqd %%xmm0, %%xmm0\n\tmovaps %%xmm0, %%xmm1\n\t"
            "movaps %%xmm0, %%xmm7" ::"m"(other));
    }
    handled = handled + 1;
}

void clobber_with_info(int signal, siginfo_t*, void*) { clobber(signal); }

// Loads SSE and x87 from `before`, makes the call in its general registers, stores all in `after`.
// The call is kill(self, signal), which delivers before it returns.
void go_through_call(bool sse) {
    if (sse)
        asm volatile(
            "ldmxcsr %c[mxcsr](%0)\n\t"
            "movaps %c[xmm](%0), %%xmm0\n\tmovaps %c[xmm]+16(%0), %%xmm1\n\t"
            "movaps %c[xmm]+32(%0), %%xmm2\n\tmovaps %c[xmm]+112(%0), %%xmm7" ::"r"(&before),
            [mxcsr] "i"(offsetof(Registers, mxcsr)), [xmm] "i"(offsetof(Registers, xmm))
            : "memory");
    asm volatile(
        "fninit\n\tfldcw %c[control](%0)\n\tfldl %c[x87](%0)\n\tfldl %c[x87]+8(%0)\n\t"
        "fldl %c[x87]+16(%0)\n\tfldl %c[x87]+24(%0)" ::"r"(&before),
        [control] "i"(offsetof(Registers, x87_control)), [x87] "i"(offsetof(Registers, x87))
        : "memory");
    asm volatile(
        "pushal\n\tpushfl\n\t"
        "movl before, %%eax\n\tmovl before+4, %%ebx\n\tmovl before+8, %%ecx\n\t"
        "movl before+12, %%edx\n\tmovl before+16, %%esi\n\tmovl before+20, %%edi\n\t"
        "movl before+24, %%ebp\n\tpushl before+28\n\tpopfl\n\t"
        "int $0x80\n\t"
        "pushfl\n\tpopl after+28\n\tcld\n\t"
        "movl %%eax, after\n\tmovl %%ebx, after+4\n\tmovl %%ecx, after+8\n\t"
        "movl %%edx, after+12\n\tmovl %%esi, after+16\n\tmovl %%edi, after+20\n\t"
        "movl %%ebp, after+24\n\tpopfl\n\tpopal" ::
            : "memory");
    asm volatile(
        "fnstcw %c[control](%0)\n\tfstpl %c[x87]+24(%0)\n\tfstpl %c[x87]+16(%0)\n\t"
        "fstpl %c[x87]+8(%0)\n\tfstpl %c[x87](%0)\n\tfninit" ::"r"(&after),
        [control] "i"(offsetof(Registers, x87_control)), [x87] "i"(offsetof(Registers, x87))
        : "memory");
    if (sse) {
        unsigned usual = 0x1F80;
        asm volatile(
            "stmxcsr %c[mxcsr](%0)\n\t"
            "movaps %%xmm0, %c[xmm](%0)\n\tmovaps %%xmm1, %c[xmm]+16(%0)\n\t"
            "movaps %%xmm2, %c[xmm]+32(%0)\n\tmovaps %%xmm7, %c[xmm]+112(%0)\n\tldmxcsr %1" ::"r"(
                &after),
            "m"(usual), [mxcsr] "i"(offsetof(Registers, mxcsr)), [xmm] "i"(offsetof(Registers, xmm))
            : "memory");
    }
}

void test_restored(const char* name, int flags) {
    constexpr unsigned kCarryZeroDirection = 0x441 | 0x202, kCallKill = 37;
    struct sigaction action = {};
    if (flags & SA_SIGINFO)
        action.sa_sigaction = clobber_with_info;
    else
        action.sa_handler = clobber;
    action.sa_flags = flags;
    sigaction(SIGUSR1, &action, nullptr);
    handled = 0;
    bool sse = has_sse();
    before = {.general = {kCallKill, unsigned(getpid()), SIGUSR1, 0x11111111, 0x22222222,
                          0x33333333, 0x44444444},
              .flags = kCarryZeroDirection,
              .x87_control = 0x27F,
              .x87_pad = 0,
              .mxcsr = sse ? 0x3F80u : 0,  // rounds down
              .x87 = {1.5, -2.25, 1e300, 4e-310},
              .xmm = {}};
    for (unsigned i : {0, 1, 2, 7})
        for (unsigned j = 0; sse && j < 4; j++) before.xmm[i][j] = i * 0x01010101 + j;
    after = {};
    go_through_call(sse);

    std::string prefix = std::string(name) + ": ";
    equal(prefix + "handler ran", handled, 1);
    equal(prefix + "result of the call", after.general[0], 0);
    after.general[0] = before.general[0];
    that(prefix + "general registers",
         memcmp(after.general, before.general, sizeof after.general) == 0);
    equal(prefix + "flags", after.flags, before.flags);
    equal(prefix + "x87 control", after.x87_control, before.x87_control);
    that(prefix + "x87 stack", memcmp(after.x87, before.x87, sizeof after.x87) == 0);
    equal(prefix + "MXCSR", after.mxcsr, before.mxcsr);
    that(prefix + "xmm registers", memcmp(after.xmm, before.xmm, sizeof after.xmm) == 0);
    equal(prefix + "handler starts without direction flag", flags_inside & 0x400, 0);
    equal(prefix + "handler starts with usual x87 control", control_inside, 0x37F);
    if (sse) equal(prefix + "handler starts with usual MXCSR", mxcsr_inside, 0x1F80);
}

// What a handler writes into the saved registers.

unsigned edit_register, edit_or, edit_value;
bool edit_replaces;

void edit(int, siginfo_t*, void* context) {
    auto& saved = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[edit_register];
    saved = edit_replaces ? int(edit_value) : int(saved | edit_or);
}

void plan(unsigned reg, unsigned value, bool replaces) {
    struct sigaction action = {};
    action.sa_sigaction = edit;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, nullptr);
    edit_register = reg;
    edit_or = edit_value = value;
    edit_replaces = replaces;
}

unsigned flags_now() {
    unsigned flags;
    asm volatile("pushfl\n\tpopl %0" : "=r"(flags));
    return flags;
}

void test_edits() {
    plan(REG_EAX, 1234, true);
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(37), "b"(getpid()), "c"(SIGUSR1) : "memory");
    equal("a handler may change a call's result", result, 1234);

    plan(REG_EFL, 3 << 12 | 1 << 14 | 1 << 17, false);
    raise(SIGUSR1);
    equal("but not IOPL, nested task, virtual 8086", flags_now() & (3 << 12 | 1 << 14 | 1 << 17),
          0);
    killed("nor clear the interrupt flag, nor use ports", SIGSEGV, [] {
        plan(REG_EFL, 0x3002, true);
        raise(SIGUSR1);
        if (!(flags_now() & 0x200)) return 1;
        asm volatile("cli");
        return 0;
    });
    for (unsigned selector : {0u, 8u, 0x10u, 0x1000u, 0xFFFCu}) {
        std::string name = " selector " + std::to_string(selector);
        killed("code" + name, SIGSEGV, [=] {
            plan(REG_CS, selector, true);
            return raise(SIGUSR1);
        });
        killed("stack" + name, SIGSEGV, [=] {
            plan(REG_SS, selector, true);
            return raise(SIGUSR1);
        });
    }
    killed("eip in the kernel", SIGSEGV, [] {
        plan(REG_EIP, 0xC0100000, true);
        return raise(SIGUSR1);
    });
    exits("null data segment", 0, [] {
        plan(REG_FS, 0, true);
        return raise(SIGUSR1);
    });
}

}  // namespace

int main() {
    test_restored("plain frame", 0);
    test_restored("siginfo frame", SA_SIGINFO);
    test_edits();
    return done();
}
