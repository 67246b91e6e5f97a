// System calls as the machine sees them: one `int $0x80` each, no libc between, so that a figure
// counts the kernel's instructions and a handful of ours.
// Spec: Linux i386 calls: %eax number; %ebx %ecx %edx %esi %edi %ebp; %eax result or -errno.
#pragma once
#include <stdint.h>

enum {
    kExit = 1,
    kFork = 2,
    kRead = 3,
    kWrite = 4,
    kOpen = 5,
    kClose = 6,
    kUnlink = 10,
    kExecve = 11,
    kLseek = 19,
    kGetpid = 20,
    kMount = 21,
    kPtrace = 26,
    kKill = 37,
    kMkdir = 39,
    kRmdir = 40,
    kPipe = 42,
    kIoctl = 54,
    kGetppid = 64,
    kMunmap = 91,
    kWait4 = 114,
    kYield = 158,
    kSigaction = 174,
    kIpc = 117,
    kClone = 120,
    kMmap2 = 192,
    kFutex = 240,
    kInotifyInit = 291,
    kInotifyAddWatch = 292,
    kSocketpair = 360,
};

static inline long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

static inline long call4(long number, long a, long b, long c, long d) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d)
                     : "memory");
    return result;
}

static inline long call5(long number, long a, long b, long c, long d, long e) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory");
    return result;
}

// System V's multiplexer: the fifth argument is a pointer.
static inline long ipc(long what, long first, long second, long third, long pointer) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "0"(kIpc), "b"(what), "c"(first), "d"(second), "S"(third), "D"(pointer)
                     : "memory");
    return result;
}

// Anonymous, private, readable and writable; the sixth argument travels in %ebp, which C may own.
static inline char* map_pages(unsigned bytes) {
    long result;
    __asm__ volatile("pushl %%ebp\n\txorl %%ebp, %%ebp\n\tint $0x80\n\tpopl %%ebp"
                     : "=a"(result)
                     : "0"(kMmap2), "b"(0), "c"(bytes), "d"(3), "S"(0x22), "D"(-1)
                     : "memory");
    return (char*)result;
}

static inline uint64_t now(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

// Does OPERATION (an expression) COUNT times; its value is the ticks that took.
#define TICKS_OF(count, operation)               \
    ({                                           \
        uint64_t start_ = now();                 \
        for (unsigned i = 0; i < (count); i++) { \
            (void)(operation);                   \
            __asm__ volatile("" : "+r"(i));      \
        }                                        \
        (int64_t)(now() - start_);               \
    })
#define COST_OF(count, operation) (TICKS_OF(count, operation) - TICKS_OF(count, 0))
