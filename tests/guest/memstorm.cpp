// Storms of mmap, munmap, fork and exec leave nothing behind: no frame, no promise, no region, no
// heap. And fork of a large process copies page tables only.
// run: --mem 280
// needs: wing
#include <spawn.h>
#include <sys/mman.h>

#include <fstream>
#include <vector>

#include "check.hpp"

using namespace check;

namespace {

constexpr unsigned kPage = 4096, kRounds = 1000;

long meminfo(const char* name) {
    std::ifstream from("/proc/meminfo");
    std::string word;
    while (from >> word)
        if (word == name) {
            long value;
            from >> value;
            return value;
        }
    return -1;
}

struct Figures {
    long free, promised, slab;
    int regions;
};
Figures figures() {
    const int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    write(fd, "3", 1);
    close(fd);
    std::ifstream maps("/proc/self/maps");
    int regions = 0;
    for (std::string line; std::getline(maps, line);) ++regions;
    return {meminfo("MemFree:"), meminfo("Committed_AS:"), meminfo("Slab:"), regions};
}

char* map(unsigned pages, int flags = MAP_PRIVATE) {
    void* memory =
        mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) needs("mmap", -1);
    return static_cast<char*>(memory);
}

void storm(const char* self) {
    for (unsigned i = 0; i < kRounds; ++i) {
        const unsigned pages = 1 + i % 37;
        char* memory = map(pages, i % 3 ? MAP_PRIVATE : MAP_SHARED);
        for (unsigned p = 0; p < pages; p += 3) memory[p * kPage] = 'm';
        if (i % 5 == 0) mprotect(memory + pages / 2 * kPage, kPage, PROT_READ);
        const pid_t child = fork();
        if (child == 0) {
            for (unsigned p = 0; p < pages / 2; p += 2) memory[p * kPage] = 'c';
            if (i % 4) _exit(0);
            execl(self, self, "leave", nullptr);
            _exit(1);
        }
        unsigned length = pages * kPage;
        if (i % 7 == 0 && i % 5) {  // one region still
            memory = static_cast<char*>(mremap(memory, length, length + 5 * kPage, MREMAP_MAYMOVE));
            if (memory == MAP_FAILED) needs("mremap", -1);
            length += 5 * kPage;
        }
        int status = 1;
        if (waitpid(child, &status, 0) != child || status) needs("child", -1);
        munmap(memory, length);
    }
}

void test_storm(const char* self) {
    storm(self);  // the first fills caches that stay
    const Figures before = figures();
    storm(self);
    const Figures after = figures();
    // What caches keep at hand differs by a few pages.
    that("frames", before.free - after.free < 64 * 4);
    equal("promises", after.promised, before.promised);
    that("heap", after.slab - before.slab < 16 * 4);
    equal("regions", after.regions, before.regions);
}

void test_large_fork() {
    constexpr unsigned kPages = 200u << 8;
    char* memory = map(kPages);
    for (unsigned i = 0; i < kPages; ++i) memory[i * kPage] = 1;
    const long before = meminfo("MemFree:");
    Gate go, ready;
    const pid_t child = start([&] {
        ready.pass();
        go.wait();
        return 0;
    });
    ready.wait();
    const long used = before - meminfo("MemFree:");
    that("fork of 200 MiB takes page tables only", used < 1024);
    go.pass();
    wait_for(child);
    munmap(memory, kPages * kPage);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) return 0;
    test_storm(argv[0]);
    test_large_fork();
    return done();
}
