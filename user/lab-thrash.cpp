// lab-thrash: what more programs at a time do to a machine's memory. N processes each use a set of
// pages over and over, with some computing for each page, for a few seconds; then it says what they
// got done, what part of the time the CPU computed for them, and how many pages came from swap.
//   lab-thrash [--degree N] [--pages P] [--work W] [--seconds S]
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace {

constexpr unsigned kWordsPerPage = 1024;

struct Shared {
    volatile bool stop;
    volatile unsigned long long pages[64];  // used, by each process
};

long vmstat(const std::string& name) {
    std::ifstream from("/proc/vmstat");
    std::string word;
    long value;
    while (from >> word >> value)
        if (word == name) return value;
    return 0;
}

// Seconds in which the CPU was in user mode.
double computed() {
    std::ifstream from("/proc/stat");
    std::string word;
    double ticks = 0;
    from >> word >> ticks;
    return ticks / 100;
}

double seconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void use_pages(Shared& shared, unsigned self, unsigned pages, unsigned work) {
    auto* memory = static_cast<volatile unsigned*>(
        mmap(nullptr, pages * 4096ul, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory == MAP_FAILED) _exit(1);
    unsigned seed = self;
    while (!shared.stop) {
        seed = seed * 1664525 + 1013904223;  // which page is next nobody can foresee
        volatile unsigned* page = memory + (seed >> 8) % pages * kWordsPerPage;
        for (unsigned i = 0; i < work && !shared.stop; ++i) page[i % kWordsPerPage] += i;
        ++shared.pages[self];
    }
    _exit(0);
}

unsigned option(int argc, char** argv, const char* name, unsigned value) {
    for (int i = 1; i + 1 < argc; ++i)
        if (std::strcmp(argv[i], name) == 0)
            return static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10));
    return value;
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned degree = option(argc, argv, "--degree", 4);
    const unsigned pages = option(argc, argv, "--pages", 768);
    const unsigned work = option(argc, argv, "--work", 20000);
    const unsigned wanted = option(argc, argv, "--seconds", 5);
    if (degree == 0 || degree > 64 || pages == 0 || (argc > 1 && argc % 2 == 0)) {
        std::fputs("usage: lab-thrash [--degree N] [--pages P] [--work W] [--seconds S]\n", stderr);
        return 2;
    }
    auto& shared = *static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    mlockall(MCL_CURRENT);  // the measuring process isn't measured
    const double start = seconds(), computed_before = computed();
    const long in = vmstat("pswpin"), suspended = vmstat("load_suspended");
    for (unsigned i = 0; i < degree; ++i)
        if (fork() == 0) use_pages(shared, i, pages, work);
    while (seconds() - start < wanted) usleep(100'000);
    const double elapsed = seconds() - start;
    const double busy = computed() - computed_before;
    const long faults = vmstat("pswpin") - in;
    unsigned long long done = 0, least = ~0ull;
    for (unsigned i = 0; i < degree; ++i) {
        done += shared.pages[i];
        if (shared.pages[i] < least) least = shared.pages[i];
    }
    shared.stop = true;
    for (unsigned i = 0; i < degree; ++i) wait(nullptr);
    std::printf(
        "degree %u: %.0f pages used a second, CPU %.0f %%, %.0f pages from swap a second, "
        "least %.1f, suspensions %ld\n",
        degree, static_cast<double>(done) / elapsed, 100 * busy / elapsed,
        static_cast<double>(faults) / elapsed, static_cast<double>(least) / elapsed,
        vmstat("load_suspended") - suspended);
    return 0;
}
