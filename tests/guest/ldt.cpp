// modify_ldt: local descriptors of a process, and what bad selectors do to it: a signal, never more.
// The emulator's translator ignores limits, rights and null selectors of data segments while they
// are used; all that is checked when a selector is loaded or called through is checked here.
// Spec: modify_ldt(2); struct user_desc; Intel SDM vol. 3A, 3.4, 5.2-5.8, 6.15 (#NP, #SS, #GP).
#include <asm/ldt.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>

#include <initializer_list>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

unsigned words[4] = {11, 22, 33, 44};

int modify(int function, void* memory, unsigned bytes) {
    return syscall(SYS_modify_ldt, function, memory, bytes);
}

user_desc data_segment(unsigned entry, const void* base, unsigned limit, bool present = true) {
    user_desc d = {};
    d.entry_number = entry;
    d.base_addr = unsigned(base);
    d.limit = limit;
    d.seg_32bit = 1;
    d.seg_not_present = !present;
    return d;
}
int install(user_desc d) { return modify(0x11, &d, sizeof d); }
constexpr unsigned selector(unsigned entry) { return entry * 8 + 7; }

void load_fs(unsigned value) { asm volatile("movl %0, %%fs" ::"r"(value) : "memory"); }
unsigned stored_fs() {
    unsigned value;
    asm volatile("movl %%fs, %0" : "=r"(value));
    return value & 0xffff;
}
unsigned read_fs(unsigned offset) {
    unsigned value;
    asm volatile("movl %%fs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
}
int limit_of(unsigned of) {  // as LSL tells; -1: no such segment
    unsigned limit;
    bool valid;
    asm volatile("lsl %2, %0; setz %1" : "=&r"(limit), "=q"(valid) : "r"(of) : "cc");
    return valid ? int(limit) : -1;
}

void test_reading() {
    unsigned char table[80];
    memset(table, 0xee, sizeof table);
    equal("without a table reading gives nothing", modify(0, table, sizeof table), 0);
    equal("and touches nothing", table[0], 0xee);
    equal("the default table", modify(2, table, sizeof table), 40);
    that("is zero", table[0] == 0 && table[39] == 0 && table[40] == 0xee);
    succeeds("an entry", install(data_segment(3, words, 15)));
    equal("a read gives what is asked for", modify(0, table, sizeof table), 80);
    unsigned long long third;
    memcpy(&third, table + 24, 8);
    const unsigned base = unsigned(words);
    const unsigned long long wanted = 0x0040'f300'0000'000full | (base & 0xffffffull) << 16 |
                                      (unsigned long long)(base >> 24) << 56;
    equal("the entry, as the processor has it", third, wanted);
    that("the others are zero", table[16] == 0 && table[79] == 0);
    equal("part of it", modify(0, table, 12), 12);
    equal("a large buffer is cut", modify(0, nullptr, 0), 0);
}

void test_errors() {
    user_desc d = data_segment(0, words, 15);
    fails("no such function", modify(3, &d, sizeof d), ENOSYS);
    fails("nor another", modify(0x10, &d, sizeof d), ENOSYS);
    fails("a wrong size", modify(0x11, &d, sizeof d - 1), EINVAL);
    fails("the old way too", modify(1, &d, 0), EINVAL);
    fails("a bad pointer", modify(0x11, (void*)0xc0000000, sizeof d), EFAULT);
    fails("a bad buffer", modify(0, (void*)0xc0000000, 64), EFAULT);
    fails("and for the defaults", modify(2, (void*)0xc0000000, 64), EFAULT);
    d.entry_number = 8192;
    fails("an entry too many", install(d), EINVAL);
    d.entry_number = 8191;
    succeeds("the last one", install(d));
    equal("is there", limit_of(selector(8191)), 15);
    d = data_segment(4, words, 15);
    d.contents = 3;
    fails("a conforming code segment", install(d), EINVAL);
    d.seg_not_present = 1;
    succeeds("unless it isn't present", install(d));
    fails("not even then the old way", modify(1, &d, sizeof d), EINVAL);
    d = data_segment(4, nullptr, 0);
    succeeds("base and limit 0 make a segment", install(d));
    equal("of one byte", limit_of(selector(4)), 0);
    succeeds("but the old way", modify(1, &d, sizeof d));
    equal("remove it", limit_of(selector(4)), -1);
}

void test_use() {
    load_fs(selector(3));
    equal("through the segment", read_fs(8), 33);
    sched_yield();
    equal("after a call it is still loaded", stored_fs(), selector(3));
    equal("and works", read_fs(4), 22);
    succeeds("with another base", install(data_segment(3, words + 1, 11)));
    equal("it goes by that", read_fs(0), 22);
    equal("and has its limit", limit_of(selector(3)), 11);
    user_desc none = {};
    none.entry_number = 3;
    none.read_exec_only = none.seg_not_present = 1;
    succeeds("removing it", install(none));
    equal("unloads it", stored_fs(), 0);
}

// --- faults

sigjmp_buf back;
volatile int seen_signal, seen_trap, seen_error;
volatile unsigned library_gs;

void jump_back(int signal, siginfo_t*, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    seen_signal = signal;
    seen_trap = registers[REG_TRAPNO];
    seen_error = registers[REG_ERR];
    siglongjmp(back, 1);
}

void handle(void (*handler)(int, siginfo_t*, void*), int flags = 0) {
    static char stack[65536];
    stack_t alternate = {stack, 0, sizeof stack};
    sigaltstack(&alternate, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | flags;
    for (int signal : {SIGSEGV, SIGBUS, SIGILL}) sigaction(signal, &action, nullptr);
}

// Where the emulator's answer is not the manual's (#SS for a stack, error 0 beyond a limit).
constexpr int kAny = -1;
constexpr int kNotPresent = 11, kStack = 12, kProtection = 13;

template <typename Body>
void raises(std::string_view name, int signal, int trap, int error, Body body) {
    seen_signal = 0;
    if (!sigsetjmp(back, 1)) body();
    equal(std::string(name) + ": signal", seen_signal, signal);
    if (trap != kAny) equal(std::string(name) + ": vector", seen_trap, trap);
    if (error != kAny) equal(std::string(name) + ": error code", seen_error, error);
}

void load_ss(unsigned value) {
    asm volatile("movl %%ss, %%ecx; movl %0, %%ss; movl %%ecx, %%ss" ::"r"(value) : "ecx");
}
void far_call(unsigned to, unsigned offset) {
    const struct {
        unsigned offset;
        unsigned short selector;
    } pointer = {offset, (unsigned short)to};
    asm volatile("lcall *%0" ::"m"(pointer) : "eax", "memory");
}
extern "C" const char far_code[];
asm("far_code: movl $77, %eax\n lret");

void test_loading() {
    handle(jump_back);
    install(data_segment(5, words, 15, false));
    raises("not present", SIGBUS, kNotPresent, 0x2c, [] { load_fs(selector(5)); });
    raises("a stack not present", SIGBUS, kStack, 0x2c, [] { load_ss(selector(5)); });
    raises("beyond the table", SIGSEGV, kProtection, 0x60, [] { load_fs(0x63); });
    raises("the kernel's data", SIGSEGV, kProtection, 0x10, [] { load_fs(0x13); });
    raises("the task's state", SIGSEGV, kProtection, 0x28, [] { load_fs(0x2b); });
    raises("the local table's own", SIGSEGV, kProtection, 0x58, [] { load_fs(0x5b); });
    user_desc d = data_segment(6, words, 15);
    d.read_exec_only = 1;
    install(d);
    raises("a stack that can't be written", SIGSEGV, kProtection, 0x34,
           [] { load_ss(selector(6)); });
    raises("a call into data", SIGSEGV, kProtection, 0x34, [] { far_call(selector(6), 0); });
    d = data_segment(7, far_code, 15);
    d.contents = 2;
    d.read_exec_only = 1;
    install(d);
    far_call(selector(7), 0);
    that("a far call and return", true);
    raises("code that can't be read", SIGSEGV, kProtection, 0x3c, [] { load_fs(selector(7)); });
    raises("a call beyond the limit", SIGSEGV, kProtection, kAny,
           [] { far_call(selector(7), 16); });
}

// A handler returns with selectors that the program doesn't have.
volatile unsigned wanted_cs, wanted_ss;
volatile int returns;
void return_elsewhere(int signal, siginfo_t* info, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    if (signal != SIGUSR1) return jump_back(signal, info, context);
    returns = returns + 1;
    registers[REG_CS] = wanted_cs;
    registers[REG_SS] = wanted_ss;
}

void test_returning() {
    handle(return_elsewhere);
    struct sigaction action = {};
    action.sa_sigaction = return_elsewhere;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, nullptr);
    unsigned cs, ss;
    asm("movl %%cs, %0; movl %%ss, %1" : "=r"(cs), "=r"(ss));
    auto returning = [&](std::string_view name, unsigned new_cs, unsigned new_ss, int signal,
                         int trap, int error) {
        wanted_cs = new_cs;
        wanted_ss = new_ss;
        raises(name, signal, trap, error, [] { raise(SIGUSR1); });
    };
    returning("return to no segment", 0, ss, SIGSEGV, kProtection, 0);
    returning("return to the kernel's code", 8, ss, SIGSEGV, kProtection, 8);
    returning("return to data", ss, ss, SIGSEGV, kProtection, ss & ~3);
    returning("return beyond the table", 0x63, ss, SIGSEGV, kProtection, 0x60);
    returning("return to no stack", cs, 0, SIGSEGV, kProtection, 0);
    returning("return to the kernel's stack", cs, 0x10, SIGSEGV, kProtection, 0x10);
    returning("return to a stack not present", cs, selector(5), SIGBUS, kAny, 0x2c);
    user_desc d = data_segment(8, nullptr, 0xfffff, false);
    d.contents = 2;
    d.limit_in_pages = 1;
    install(d);
    returning("return to code not present", selector(8), ss, SIGBUS, kNotPresent, 0x44);
    d.seg_not_present = 0;
    install(d);
    wanted_cs = selector(8);
    const int before = returns;
    raise(SIGUSR1);
    unsigned now;
    asm volatile("movl %%cs, %0" : "=r"(now));
    equal("return to a code segment of our own", now & 0xffff, selector(8));
    wanted_cs = cs;
    raise(SIGUSR1);
    asm volatile("movl %%cs, %0" : "=r"(now));
    equal("and back", now & 0xffff, cs);
    equal("by two handlers", returns - before, 2);
}

// Demand segmentation: the handler makes the segment present, and the load is repeated.
volatile int brought_in;
void bring_in(int, siginfo_t*, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    brought_in = brought_in + 1;
    words[2] = 333;
    install(data_segment(registers[REG_ERR] >> 3, words, 15));
}
void test_demand() {
    handle(bring_in);
    install(data_segment(9, nullptr, 0, false));
    load_fs(selector(9));
    equal("a segment on demand", read_fs(8), 333);
    equal("by one fault", brought_in, 1);
    load_fs(0);
}

// --- who shares the table

void test_fork() {
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    install(data_segment(10, words, 15));
    exits("a child has a copy", 0, [] {
        if (limit_of(selector(10)) != 15) return 1;
        install(data_segment(10, words, 7));
        return limit_of(selector(10)) == 7 ? 0 : 2;
    });
    equal("of its own", limit_of(selector(10)), 15);
    killed("a bad selector kills", SIGSEGV, [] {
        load_fs(0x13);
        return 0;
    });
    killed("so does one not present", SIGBUS, [] {
        load_fs(selector(5));
        return 0;
    });
    exits("a new program has none", 0, [] {
        execl("/proc/self/exe", "ldt", "empty", nullptr);
        return 1;
    });
}

volatile bool stop;
void* watch(void* seen) {
    // No system call here: the table must come to this CPU by itself.
    while (!stop)
        if (limit_of(selector(11)) == 23) *static_cast<volatile int*>(seen) = 1;
    return nullptr;
}
void test_threads() {
    TakingTurns turns;
    pthread_t thread;
    int seen = 0;
    needs("thread", pthread_create(&thread, nullptr, watch, &seen) ? -1 : 0);
    for (int i = 0; i < 200; ++i) {
        install(data_segment(11, words, i % 2 ? 7 : 15));
        if (i % 20 == 0) sched_yield();
    }
    install(data_segment(11, words, 23));
    for (int i = 0; i < 100000 && !*static_cast<volatile int*>(&seen); ++i) sched_yield();
    stop = true;
    pthread_join(thread, nullptr);
    equal("a thread sees what another installs", seen, 1);
}

}  // namespace

int main(int argc, char**) {
    if (argc > 1) return modify(0, words, sizeof words) != 0 || limit_of(selector(10)) != -1;
    test_reading();
    test_errors();
    test_use();
    test_loading();
    test_returning();
    test_demand();
    test_fork();
    test_threads();
    return done();
}
