// Who had the CPU when, from the kernel's trace in its binary form (kernel/trace/reader.hpp): lines of
// text up to an empty one, then events of 32 bytes. A turn is from one switch of a CPU to the next.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "user/lab-sched/lab.hpp"

namespace {

struct Event {
    uint64_t tsc;
    uint8_t type, cpu;
    uint16_t unused;
    int32_t tid;  // of the thread that ran
    uint32_t args[4];
};
static_assert(sizeof(Event) == 32);

struct Head {
    unsigned kilohertz = 1, text = 0, state = 0, change = 0;
    unsigned long long origin = 0;

    // As the kernel's monotonic clock counts (kernel/sched/clock.cpp).
    int64_t nanoseconds(uint64_t tsc) const {
        constexpr unsigned kShift = 22;
        const uint64_t factor = (1'000'000ull << kShift) / kilohertz, cycles = tsc - origin;
        const uint64_t low = (cycles & 0xffffffff) * factor, high = (cycles >> 32) * factor;
        return static_cast<int64_t>((low >> kShift) + (high << (32 - kShift)));
    }
};

Head read_head(std::istream& trace) {
    Head head;
    for (std::string line; std::getline(trace, line) && !line.empty();) {
        std::istringstream words(line);
        std::string what, category, name;
        unsigned number;
        words >> what;
        if (what == "tsc_khz") words >> head.kilohertz >> name >> head.origin;
        if (what != "event" || !(words >> number >> category >> name)) continue;
        if (name == "text") head.text = number;
        if (name == "state") head.state = number;
        if (name == "switch") head.change = number;
    }
    return head;
}

}  // namespace

std::vector<CpuTurn> read_turns(int64_t since) {
    std::ifstream trace("/proc/trace_raw", std::ios::binary);
    const Head head = read_head(trace);
    if (!trace) fail(1, "the kernel's trace cannot be read");
    std::vector<CpuTurn> turns;
    CpuTurn running[256] = {};  // on each CPU
    std::map<uint32_t, std::string> texts;
    std::map<int, bool> over;  // by thread: its quantum is
    bool whole = false;        // an older switch is still there, so that none is lost since then
    for (Event e; trace.read(reinterpret_cast<char*>(&e), sizeof e);) {
        if (e.type == head.text) {  // before its first use
            const auto* characters = reinterpret_cast<const char*>(&e.args[1]);
            texts[e.args[0]].assign(characters, strnlen(characters, 12));
        } else if (e.type == head.state) {
            over[static_cast<int>(e.args[0])] = texts[e.args[3]] == "quantum over";
        } else if (e.type == head.change) {
            const int64_t time = head.nanoseconds(e.tsc);
            whole |= time < since;
            CpuTurn& turn = running[e.cpu];
            if (turn.tid && turn.start >= since)
                turns.push_back({turn.tid, turn.start, time, over[turn.tid]});
            turn = {static_cast<int>(e.args[0]), time, 0, false};
        }
    }
    if (!whole) fail(1, "the run was longer than the kernel's trace of it");
    return turns;
}
