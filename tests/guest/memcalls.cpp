// Memory calls with bad input: misaligned, huge, wrapping, overlapping and unmapped ranges; a file
// cut short; limits; what is promised; locked memory; what /proc says of it all.
// needs: wing
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <vector>

#include "check.hpp"

using namespace check;

namespace {

constexpr unsigned kPage = 4096;
constexpr int kReadWrite = PROT_READ | PROT_WRITE, kOwn = MAP_PRIVATE | MAP_ANONYMOUS;
char* const kTop = reinterpret_cast<char*>(0xFFFFF000);
char* const kBeyond = reinterpret_cast<char*>(0xC0000000);

char* map(unsigned pages, int flags = kOwn, int protection = kReadWrite, int fd = -1) {
    return static_cast<char*>(mmap(nullptr, pages * kPage, protection, flags, fd, 0));
}
long raw(long call, const void* start, unsigned long length, long c = 0, long d = 0, long e = 0) {
    return syscall(call, start, length, c, d, e);
}

long figure(const char* file, const std::string& name) {
    std::ifstream from(file);
    for (std::string line; std::getline(from, line);) {
        std::istringstream words(line);
        std::string first;
        long value;
        if (words >> first >> value && first == name) return value;
    }
    return -1;
}

// Three pages: mapped, a hole, mapped.
char* with_hole() {
    char* memory = map(3);
    memset(memory, 'x', 3 * kPage);
    munmap(memory + kPage, kPage);
    return memory;
}

// Each call that takes a range, with ranges that it must refuse and survive.
void test_ranges() {
    char* memory = map(4);
    memset(memory, 'x', 4 * kPage);
    unsigned char vector[4];
    const long v = reinterpret_cast<long>(vector);
    struct {
        const char* name;
        long call, c;
        int misaligned, wrapping, beyond;
    } calls[] = {
        {"munmap", SYS_munmap, 0, EINVAL, EINVAL, EINVAL},
        {"mprotect", SYS_mprotect, PROT_READ, EINVAL, ENOMEM, ENOMEM},
        {"madvise", SYS_madvise, MADV_NORMAL, EINVAL, EINVAL, ENOMEM},
        {"msync", SYS_msync, MS_ASYNC, EINVAL, ENOMEM, ENOMEM},
        {"mincore", SYS_mincore, v, EINVAL, ENOMEM, ENOMEM},
        {"mlock", SYS_mlock, 0, 0, EINVAL, ENOMEM},
        {"munlock", SYS_munlock, 0, 0, EINVAL, ENOMEM},
    };
    for (const auto& [name, call, c, misaligned, wrapping, beyond] : calls) {
        const std::string which = name;
        if (misaligned) fails(which + " off a page", raw(call, memory + 1, kPage, c), misaligned);
        fails(which + " around the end", raw(call, memory, 0xFFFFFFFF, c), wrapping);
        fails(which + " of the kernel", raw(call, kBeyond, kPage, c), beyond);
        const long last = raw(call, kTop, kPage, c);
        that(which + " of the last page", last < 0 && (errno == beyond || errno == wrapping));
    }
    that("nothing was changed", memory[0] == 'x' && memory[4 * kPage - 1] == 'x');
    munmap(memory, 4 * kPage);
}

void test_holes() {
    char* memory = with_hole();
    unsigned char vector[3];
    fails("mincore over a hole", mincore(memory, 3 * kPage, vector), ENOMEM);
    fails("mlock over a hole", mlock(memory, 3 * kPage), ENOMEM);
    fails("munlock over a hole", munlock(memory, 3 * kPage), ENOMEM);
    fails("msync over a hole", msync(memory, 3 * kPage, MS_SYNC), ENOMEM);
    fails("mremap over a hole",
          mremap(memory, 3 * kPage, 4 * kPage, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0, EFAULT);
    fails("madvise over a hole", madvise(memory, 3 * kPage, MADV_DONTNEED), ENOMEM);
    that("and yet it drops the rest", memory[0] == 0 && memory[2 * kPage] == 0);
    succeeds("mincore of a page", mincore(memory, kPage, vector));
    equal("it is there", vector[0] & 1, 1);
    fails("mincore to nowhere", mincore(memory, kPage, reinterpret_cast<unsigned char*>(8)),
          EFAULT);
    char* fresh = map(2);
    fresh[0] = 1;
    succeeds("mincore", mincore(fresh, 2 * kPage, vector));
    that("touched, and not yet", (vector[0] & 1) && !(vector[1] & 1));
    succeeds("msync of nothing", msync(fresh, 0, MS_SYNC));
    fails("msync both ways", msync(fresh, kPage, MS_SYNC | MS_ASYNC), EINVAL);
    fails("no such advice", madvise(fresh, kPage, 1234), EINVAL);
    succeeds("advice about nothing", madvise(fresh, 0, MADV_DONTNEED));
    munmap(fresh, 2 * kPage);
}

void test_remap() {
    auto refused = [](const char* name, int error, void* result) {
        fails(name, result == MAP_FAILED ? -1 : 0, error);
    };
    char* memory = map(4);
    memset(memory, 'r', 4 * kPage);
    const int kMove = MREMAP_MAYMOVE, kFixed = MREMAP_MAYMOVE | MREMAP_FIXED;
    refused("mremap off a page", EINVAL, mremap(memory + 1, kPage, kPage, 0));
    refused("to nothing", EINVAL, mremap(memory, kPage, 0, 0));
    refused("unknown flags", EINVAL, mremap(memory, kPage, kPage, 64));
    refused("fixed but not to be moved", EINVAL,
            mremap(memory, kPage, kPage, MREMAP_FIXED, memory));
    refused("onto itself", EINVAL, mremap(memory, 2 * kPage, 2 * kPage, kFixed, memory + kPage));
    refused("to an address off a page", EINVAL, mremap(memory, kPage, kPage, kFixed, memory + 1));
    refused("into the kernel", EINVAL, mremap(memory, kPage, kPage, kFixed, kBeyond));
    refused("huge", ENOMEM, mremap(memory, kPage, 0xB8000000, kMove));
    refused("unmapped", EFAULT, mremap(reinterpret_cast<void*>(0x20000), kPage, kPage * 2, kMove));
    char* guard = map(1, kOwn, PROT_NONE);
    refused("can't grow in place", ENOMEM, mremap(guard, kPage, 0x10000000, 0));
    char* moved = static_cast<char*>(mremap(memory, 4 * kPage, 8 * kPage, kMove));
    that("it grows",
         moved != MAP_FAILED && moved[4 * kPage - 1] == 'r' && moved[8 * kPage - 1] == 0);
    munmap(moved, 8 * kPage);
}

void test_files() {
    const int directory = open("/tmp", O_RDONLY | O_DIRECTORY);
    that("a directory", map(1, MAP_PRIVATE, PROT_READ, directory) == MAP_FAILED && errno == ENODEV);
    close(directory);
    const int fd = open("/tmp/short", O_RDWR | O_CREAT | O_TRUNC, 0600);
    needs("ftruncate", ftruncate(fd, 3 * kPage));
    char* shared = map(3, MAP_SHARED, kReadWrite, fd);
    memset(shared, 's', 3 * kPage);
    char* own = map(3, MAP_PRIVATE, kReadWrite, fd);
    own[2 * kPage] = 'o';
    fails("MADV_FREE of a file", madvise(shared, kPage, MADV_FREE), EINVAL);
    succeeds("MADV_WILLNEED", madvise(shared, 3 * kPage, MADV_WILLNEED));
    needs("ftruncate", ftruncate(fd, kPage + 10));
    auto reading = [](volatile char* at) { return WTERMSIG(status_of([=] { return *at * 0; })); };
    equal("cut off", reading(shared + 2 * kPage), SIGBUS);
    equal("its copy too", reading(own + 2 * kPage), SIGBUS);
    equal("the last page is there", reading(shared + kPage), 0);
    that("and ends in zeros", shared[kPage + 9] == 's' && shared[kPage + 10] == 0);
    needs("ftruncate", ftruncate(fd, 3 * kPage));
    that("longer again: zeros", shared[2 * kPage] == 0);
    munmap(shared, 3 * kPage);
    munmap(own, 3 * kPage);
    close(fd);
}

void test_locked() {
    char* memory = map(64);
    succeeds("mlock", mlock(memory + 10, kPage));
    equal("both pages that it touches", figure("/proc/self/status", "VmLck:"), 8);
    succeeds("munlock", munlock(memory, 64 * kPage));
    equal("VmLck", figure("/proc/self/status", "VmLck:"), 0);
    fails("mlockall of nothing", mlockall(0), EINVAL);
    fails("mlockall unknown", mlockall(64), EINVAL);
    fails("mlock2 unknown", syscall(SYS_mlock2, memory, kPage, 64), EINVAL);
    fails("mlock of what nobody may touch", mlock(map(1, kOwn, PROT_NONE), kPage), ENOMEM);
    succeeds("mlock", mlock(memory, kPage));
    fails("locked pages can't be dropped", madvise(memory, kPage, MADV_DONTNEED), EINVAL);
    fails("nor invalidated", msync(memory, kPage, MS_INVALIDATE), EBUSY);
    equal("a child has no locks",
          status_of([] { return figure("/proc/self/status", "VmLck:") == 0 ? 0 : 1; }), 0);
    equal("its limit", status_of([=] {
              const rlimit little = {16 * kPage, 16 * kPage}, none = {0, 0};
              if (setrlimit(RLIMIT_MEMLOCK, &little) || setuid(1000)) return 1;
              if (mlock(memory, 16 * kPage)) return 2;
              if (mlock(memory, 17 * kPage) != -1 || errno != ENOMEM) return 3;
              if (mlock(memory + 4 * kPage, 4 * kPage)) return 4;  // are already
              if (munlock(memory, 8 * kPage) || mlock(memory + 16 * kPage, 8 * kPage)) return 5;
              if (mmap(nullptr, kPage, PROT_READ, kOwn | MAP_LOCKED, -1, 0) != MAP_FAILED ||
                  errno != EAGAIN)
                  return 6;
              if (mlockall(MCL_CURRENT) != -1 || errno != ENOMEM) return 7;
              if (munlockall() || setrlimit(RLIMIT_MEMLOCK, &none)) return 8;
              return mlock(memory, kPage) == -1 && errno == EPERM ? 0 : 9;
          }),
          0);
    equal("mlockall", status_of([=] {
              if (mlockall(MCL_CURRENT | MCL_FUTURE)) return 1;
              unsigned char there[4] = {};
              char* future = map(4);
              if (mincore(future, 4 * kPage, there) || !(there[3] & 1)) return 2;
              return 0;
          }),
          0);
    munlockall();
    munmap(memory, 64 * kPage);
}

[[gnu::noinline]] int go_deep(unsigned pages) {
    volatile char here[kPage] = {1};
    return pages ? go_deep(pages - 1) + here[0] : 0;
}

void test_limits() {
    equal("RLIMIT_AS", status_of([] {
              const rlimit limit = {64u << 20, 64u << 20};
              setrlimit(RLIMIT_AS, &limit);
              if (map(0x8000000 / kPage) != MAP_FAILED || errno != ENOMEM) return 1;
              return map(256) != MAP_FAILED ? 0 : 2;
          }),
          0);
    equal("RLIMIT_DATA", status_of([] {
              const rlimit limit = {8u << 20, 8u << 20};
              setrlimit(RLIMIT_DATA, &limit);
              if (map(4096) != MAP_FAILED || errno != ENOMEM) return 1;
              if (syscall(SYS_brk, syscall(SYS_brk, 0) + (16 << 20)) != syscall(SYS_brk, 0))
                  return 2;
              return map(4096, kOwn, PROT_READ) != MAP_FAILED ? 0 : 3;
          }),
          0);
    killed("RLIMIT_STACK", SIGSEGV, [] {
        const rlimit limit = {256 << 10, 256 << 10};
        setrlimit(RLIMIT_STACK, &limit);
        return go_deep(256);
    });
}

bool set(const char* file, const char* value) {
    const int fd = open(file, O_WRONLY);
    const bool done = write(fd, value, strlen(value)) > 0;
    close(fd);
    return done;
}

void test_promises() {
    const char* rule = "/proc/sys/vm/overcommit_memory";
    const unsigned all = figure("/proc/meminfo", "MemTotal:") / 4;
    const long before = figure("/proc/meminfo", "Committed_AS:");
    char* memory = map(1024);
    equal("counted", figure("/proc/meminfo", "Committed_AS:") - before, 4096);
    mprotect(memory, 512 * kPage, PROT_READ);
    equal("not while it can't be written", figure("/proc/meminfo", "Committed_AS:") - before, 2048);
    munmap(memory, 1024 * kPage);
    equal("and no more", figure("/proc/meminfo", "Committed_AS:"), before);
    memory = map(512, MAP_SHARED | MAP_ANONYMOUS);
    equal("shared too", figure("/proc/meminfo", "Committed_AS:") - before, 2048);
    munmap(memory, 512 * kPage);
    fails("0: more than there is at once", map(2 * all) == MAP_FAILED ? -1 : 0, ENOMEM);
    memory = map(2 * all, kOwn | MAP_NORESERVE);
    that("but not if nothing is reserved", memory != MAP_FAILED);
    munmap(memory, 2 * all * kPage);
    that("1", set(rule, "1") && (memory = map(2 * all)) != MAP_FAILED);
    that("2 counts what was promised already", set(rule, "2") && map(64) == MAP_FAILED);
    munmap(memory, 2 * all * kPage);
    memory = map(64);
    that("but keeps its promises", memory != MAP_FAILED);
    munmap(memory, 64 * kPage);
    that("and exempts nobody", map(all, kOwn | MAP_NORESERVE) == MAP_FAILED && errno == ENOMEM);
    fails("no segment either", shmget(IPC_PRIVATE, all / 8 * 7 * kPage, 0600), ENOMEM);
    that("in kilobytes", set("/proc/sys/vm/overcommit_kbytes", " 8192") &&
                             figure("/proc/meminfo", "CommitLimit:") == 8192);
    that("or per cent", set("/proc/sys/vm/overcommit_ratio", "50") &&
                            figure("/proc/meminfo", "CommitLimit:") > 8192);
    that("back", set(rule, "0") && !set(rule, "3") && !set(rule, "x"));
}

void test_swap_calls() {
    fails("swapon of a file", swapon("/tmp/short", 0), EINVAL);
    fails("of a directory", swapon("/tmp", 0), EINVAL);
    fails("of nothing", swapon("/tmp/none", 0), ENOENT);
    fails("of a bad name", syscall(SYS_swapon, 8, 0), EFAULT);
    fails("swapoff of what is not", swapoff("/tmp/short"), EINVAL);
    fails("of nothing", swapoff("/tmp/none"), ENOENT);
    equal("and not for everybody", status_of([] {
              if (setuid(1000)) return 1;
              if (swapon("/dev/hda", 0) != -1 || errno != EPERM) return 2;
              return swapoff("/dev/hda") == -1 && errno == EPERM ? 0 : 3;
          }),
          0);
}

// Ten thousand regions: each call stays quick, and /proc lists them.
void test_many_regions() {
    constexpr unsigned kMany = 10000;
    char* memory = map(2 * kMany);
    int bad = 0;
    for (unsigned i = 0; i < kMany; ++i)
        bad += mprotect(memory + 2 * i * kPage, kPage, PROT_READ) != 0;
    std::ifstream maps("/proc/self/maps");
    unsigned lines = 0;
    for (std::string line; std::getline(maps, line);) ++lines;
    that("10,000 regions and as many gaps", !bad && lines >= 2 * kMany);
    for (unsigned i = 0; i < kMany; ++i) memory[(2 * i + 1) * kPage] = 1;
    for (unsigned i = 0; i < kMany; ++i) bad += munmap(memory + 2 * i * kPage, kPage) != 0;
    equal("all gone again", bad, 0);
    munmap(memory, 2 * kMany * kPage);
}

void test_proc() {
    char* memory = map(4);
    memory[0] = memory[kPage] = 1;
    uint64_t entries[4] = {};
    const int fd = open("/proc/self/pagemap", O_RDONLY);
    pread(fd, entries, sizeof entries, uintptr_t(memory) / kPage * 8);
    close(fd);
    that("pagemap", entries[0] >> 63 && entries[1] >> 63 && !entries[2] && !entries[3]);
    that("frames differ", (entries[0] ^ entries[1]) & ((1ull << 55) - 1));
    std::ifstream smaps("/proc/self/smaps");
    char wanted[20];
    snprintf(wanted, sizeof wanted, "%08lx-", reinterpret_cast<unsigned long>(memory));
    std::string line, size;
    while (std::getline(smaps, line) && !line.starts_with(wanted)) continue;
    bool rss = false, flags = false;
    for (int i = 0; i < 24 && std::getline(smaps, line); ++i) {
        if (line.starts_with("Private_Dirty:")) rss = strtol(line.c_str() + 14, nullptr, 10) >= 8;
        if (line.starts_with("VmFlags: rd wr")) flags = true;
    }
    that("smaps", rss && flags);
    munmap(memory, 4 * kPage);
    that("smaps_rollup", figure("/proc/self/smaps_rollup", "Rss:") > 100 &&
                             figure("/proc/self/smaps_rollup", "Private_Dirty:") >= 8);
    const long faults = figure("/proc/vmstat", "pgfault");
    memset(memory = map(100), 1, 100 * kPage);
    const long more = figure("/proc/vmstat", "pgfault") - faults;
    that("vmstat counts faults", more >= 100 && more < 200);
    munmap(memory, 100 * kPage);
    const long shared = figure("/proc/meminfo", "Shmem:");
    memset(memory = map(100, MAP_SHARED | MAP_ANONYMOUS), 1, 100 * kPage);
    equal("meminfo: shared memory", figure("/proc/meminfo", "Shmem:") - shared, 400);
    munmap(memory, 100 * kPage);
    equal("and when it is gone", figure("/proc/meminfo", "Shmem:"), shared);
    const int fd2 = open("/tmp/line\nbreak", O_RDWR | O_CREAT, 0600);
    memory = map(1, MAP_PRIVATE, PROT_READ, fd2);
    unlink("/tmp/line\nbreak");
    std::ifstream maps("/proc/self/maps");
    bool told = false;
    while (std::getline(maps, line)) told |= line.ends_with(" /tmp/line\\012break (deleted)");
    that("maps: a removed file on one line", told);
    munmap(memory, kPage);
    close(fd2);
}

// The limit holds to the end: what would need one region more fails and changes nothing.
void test_region_limit() {
    const char* most = "/proc/sys/vm/max_map_count";
    that("max_map_count", set(most, "100"));
    char* memory = map(400);
    unsigned made = 0;
    while (made < 200 && !mprotect(memory + 2 * made * kPage, kPage, PROT_READ)) ++made;
    (void)mprotect(memory + 399 * kPage, kPage,
                   PROT_READ);  // one more, if there is room for one and not two
    fails("not even a hole", munmap(memory + 200 * kPage, kPage), ENOMEM);
    set(most, "65530");
    that("as many regions as allowed", made > 20 && made < 50);
    munmap(memory, 400 * kPage);
}

}  // namespace

int main() {
    test_ranges();
    test_holes();
    test_remap();
    test_files();
    test_locked();
    test_limits();
    test_promises();
    test_swap_calls();
    test_many_regions();
    test_proc();
    test_region_limit();
    return done();
}
