// What a program may not do, done: each offence in a child of its own, which the kernel must end
// with the right signal while everything else goes on.
// Spec: Intel SDM vol. 3, 6.15 (exceptions); signal(7) for which signal each becomes.
#include <sys/mman.h>

#include "tests/guest/check.hpp"

namespace {

constexpr unsigned kKernel = 0xC0100000;

template <typename T = char>
volatile T* at(unsigned address) {
    asm("" : "+r"(address));  // so that the compiler cannot reason about it
    return reinterpret_cast<volatile T*>(address);
}

void jump_to(unsigned address) { asm volatile("jmp *%0" ::"r"(address)); }

struct Offence {
    const char* name;
    int signal;
    void (*commit)();
};

void overrun_stack(volatile char* above) {
    volatile char frame[1024];
    frame[0] = *above;
    if (frame[0] != *above) return;  // never, but the compiler cannot know
    overrun_stack(frame);
    frame[1] = 0;  // keeps the call from becoming a loop
}

void write_own_text() { *at<char>(reinterpret_cast<unsigned>(&overrun_stack)) = 0; }

void write_own_constant() {
    static const char text[] = "a constant";
    *at<char>(reinterpret_cast<unsigned>(&text)) = 0;
}

char* map_page(int protection) {
    void* page = mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? nullptr : static_cast<char*>(page);
}

// Moves the stack pointer to ADDRESS and makes call NUMBER, which takes its frame from there.
void call_with_stack(unsigned address, int number) {
    asm volatile("movl %0, %%esp\n\tint $0x80" ::"r"(address), "a"(number));
}

void sigreturn_from(int number, int fill) {
    static char frame[4096];
    memset(frame, fill, sizeof frame);
    call_with_stack(reinterpret_cast<unsigned>(frame), number);
}

constexpr int kSigreturn = 119, kRtSigreturn = 173;

const Offence kOffences[] = {
    {"read null", SIGSEGV, [] { (void)*at(0); }},
    {"write null", SIGSEGV, [] { *at(0) = 1; }},
    {"call null", SIGSEGV, [] { jump_to(0); }},
    {"read kernel memory", SIGSEGV, [] { (void)*at(kKernel); }},
    {"write kernel memory", SIGSEGV, [] { *at(kKernel) = 1; }},
    {"jump into kernel memory", SIGSEGV, [] { jump_to(kKernel); }},
    {"read the first kernel byte", SIGSEGV, [] { (void)*at(0xC0000000); }},
    {"read the last byte", SIGSEGV, [] { (void)*at(0xFFFFFFFF); }},
    {"read across the top", SIGSEGV, [] { (void)*at<int>(0xFFFFFFFE); }},
    {"write own text", SIGSEGV, write_own_text},
    {"write own constant", SIGSEGV, write_own_constant},
    {"write read-only mapping", SIGSEGV, [] { *(volatile char*)map_page(PROT_READ) = 1; }},
    {"read mapping without access", SIGSEGV, [] { (void)*(volatile char*)map_page(PROT_NONE); }},
    {"read unmapped page", SIGSEGV,
     [] {
         char* page = map_page(PROT_READ);
         munmap(page, 4096);
         (void)*(volatile char*)page;
     }},
    {"overrun the stack", SIGSEGV, [] { overrun_stack(reinterpret_cast<volatile char*>(&errno)); }},

    {"divide by zero", SIGFPE, [] { asm volatile("divl %0" ::"r"(0), "a"(1), "d"(0)); }},
    {"overflow a quotient", SIGFPE,
     [] { asm volatile("idivl %0" ::"r"(-1), "a"(1u << 31), "d"(-1)); }},
    {"undefined opcode", SIGILL, [] { asm volatile("ud2"); }},
    {"breakpoint", SIGTRAP, [] { asm volatile("int3"); }},
    {"trap flag", SIGTRAP, [] { asm volatile("pushfl; orl $0x100, (%esp); popfl; nop; nop"); }},
    {"overflow trap", SIGSEGV, [] { asm volatile("int $4"); }},
    {"bound", SIGSEGV,
     [] {
         static const int limits[2] = {0, 1};
         asm volatile("boundl %0, %1" ::"r"(2), "m"(limits));
     }},

    {"hlt", SIGSEGV, [] { asm volatile("hlt"); }},
    {"cli", SIGSEGV, [] { asm volatile("cli"); }},
    {"sti", SIGSEGV, [] { asm volatile("sti"); }},
    {"in", SIGSEGV,
     [] {
         asm volatile("inb $0x60, %%al" ::: "eax");
     }},
    {"out", SIGSEGV, [] { asm volatile("outb %al, $0x80"); }},
    {"in by dx", SIGSEGV, [] { asm volatile("inl %%dx, %%eax" ::"d"(0xCF8)
                                            : "eax"); }},
    {"read cr3", SIGSEGV,
     [] {
         asm volatile("movl %%cr3, %%eax" ::: "eax");
     }},
    {"write cr3", SIGSEGV, [] { asm volatile("movl %0, %%cr3" ::"r"(0)); }},
    {"write cr0", SIGSEGV, [] { asm volatile("movl %0, %%cr0" ::"r"(0)); }},
    {"debug register", SIGSEGV, [] { asm volatile("movl %0, %%db0" ::"r"(0)); }},
    {"lidt", SIGSEGV, [] { asm volatile("lidt (%0)" ::"r"(&kOffences)); }},
    {"lgdt", SIGSEGV, [] { asm volatile("lgdt (%0)" ::"r"(&kOffences)); }},
    {"ltr", SIGSEGV, [] { asm volatile("ltr %w0" ::"r"(0x28)); }},
    {"invlpg", SIGSEGV, [] { asm volatile("invlpg (%0)" ::"r"(&kOffences)); }},
    {"rdmsr", SIGSEGV, [] { asm volatile("rdmsr" ::"c"(0x10)
                                         : "eax", "edx"); }},
    {"wrmsr", SIGSEGV, [] { asm volatile("wrmsr" ::"c"(0x174), "a"(0), "d"(0)); }},
    {"clts", SIGSEGV, [] { asm volatile("clts"); }},

    {"kernel data selector", SIGSEGV, [] { asm volatile("movl %0, %%ds" ::"r"(0x10)); }},
    {"kernel code by far return", SIGSEGV, [] { asm volatile("pushl $8; pushl $0; lret"); }},
    {"kernel code by iret", SIGSEGV, [] { asm volatile("pushfl; pushl $8; pushl $0; iret"); }},
    {"selector beyond the table", SIGSEGV, [] { asm volatile("movl %0, %%es" ::"r"(0xFFF3)); }},
    {"interrupt gate of the clock", SIGSEGV, [] { asm volatile("int $0x20"); }},
    {"double fault gate", SIGSEGV, [] { asm volatile("int $8"); }},
    {"page fault gate", SIGSEGV, [] { asm volatile("int $14"); }},
    {"last gate", SIGSEGV, [] { asm volatile("int $0xFF"); }},

    {"sigreturn from zeros", SIGSEGV, [] { sigreturn_from(kSigreturn, 0); }},
    {"sigreturn from ones", SIGSEGV, [] { sigreturn_from(kSigreturn, 0xFF); }},
    {"rt_sigreturn from zeros", SIGSEGV, [] { sigreturn_from(kRtSigreturn, 0); }},
    {"rt_sigreturn from ones", SIGSEGV, [] { sigreturn_from(kRtSigreturn, 0xFF); }},
    {"sigreturn from null", SIGSEGV, [] { call_with_stack(0, kSigreturn); }},
    {"sigreturn from the kernel", SIGSEGV, [] { call_with_stack(kKernel, kSigreturn); }},
    {"rt_sigreturn across the top", SIGSEGV, [] { call_with_stack(0xFFFFFFF0, kRtSigreturn); }},
    {"signal on a bad stack", SIGSEGV,
     [] {
         signal(SIGFPE, [](int) { _exit(0); });
         asm volatile("movl %0, %%esp\n\tdivl %%ecx" ::"r"(kKernel), "a"(1), "d"(0), "c"(0));
     }},
    {"fault with SIGSEGV blocked", SIGSEGV,
     [] {
         sigset_t set;
         sigfillset(&set);
         sigprocmask(SIG_SETMASK, &set, nullptr);
         (void)*at(0);
     }},
    {"fault with SIGSEGV ignored", SIGSEGV,
     [] {
         signal(SIGSEGV, SIG_IGN);
         (void)*at(0);
     }},
    {"fault in its handler", SIGSEGV,
     [] {
         signal(SIGSEGV, [](int) { (void)*at(4); });
         (void)*at(0);
     }},
};

// State that a program may set, and that the kernel must not be hurt by on its way in.

int call_with_flags(unsigned flags) {
    int result;
    asm volatile("pushfl\n\tpushfl\n\torl %1, (%%esp)\n\tpopfl\n\tint $0x80\n\tpopfl"
                 : "=a"(result)
                 : "r"(flags), "0"(20));
    return result;
}

// getcwd() copies a string: with the direction flag set, an unprepared kernel copies it backwards.
int getcwd_with_direction_flag(char* buffer, unsigned size) {
    int result;
    asm volatile("std\n\tint $0x80\n\tcld"
                 : "=a"(result)
                 : "0"(183), "b"(buffer), "c"(size)
                 : "memory");
    return result;
}

int call_without_data_segments() {
    int result;
    asm volatile(
        "pushl %%ds\n\tpushl %%es\n\tmovl %1, %%ds\n\tmovl %1, %%es\n\tint $0x80\n\t"
        "popl %%es\n\tpopl %%ds"
        : "=a"(result)
        : "r"(0), "0"(20));
    return result;
}

int call_without_stack() {
    int result;
    asm volatile("movl %%esp, %%esi\n\txorl %%esp, %%esp\n\tint $0x80\n\tmovl %%esi, %%esp"
                 : "=a"(result)
                 : "0"(20)
                 : "esi");
    return result;
}

unsigned flags_after_setting(unsigned set, unsigned clear) {
    unsigned flags;
    asm volatile(
        "pushfl\n\tpopl %0\n\torl %1, %0\n\tandl %2, %0\n\tpushl %0\n\tpopfl\n\t"
        "pushfl\n\tpopl %0"
        : "=&r"(flags)
        : "r"(set), "r"(~clear));
    return flags;
}

void test_hostile_state() {
    constexpr unsigned kInterrupt = 1 << 9, kDirection = 1 << 10, kIopl = 3 << 12,
                       kNestedTask = 1 << 14;
    check::exits("call with nested-task flag", 0,
                 [] { return call_with_flags(kNestedTask) != getpid(); });
    check::exits("call with direction flag", 0, [] {
        char buffer[64] = "";
        return chdir("/") || getcwd_with_direction_flag(buffer, sizeof buffer) != 2 ||
               strcmp(buffer, "/") != 0 || call_with_flags(kDirection) != getpid();
    });
    check::exits("call without data segments", 0,
                 [] { return call_without_data_segments() != getpid(); });
    check::exits("call without a stack", 0, [] { return call_without_stack() != getpid(); });
    check::exits("popf leaves IOPL and IF alone", 0, [] {
        unsigned flags = flags_after_setting(kIopl, kInterrupt);
        return (flags & kIopl) != 0 || (flags & kInterrupt) == 0;
    });
}

}  // namespace

int main() {
    for (const Offence& offence : kOffences)
        check::killed(offence.name, offence.signal, [&] {
            offence.commit();
            return 0;
        });
    test_hostile_state();
    return check::done();
}
