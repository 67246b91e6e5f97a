// Two pages of this process change places in its page tables, and no TLB, or only this CPU's, is
// told. What is read then is what the TLB remembers, not what the tables say.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "kernel/uapi/page_walk.h"
#include "user/lab-tlb/lab.hpp"

namespace {

constexpr unsigned kTries = 200, kPageBytes = 4096;
volatile unsigned* pages;  // two: the first holds 1111, the second 2222 to begin with

// No allocation, no output: as little as possible may happen between the exchange and the read.
bool order(const char* command, size_t length) {
    static const int file = open("/proc/tlb", O_WRONLY);
    return write(file, command, length) == static_cast<ssize_t>(length);
}
bool order(const std::string& command) { return order(command.data(), command.size()); }
std::string exchange(const char* whom) {
    const auto at = reinterpret_cast<unsigned>(pages);
    return "exchange " + std::to_string(at) + " " + std::to_string(at + kPageBytes) + " " + whom;
}

unsigned frame_by_table(unsigned page) {
    page_walk walk = {};
    const int file = open("/proc/self/page_walk", O_RDONLY);
    const auto at = reinterpret_cast<unsigned>(pages) + page * kPageBytes;
    pread(file, &walk, sizeof walk, static_cast<off_t>(at >> 12) * 16);
    close(file);
    return walk.lower >> 12;
}

void prepare() {
    pages[0] = 1111;
    pages[kPageBytes / 4] = 2222;
}

// On one CPU. The entry is gone if another process ran in between: then once more.
bool alone() {
    const std::string command = exchange("none");
    for (unsigned attempt = 1; attempt <= kTries; ++attempt) {
        order("flush", 5);
        prepare();
        const unsigned before = frame_by_table(0);
        prepare();
        if (!order(command)) return std::perror("lab-tlb: exchange"), false;
        const unsigned seen = pages[0], after = frame_by_table(0), later = pages[0];
        order("flush", 5);
        const unsigned flushed = pages[0];
        if (seen != 1111) continue;
        std::printf("page A holds 1111 in frame %05x, page B 2222\n", before);
        std::printf("A and B change places in the page table; the TLB isn't told\n");
        std::printf("A by the page table: frame %05x. A as read: %u, the TLB's (stale)\n", after,
                    seen);
        if (later == 1111) std::printf("and again: %u\n", later);
        std::printf("A after INVLPG: %u\n", flushed);
        return flushed == 2222;
    }
    std::printf("in %u tries nothing stale was read: this TLB forgets quickly\n", kTries);
    return false;
}

// --- two CPUs

std::atomic<unsigned> watched{0}, rounds{0};
std::atomic<bool> over{false};

void pin(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}
void* watch(void*) {
    pin(1);
    while (!over) {
        watched = pages[0];
        rounds = rounds + 1;
    }
    return nullptr;
}
unsigned seen_there() {  // by a read that began after the call
    const unsigned from = rounds;
    while (rounds - from < 100) sched_yield();
    return watched;
}

bool together() {
    pin(0);
    pthread_t reader;
    if (pthread_create(&reader, nullptr, watch, nullptr)) return false;
    const std::string command = exchange("here");
    bool shown = false;
    for (unsigned attempt = 1; attempt <= kTries && !shown; ++attempt) {
        order("flush", 5);
        prepare();
        seen_there();
        if (!order(command)) break;
        const unsigned here = pages[0], there = seen_there();
        order("flush", 5);
        const unsigned there_after = seen_there();
        if (there != 1111) continue;
        shown = here == 2222 && there_after == 2222;
        std::printf("two CPUs: CPU 0 exchanges A and B and flushes only its own TLB\n");
        std::printf("A as CPU 0 reads it: %u; as CPU 1 does: %u (stale)\n", here, there);
        std::printf("after the shoot-down CPU 1 reads %u\n", there_after);
    }
    over = true;
    pthread_join(reader, nullptr);
    return shown;
}

}  // namespace

int show_stale() {
    pages = static_cast<unsigned*>(
        mmap(nullptr, 2 * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    const bool one = alone();
    if (CPU_COUNT(&set) < 2) return one ? 0 : 1;
    return together() && one ? 0 : 1;
}
