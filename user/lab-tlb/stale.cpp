// Two pages of this process change places in its page tables, and no TLB, or only this CPU's, is
// told. What is read then is what the TLB remembers, not what the tables say.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "kernel/uapi/page_walk.h"
#include "user/lab-tlb/lab.hpp"
#include "user/lab/command.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-tlb stale [--json]\n"
    "Two pages of this process, A and B, change places in its page table, and no TLB is told "
    "(/proc/tlb);\n"
    "on several CPUs also: only this one's is. What A reads then is what the TLB remembers.\n"
    "    # lab-tlb stale\n"
    "    moment                           CPU  frame in the table  A reads\n"
    "    A holds 1111, B 2222               0  07de6                  1111\n"
    "    exchanged, the TLB is not told     0  07de5                  1111  stale\n"
    "    after INVLPG                       0  07de5                  2222\n";
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

void note(lab::Table& table, const char* moment, int cpu, unsigned frame, unsigned read,
          unsigned wanted) {
    char text[16];
    snprintf(text, sizeof text, "%05x", frame);
    table.row({moment, cpu, text, read, lab::Cell(read == wanted ? "" : "stale", read != wanted)});
}
[[noreturn]] void nothing_stale() {
    lab::fail("in %u tries nothing stale was read: this TLB forgets quickly", kTries);
}

// On one CPU. The entry is gone if another process ran in between: then once more.
void alone(lab::Table& table) {
    const std::string command = exchange("none");
    for (unsigned attempt = 1; attempt <= kTries; ++attempt) {
        order("flush", 5);
        prepare();
        const unsigned before = frame_by_table(0);
        prepare();
        if (!order(command)) lab::fail("/proc/tlb: exchange: %s", strerror(errno));
        const unsigned seen = pages[0], after = frame_by_table(0);
        order("flush", 5);
        const unsigned flushed = pages[0];
        if (seen != 1111) continue;
        note(table, "A holds 1111, B 2222", 0, before, 1111, 1111);
        note(table, "exchanged, the TLB is not told", 0, after, seen, 2222);
        return note(table, "after INVLPG", 0, after, flushed, 2222);
    }
    nothing_stale();
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

void together(lab::Table& table) {
    pin(0);
    pthread_t reader;
    if (const int error = pthread_create(&reader, nullptr, watch, nullptr))
        lab::fail("a thread: %s", strerror(error));
    const std::string command = exchange("here");
    bool shown = false;
    for (unsigned attempt = 1; attempt <= kTries && !shown; ++attempt) {
        order("flush", 5);
        prepare();
        seen_there();
        if (!order(command)) lab::fail("/proc/tlb: exchange: %s", strerror(errno));
        const unsigned here = pages[0], there = seen_there(), frame = frame_by_table(0);
        order("flush", 5);
        const unsigned there_after = seen_there();
        shown = there == 1111;
        if (!shown) continue;
        note(table, "exchanged, only CPU 0 is told", 0, frame, here, 2222);
        note(table, "exchanged, only CPU 0 is told", 1, frame, there, 2222);
        note(table, "after the shoot-down", 1, frame, there_after, 2222);
    }
    over = true;
    pthread_join(reader, nullptr);
    if (!shown) nothing_stale();
}

}  // namespace

int show_stale(int argc, char** argv) {
    bool json = false;
    if (!lab::Command(kHelp).flag("--json", json).parse(argc, argv).empty())
        lab::refuse("stale takes no words; see --help");
    pages = static_cast<unsigned*>(
        mmap(nullptr, 2 * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    const int cpus = CPU_COUNT(&set);
    lab::Table table({{"moment", "moment"},
                      {"cpu", "CPU"},
                      {"frame", "frame in the table"},
                      {"read", "A reads"},
                      {"stale", ""}});
    alone(table);
    if (cpus > 1) together(table);
    if (!json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-tlb stale")
        .add("input", lab::Object().add("cpus", cpus))
        .add("rows", table.rows())
        .print();
    return 0;
}
