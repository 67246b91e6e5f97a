// lab-segments: what the segment hardware of a PC still does, by local descriptors (modify_ldt).
// QEMU's translator does not look at limits and rights when data is accessed; processors and Bochs do.
// What the machine lets pass is said, and the check is then made by LSL and VERW as an interpreter
// would.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "kernel/uapi/page_walk.h"
#include "user/lab-segments/segments.hpp"
#include "user/lab/command.hpp"
#include "user/lab/json.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-segments [--json] [protection] [paged] [demand]     (all of them without words)\n"
    "protection  limits, rights and types: what the processor refuses, and as which exception\n"
    "paged       a segment on top of paging: both translations of one address\n"
    "demand      a segment that is not there: #NP, brought in by a handler, the instruction "
    "repeated.\n"
    "            The segment table is shown after each access: P in memory. (The handler "
    "is the\n"
    "            program's: Linux has no call by which a kernel could be told what a segment "
    "holds.)\n"
    "QEMU makes no check of data accesses: what it lets pass is named; Bochs and processors refuse "
    "it.\n"
    "    # lab-segments protection\n"
    "    ...\n"
    "    read   07:0000000c  44\n"
    "    read   07:00000010  55: beyond the limit; this machine doesn't check, LSL does\n"
    "    ...\n"
    "    call+  17           #GP, error 14: SIGSEGV\n"
    "    ...\n"
    "    data segments: this machine checks neither limit nor right (as QEMU does not; Bochs: #GP "
    "for both)\n"
    "    code, stack and loads of selectors: checked\n";

bool json;
std::vector<lab::Object> rows;
const char* part = "";

// A line for people; for programs what was tried, where, and what came of it.
void say(const char* what, const std::string& where, const std::string& result) {
    rows.push_back(lab::Object()
                       .add("part", part)
                       .add("access", what)
                       .add("where", where)
                       .add("result", result));
    if (!json) std::printf("%-6s %-11s  %s\n", what, where.c_str(), result.c_str());
}
void note(const std::string& text) {
    if (!json) std::puts(text.c_str());
}
template <typename... Args>
std::string text_of(const char* format, Args... args) {
    char text[160];
    std::snprintf(text, sizeof text, format, args...);
    return text;
}

unsigned words[8] = {11, 22, 33, 44, 55, 66, 77, 88};
constexpr unsigned kLimit = 15;  // the first four
extern "C" const char lab_far_code[], lab_far_end[];
asm("lab_far_code: movl $77, %eax\n lret\nlab_far_end:");

unsigned checked, passed;  // accesses to data that had to be refused

void read_word(unsigned segment, unsigned offset) {
    unsigned value = 0;
    const Fault fault = attempt([&] {
        load_fs(segment);
        value = read_fs(offset);
    });
    const int limit = limit_of(segment);
    const bool inside = limit >= 0 && offset + 3 <= static_cast<unsigned>(limit);
    if (!inside) ++(fault.signal ? checked : passed);
    const std::string result =
        fault.signal
            ? text(fault)
            : std::to_string(value) +
                  (inside ? "" : ": beyond the limit; this machine doesn't check, LSL does");
    say("read", text_of("%02x:%08x", segment, offset), result);
}

void write_word(unsigned segment) {
    const Fault fault = attempt([&] {
        load_fs(segment);
        write_fs(0, 11);
    });
    const bool allowed = may_write(segment);
    if (!allowed) ++(fault.signal ? checked : passed);
    const std::string result =
        fault.signal ? text(fault)
        : allowed    ? "done"
                     : "done: a read-only segment; this machine doesn't check, VERW does";
    say("write", text_of("%02x:%08x", segment, 0), result);
}

template <typename Action>
void expect_fault(const char* what, unsigned segment, Action action) {
    const Fault fault = attempt(action);
    say(what, text_of("%02x", segment), fault.signal ? text(fault) : "allowed");
}

