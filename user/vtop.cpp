// vtop: virtual to physical, by the walk that the MMU does: CR3, the page directory's entry, the page
// table's entry, the frame.
//   vtop [--pid PID] ADDRESS...      addresses in hexadecimal; without a PID: of vtop itself
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "kernel/uapi/page_walk.h"

namespace {

constexpr uint32_t kPresent = 1, kWritable = 2, kUser = 4, kAccessed = 0x20, kDirty = 0x40,
                   kBig = 0x80, kGlobal = 0x100, kHeld = 0x200, kSwapped = 0x800;

[[noreturn]] void usage(int status) {
    std::fputs("usage: vtop [--pid PID] ADDRESS...\n", status ? stderr : stdout);
    std::exit(status);
}

std::string flags(uint32_t entry) {
    struct {
        uint32_t bit;
        const char *set, *clear;
    } static constexpr kNames[] = {{kPresent, "present", "not present"},
                                   {kWritable, "writable", "read-only"},
                                   {kUser, "user", "kernel"},
                                   {kAccessed, "accessed", nullptr},
                                   {kDirty, "dirty", nullptr},
                                   {kBig, "4 MiB", nullptr},
                                   {kGlobal, "global", nullptr}};
    std::string text;
    for (const auto& name : kNames)
        if (const char* word = entry & name.bit ? name.set : name.clear)
            text += std::string(text.empty() ? "" : ", ") + word;
    return text;
}

// Why the table's entry maps nothing.
const char* absent(uint32_t entry) {
    if (!entry) return "nothing yet: an access is a page fault";
    if (entry & kHeld) return "a frame that nobody may access (PROT_NONE)";
    return entry & kSwapped ? "not present: on swap" : "not present";
}

bool show(int file, uint32_t address) {
    page_walk walk;
    const off_t at = static_cast<off_t>(address >> 12) * static_cast<off_t>(sizeof walk);
    if (pread(file, &walk, sizeof walk, at) != static_cast<ssize_t>(sizeof walk)) {
        std::fprintf(stderr, "vtop: %08x: not yours to see\n", address);
        return false;
    }
    const uint32_t upper = address >> 22, lower = address >> 12 & 1023;
    std::printf("%08x = directory %u, table %u, offset %03x\n", address, upper, lower,
                address & 4095);
    std::printf("  CR3  %08x\n", walk.directory);
    std::printf("  PDE  %08x at %08x: ", walk.upper, walk.directory + upper * 4);
    if (!(walk.upper & kPresent)) {
        std::puts("no page table: an access is a page fault");
        return true;
    }
    const bool big = walk.upper & kBig;
    std::printf("%s %05x; %s\n", big ? "frames from" : "table in frame", walk.upper >> 12,
                flags(walk.upper).c_str());
    if (!big) {
        std::printf("  PTE  %08x at %08x: ", walk.lower, (walk.upper & ~4095u) + lower * 4);
        if (!(walk.lower & kPresent)) {
            std::puts(absent(walk.lower));
            return true;
        }
        std::printf("frame %05x; %s\n", walk.lower >> 12, flags(walk.lower & ~kBig).c_str());
    }
    std::printf("  physical %08x\n", walk.physical | (address & 4095));
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    std::string pid = "self";
    int first = 1;
    if (argc > 1 && !std::strcmp(argv[1], "--help")) usage(0);
    if (argc > 2 && !std::strcmp(argv[1], "--pid")) {
        pid = argv[2];
        first = 3;
    }
    if (first >= argc) usage(2);
    const int file = open(("/proc/" + pid + "/page_walk").c_str(), O_RDONLY);
    if (file < 0) {
        std::fprintf(stderr, "vtop: process %s: %s\n", pid.c_str(), std::strerror(errno));
        return 1;
    }
    bool all = true;
    for (int i = first; i < argc; ++i) {
        char* end;
        const unsigned long address = std::strtoul(argv[i], &end, 16);
        if (end == argv[i] || *end || std::strlen(argv[i]) > 10) usage(2);
        all &= show(file, static_cast<uint32_t>(address));
    }
    return all ? 0 : 1;
}
