// lab-semaphore VALUE OPERATION...: the record semaphore's rules (kernel/sync/semaphore_core.hpp), step
// by step: P by process 1, 2, 3 ... and V, each with the value after it, who waits, and who goes on.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>

#include "kernel/sync/semaphore_core.hpp"
#include "user/lab/setting.hpp"

namespace {

struct Processes {
    using Entry = int;  // 0: nobody
    std::deque<int> waiting;
    void push(Entry who) { waiting.push_back(who); }
    Entry pop() {
        if (waiting.empty()) return 0;
        const Entry first = waiting.front();
        waiting.pop_front();
        return first;
    }
    unsigned size() const { return static_cast<unsigned>(waiting.size()); }
};

}  // namespace

int main(int argc, char* argv[]) {
    char* end = nullptr;
    const long value = argc > 1 ? strtol(argv[1], &end, 10) : -1;
    bool wrong = argc < 3 || *end || value < 0 || value > 1000;
    for (int i = 2; i < argc; ++i) wrong |= strcmp(argv[i], "P") != 0 && strcmp(argv[i], "V") != 0;
    if (wrong) {
        fputs("usage: lab-semaphore VALUE P|V ...    (VALUE from 0 to 1000)\n", stderr);
        return 2;
    }
    SemaphoreCore<Processes> semaphore(static_cast<int>(value));
    int process = 0;
    for (int i = 2; i < argc; ++i) {
        std::string what;
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", "step " + std::to_string(i - 1));
        if (*argv[i] == 'P') {
            const bool goes_on = semaphore.p(++process);
            what = "P" + std::to_string(process) + (goes_on ? " goes-on" : " waits");
        } else {
            const int woken = semaphore.v();
            what = woken ? "V wakes-" + std::to_string(woken) : "V wakes-nobody";
        }
        printf("%-14s value %2d waiting %u\n", what.c_str(), semaphore.value(),
               semaphore.waiting());
    }
}