void protection() {
    note("-- protection: segment 0 is 4 words, 1 the same read-only, 2 code, 3 not present");
    install({.entry = 0, .base = address_of(words), .limit = kLimit});
    install({.entry = 1, .base = address_of(words), .limit = kLimit, .writable = false});
    install({.entry = 2,
             .base = address_of(lab_far_code),
             .limit = static_cast<unsigned>(lab_far_end - lab_far_code) - 1,
             .code = true});
    install({.entry = 3, .base = 0, .limit = 0, .present = false});
    note(text_of("limits by LSL: %d %d %d %d", limit_of(selector(0)), limit_of(selector(1)),
                 limit_of(selector(2)), limit_of(selector(3))));
    read_word(selector(0), 12);
    read_word(selector(0), 16);
    write_word(selector(0));
    write_word(selector(1));
    unsigned returned = 0;
    const Fault refused = attempt([&] { returned = far_call(selector(2), 0); });
    // An emulator may take its stack accesses for the kernel's: SMAP.
    say("call", text_of("%02x:%08x", selector(2), 0),
        refused.signal ? text(refused) : text_of("returned %u", returned));
    expect_fault("call+", selector(2), [] { far_call(selector(2), 64); });  // beyond its limit
    expect_fault("call", selector(0), [] { far_call(selector(0), 0); });
    expect_fault("stack", selector(1), [] { load_ss(selector(1)); });
    expect_fault("load", selector(3), [] { load_fs(selector(3)); });
    expect_fault("load", selector(99), [] { load_fs(selector(99)); });
    expect_fault("load", 0x13, [] { load_fs(0x13); });  // the kernel's data
    note(checked ? "data segments: this machine checks limit and right, as processors do"
                 : "data segments: this machine checks neither limit nor right (as QEMU does not; "
                   "Bochs: #GP for both)");
    note("code, stack and loads of selectors: checked");
}

// --- paged segments

void translate(unsigned index, unsigned base, unsigned offset) {
    const unsigned linear = base + offset;
    page_walk walk = {};
    const int file = open("/proc/self/page_walk", O_RDONLY);
    pread(file, &walk, sizeof walk, static_cast<off_t>(linear >> 12) * 16);
    close(file);
    const unsigned physical = (walk.lower & ~4095u) | (linear & 4095);
    note(text_of("%02x:%08x  base %08x + %08x = linear %08x", selector(index), offset, base, offset,
                 linear));
    note(text_of("             linear %08x = directory %u, table %u, offset %03x", linear,
                 linear >> 22, linear >> 12 & 1023, linear & 4095));
    note(text_of("             PDE %08x, PTE %08x: physical %08x", walk.upper, walk.lower,
                 physical));
    rows.push_back(lab::Object()
                       .add("part", part)
                       .add("base", base)
                       .add("offset", offset)
                       .add("linear", linear)
                       .add("directory", linear >> 22)
                       .add("table", linear >> 12 & 1023)
                       .add("pte", walk.lower)
                       .add("physical", physical));
}

void paged() {
    note("-- paged: one segment over two pages: linear addresses go on, frames are where they are");
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
    note(text_of("read %02x:%08x = %u, by the linear address %u", selector(4), 0x1000 - 0x100,
                 read_fs(0x1000 - 0x100), memory[1024]));
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
    note(text_of("#NP %02x: segment %u is brought in", fault.error, which));
    for (unsigned i = 0; i < kWords; ++i) memory_of[which][i] = 1000 * which + i;
    install({.entry = index, .base = address_of(memory_of[which]), .limit = kWords * 4 - 1});
    return true;
}

// The segment table, as the processor has it: P in memory.
std::string segment_table() {
    std::string text;
    for (unsigned i = 0; i < kSegments; ++i)
        text += text_of("%s%u:%s", i ? " " : "", i, is_present(kFirst + i) ? "P" : "-");
    return text;
}

void demand() {
    note("-- demand: 4 segments of a program, none of them present");
    for (unsigned i = 0; i < kSegments; ++i)
        install({.entry = kFirst + i, .base = 0, .limit = 0, .present = false});
    on_fault(bring_in);
    for (const unsigned segment : {2u, 0u, 2u, 3u, 0u}) {
        const unsigned before = faults;
        load_fs(selector(kFirst + segment));
        const unsigned value = read_fs(4 * 7);
        const std::string table = segment_table();
        note(text_of("read segment %u: %u", segment, value));
        note("             " + table);
        rows.push_back(lab::Object()
                           .add("part", part)
                           .add("segment", segment)
                           .add("value", value)
                           .add("fault", faults != before)
                           .add("table", table));
    }
    on_fault(nullptr);
    load_fs(0);
    note(text_of("%u faults for 5 accesses to %u segments; segment 1 was never needed", faults, 3));
}

struct Section {
    const char* name;
    void (*run)();
} constexpr kSections[] = {{"protection", protection}, {"paged", paged}, {"demand", demand}};

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const std::vector<std::string> chosen =
        lab::Command(kHelp).flag("--json", json).parse(argc, argv);
    for (const std::string& word : chosen)
        lab::one_of("a part", word, {"protection", "paged", "demand"});
    catch_faults();
    for (const Section& section : kSections)
        if (chosen.empty() || std::ranges::find(chosen, section.name) != chosen.end()) {
            part = section.name;
            section.run();
        }
    if (json)
        lab::Object()
            .add("lab", "lab-segments")
            .add("input", lab::Object().add("parts", chosen))
            .add("data_checked", passed == 0)
            .add("rows", rows)
            .print();
    return 0;
}
