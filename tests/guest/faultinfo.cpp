// What a handler learns of a fault (address, code, registers), and the ways on from it: jump out,
// repair and repeat, skip the instruction, run on another stack.
// Spec: sigaction(2), "The siginfo_t argument"; ucontext registers as Linux i386 lays them out.
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

#include "tests/guest/check.hpp"

namespace {

struct Seen {
    int signal, code;
    char* address;
    unsigned ip, trap, error;
    int count;
};

volatile Seen seen;
sigjmp_buf back;
char* page;  // mapped for reading only

void note(int signal, siginfo_t* info, void* context) {
    const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    seen.signal = signal;
    seen.code = info->si_code;
    seen.address = static_cast<char*>(info->si_addr);
    seen.ip = registers[REG_EIP];
    seen.trap = registers[REG_TRAPNO];
    seen.error = registers[REG_ERR];
    seen.count = seen.count + 1;
}

void jump_out(int signal, siginfo_t* info, void* context) {
    note(signal, info, context);
    siglongjmp(back, 1);
}

void repair(int signal, siginfo_t* info, void* context) {
    note(signal, info, context);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

void skip_two_bytes(int signal, siginfo_t* info, void* context) {
    note(signal, info, context);
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EIP] += 2;
}

void handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags = 0) {
    struct sigaction action = {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigaction(signal, &action, nullptr);
}

// Runs OFFENCE and comes back by the handler's jump, which must restore the signal mask.
template <typename Offence>
void commit(Offence offence) {
    if (sigsetjmp(back, 1) == 0) offence();
}

void test_segv() {
    using check::equal, check::that;
    handle(SIGSEGV, jump_out);
    commit([] { asm volatile("movb $1, 0x10"); });
    that("unmapped: address", seen.address == reinterpret_cast<char*>(0x10));
    equal("unmapped: code", seen.code, SEGV_MAPERR);
    equal("unmapped: vector", seen.trap, 14);
    equal("unmapped: error code says user write", seen.error & 7, 6);

    commit([] { page[123] = 1; });
    that("read-only: address", seen.address == page + 123);
    equal("read-only: code", seen.code, SEGV_ACCERR);
    equal("read-only: error code says present", seen.error & 7, 7);

    commit([] { ((void (*)())0xC0100000)(); });
    that("kernel jump: address", seen.address == reinterpret_cast<char*>(0xC0100000));
    equal("kernel jump: eip", seen.ip, 0xC0100000);

    commit([] { asm volatile("hlt"); });
    that("hlt: no address", seen.address == nullptr);
    equal("hlt: code", seen.code, SI_KERNEL);
    equal("hlt: vector", seen.trap, 13);

    sigset_t mask;
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    that("mask restored by siglongjmp", !sigismember(&mask, SIGSEGV));
    equal("handler ran once a fault", seen.count, 4);
}

void test_others() {
    using check::equal;
    handle(SIGFPE, jump_out);
    commit([] { asm volatile("divl %0" ::"r"(0), "a"(1), "d"(0)); });
    equal("divide: signal", seen.signal, SIGFPE);
    equal("divide: code", seen.code, FPE_INTDIV);
    equal("divide: address is eip", reinterpret_cast<unsigned>(seen.address), seen.ip);

    handle(SIGILL, skip_two_bytes);
    asm volatile("ud2");
    equal("undefined: skipped by the handler", seen.signal, SIGILL);
    equal("undefined: code", seen.code, ILL_ILLOPN);
    equal("undefined: address is eip", reinterpret_cast<unsigned>(seen.address), seen.ip);

    handle(SIGTRAP, note);
    unsigned after;
    asm volatile("int3\n1:\tmovl $1b, %0" : "=r"(after));
    equal("breakpoint: eip is after it", seen.ip, after);
    equal("breakpoint: vector", seen.trap, 3);
}

void test_repair() {
    handle(SIGSEGV, repair);
    page[7] = 42;
    check::equal("repaired and repeated", page[7], 42);
    mprotect(page, 4096, PROT_READ);
}

char* stack_low;
constexpr unsigned kStackBytes = 65536;

void on_other_stack(int signal, siginfo_t* info, void* context) {
    volatile char here = 0;
    note(signal, info, context);
    bool inside = &here >= stack_low && &here < stack_low + kStackBytes;
    stack_t now;
    sigaltstack(nullptr, &now);
    _exit(inside && now.ss_flags == SS_ONSTACK ? 7 : 8);
}

int recurse(volatile int* above) {
    volatile int frame[256];
    frame[0] = *above + 1;
    return frame[0] < 0 ? 0 : recurse(frame) + frame[0];
}

void test_overrun() {
    check::exits("stack overrun handled on another stack", 7, [] {
        stack_low = static_cast<char*>(malloc(kStackBytes));
        stack_t stack = {.ss_sp = stack_low, .ss_flags = 0, .ss_size = kStackBytes};
        if (sigaltstack(&stack, nullptr) != 0) return 9;
        handle(SIGSEGV, on_other_stack, SA_ONSTACK);
        volatile int bottom = 0;
        return recurse(&bottom);
    });
}

}  // namespace

int main() {
    page = static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    check::equal("fresh page reads as zero", *const_cast<volatile char*>(page), 0);
    test_segv();
    test_others();
    test_repair();
    test_overrun();
    return check::done();
}
