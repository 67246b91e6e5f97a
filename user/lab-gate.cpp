// lab-gate: gates as the kernel makes them (kernel/arch/gate.hpp), by value: nothing is installed. What
// may be entered from ring 3 is tried by lab-traps int=VECTOR.
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "kernel/arch/gate.hpp"
#include "user/lab/command.hpp"
#include "user/lab/json.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-gate [--json] TYPE:PRIVILEGE:SELECTOR:OFFSET|VECTOR...\n"
    "TYPE is task, interrupt or trap; PRIVILEGE 0 to 3; SELECTOR and OFFSET in hexadecimal: the "
    "gate, as\n"
    "its 64 bits. VECTOR, 0 to 255: the privilege that the kernel gives to that gate.\n"
    "    # lab-gate interrupt:0:8:c0101234 128\n"
    "    interrupt 0 0008 c0101234  c0108e0000081234\n"
    "    vector 128  3\n";

unsigned long hexadecimal(const char* what, const std::string& text, unsigned long most) {
    char* end = nullptr;
    const unsigned long value = std::strtoul(text.c_str(), &end, 16);
    if (!std::isxdigit(static_cast<unsigned char>(text[0])) || *end || text.size() > 8 ||
        value > most)
        lab::refuse("%s is a number from 0 to %lx; not '%s'", what, most, text.c_str());
    return value;
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    const auto words = lab::Command(kHelp).flag("--json", json).parse(argc, argv);
    if (words.empty())
        lab::refuse("wants gates or vectors, like interrupt:0:8:c0101234; see --help");
    std::vector<lab::Object> rows;
    for (const std::string& word : words) {
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", "gate " + word);
        if (word.find(':') == word.npos) {
            const long vector = lab::number("VECTOR", word, 0, 255);
            const unsigned privilege = gate_privilege(static_cast<uint32_t>(vector));
            rows.push_back(lab::Object().add("vector", vector).add("privilege", privilege));
            if (!json) std::printf("vector %-4ld %u\n", vector, privilege);
            continue;
        }
        const std::vector<std::string> parts = lab::split(word, ":");
        if (parts.size() != 4) lab::refuse("a gate has four parts; not '%s'", word.c_str());
        const std::string name = lab::one_of("TYPE", parts[0], {"task", "interrupt", "trap"});
        const GateType type = name == "task"        ? GateType::task
                              : name == "interrupt" ? GateType::interrupt
                                                    : GateType::trap;
        const long privilege = lab::number("PRIVILEGE", parts[1], 0, 3);
        const unsigned long selector = hexadecimal("SELECTOR", parts[2], 0xffff),
                            offset = hexadecimal("OFFSET", parts[3], 0xffffffff);
        char bits[20];
        std::snprintf(
            bits, sizeof bits, "%016llx",
            static_cast<unsigned long long>(gate_descriptor(
                type, static_cast<uint32_t>(privilege), static_cast<uint16_t>(selector), offset)));
        rows.push_back(lab::Object().add("gate", word).add("bits", bits));
        if (!json)
            std::printf("%-9s %ld %04lx %08lx  %s\n", name.c_str(), privilege, selector, offset,
                        bits);
    }
    if (json) lab::Object().add("lab", "lab-gate").add("rows", rows).print();
}
