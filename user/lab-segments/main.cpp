// lab-segments: what the segment hardware of a PC still does, by local descriptors (modify_ldt).
//   lab-segments [protection] [paged] [demand]      all of them without arguments
// protection  limits, rights and types: what the processor refuses, and as which exception
// paged       a segment on top of paging: both translations of one address
// demand      a segment that is not there: #NP, brought in by a handler, the instruction repeated
// QEMU's translator does not look at limits and rights when data is accessed; processors do. What the
// machine lets pass is said, and the check is then made by LSL and VERW as an interpreter would.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "kernel/uapi/page_walk.h"
#include "user/lab-segments/segments.hpp"

namespace {

unsigned words[8] = {11, 22, 33, 44, 55, 66, 77, 88};
constexpr unsigned kLimit = 15;  // the first four
extern "C" const char lab_far_code[], lab_far_end[];
asm("lab_far_code: movl $77, %eax\n lret\nlab_far_end:");

void read_word(unsigned segment, unsigned offset) {
    std::printf("read   %02x:%08x  ", segment, offset);
    unsigned value = 0;
    const Fault fault = attempt([&] {
        load_fs(segment);
        value = read_fs(offset);
    });
    if (fault.signal) return print(fault);
    const int limit = limit_of(segment);
    const bool inside = limit >= 0 && offset + 3 <= static_cast<unsigned>(limit);
    std::printf("%u%s\n", value,
                inside ? "" : ": beyond the limit; this machine doesn't check, LSL does");
}

void write_word(unsigned segment) {
    std::printf("write  %02x:%08x  ", segment, 0);
    const Fault fault = attempt([&] {
        load_fs(segment);
        write_fs(0, 11);
    });
    if (fault.signal) return print(fault);
    std::printf("%s\n", may_write(segment)
                            ? "done"
                            : "done: a read-only segment; this machine doesn't check, VERW does");
}

template <typename Action>
void expect_fault(const char* what, unsigned segment, Action action) {
    std::printf("%-6s %02x           ", what, segment);
    const Fault fault = attempt(action);
    fault.signal ? print(fault) : static_cast<void>(std::puts("allowed"));
}

void protection() {
    std::puts("-- protection: segment 0 is 4 words, 1 the same read-only, 2 code, 3 not present");
    install({.entry = 0, .base = address_of(words), .limit = kLimit});
    install({.entry = 1, .base = address_of(words), .limit = kLimit, .writable = false});
    install({.entry = 2,
             .base = address_of(lab_far_code),
             .limit = static_cast<unsigned>(lab_far_end - lab_far_code) - 1,
             .code = true});
    install({.entry = 3, .base = 0, .limit = 0, .present = false});
    std::printf("limits by LSL: %d %d %d %d\n", limit_of(selector(0)), limit_of(selector(1)),
                limit_of(selector(2)), limit_of(selector(3)));
    read_word(selector(0), 12);
    read_word(selector(0), 16);
    write_word(selector(0));
    write_word(selector(1));
    std::printf("call   %02x:%08x  ", selector(2), 0);
    unsigned returned = 0;
    const Fault refused = attempt([&] { returned = far_call(selector(2), 0); });
    if (refused.signal)
        print(refused);  // an emulator may take its stack accesses for the kernel's: SMAP
    else
        std::printf("returned %u\n", returned);
    expect_fault("call+", selector(2), [] { far_call(selector(2), 64); });  // beyond its limit
    expect_fault("call", selector(0), [] { far_call(selector(0), 0); });
    expect_fault("stack", selector(1), [] { load_ss(selector(1)); });
    expect_fault("load", selector(3), [] { load_fs(selector(3)); });
    expect_fault("load", selector(99), [] { load_fs(selector(99)); });
    expect_fault("load", 0x13, [] { load_fs(0x13); });  // the kernel's data
}

// --- paged segments

void translate(unsigned index, unsigned base, unsigned offset) {
    const unsigned linear = base + offset;
    page_walk walk = {};
    const int file = open("/proc/self/page_walk", O_RDONLY);
    pread(file, &walk, sizeof walk, static_cast<off_t>(linear >> 12) * 16);
    close(file);
    std::printf("%02x:%08x  base %08x + %08x = linear %08x\n", selector(index), offset, base,
                offset, linear);
    std::printf("             linear %08x = directory %u, table %u, offset %03x\n", linear,
                linear >> 22, linear >> 12 & 1023, linear & 4095);
    std::printf("             PDE %08x, PTE %08x: physical %08x\n", walk.upper, walk.lower,
                (walk.lower & ~4095u) | (linear & 4095));
}

void paged() {
    std::puts(
        "-- paged: one segment over two pages: linear addresses go on, frames are where they are");
    constexpr unsigned kBytes = 8192, kPlace = 0x20000000;
    auto* memory =
        static_cast<unsigned*>(mmap(reinterpret_cast<void*>(kPlace), kBytes, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    memory[1024] = 4242;
    memory[0] = 1;
    const unsigned base = kPlace + 0x100;
    install({.entry = 4, .base = base, .limit = kBytes - 0x100 - 1});
    translate(4, base, 0);
    translate(4, base, 0x1000 - 0x100);
    load_fs(selector(4));
    std::printf("read %02x:%08x = %u, by the linear address %u\n", selector(4), 0x1000 - 0x100,
                read_fs(0x1000 - 0x100), memory[1024]);
}

// --- demand segmentation

constexpr unsigned kFirst = 8, kSegments = 4, kWords = 256;
unsigned memory_of[kSegments][kWords];
volatile unsigned faults;

// What a system with segments on demand does at #NP: finds out which segment, reads it in (here: the
// word i of segment s is 1000 s + i), marks it present, and lets the instruction run again.
bool bring_in(const Fault& fault) {
    const unsigned index = fault.error >> 3, which = index - kFirst;
    if (fault.vector != kNotPresentVector || which >= kSegments) return false;
    faults = faults + 1;
    std::printf("#NP %02x: segment %u is brought in\n", fault.error, which);
    for (unsigned i = 0; i < kWords; ++i) memory_of[which][i] = 1000 * which + i;
    install({.entry = index, .base = address_of(memory_of[which]), .limit = kWords * 4 - 1});
    return true;
}

void demand() {
    std::puts("-- demand: 4 segments of a program, none of them present");
    for (unsigned i = 0; i < kSegments; ++i)
        install({.entry = kFirst + i, .base = 0, .limit = 0, .present = false});
    on_fault(bring_in);
    for (const unsigned segment : {2u, 0u, 2u, 3u, 0u}) {
        load_fs(selector(kFirst + segment));
        std::printf("read segment %u: %u\n", segment, read_fs(4 * 7));
    }
    on_fault(nullptr);
    load_fs(0);
    std::printf("%u faults for 5 accesses to %u segments; segment 1 was never needed\n", faults, 3);
}

struct Part {
    std::string_view name;
    void (*run)();
} constexpr kParts[] = {{"protection", protection}, {"paged", paged}, {"demand", demand}};

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    catch_faults();
    for (int i = 1; i < argc; ++i)
        if (std::none_of(std::begin(kParts), std::end(kParts),
                         [&](const Part& part) { return part.name == argv[i]; })) {
            std::fputs("usage: lab-segments [protection] [paged] [demand]\n", stderr);
            return 2;
        }
    for (const Part& part : kParts)
        if (argc == 1 ||
            std::any_of(argv + 1, argv + argc, [&](const char* name) { return part.name == name; }))
            part.run();
}
