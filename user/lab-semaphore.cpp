// lab-semaphore: the record semaphore's rules (kernel/sync/semaphore_core.hpp), step
// by step: P by process 1, 2, 3 ... and V, each with the value after it, who waits, and who goes on.
#include <cstdio>

#include "kernel/sync/semaphore_core.hpp"
#include "user/lab/command.hpp"
#include "user/lab/entry_queue.hpp"
#include "user/lab/json.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-semaphore VALUE P|V... | VALUE --random N [--seed S] [--json]\n"
    "A record semaphore that begins with VALUE (0 to 1000). P is by process 1, 2, 3...; below 0, "
    "as "
    "many\n"
    "wait as the value says.\n"
    "    # lab-semaphore 1 P P V V\n"
    "    P1 goes-on     value  0 waiting 0\n"
    "    P2 waits       value -1 waiting 1\n"
    "    V wakes-2      value  0 waiting 0\n"
    "    V wakes-nobody value  1 waiting 0\n";

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    long count = 0, seed = 1;
    std::vector<std::string> words =
        lab::Command(kHelp).random(count, 100'000, seed).flag("--json", json).parse(argc, argv);
    if (words.empty() || (words.size() == 1) == !count)
        lab::refuse("wants VALUE and operations, like 1 P P V; or VALUE --random N; see --help");
    const long value = lab::number("VALUE", words[0], 0, 1000);
    words.erase(words.begin());
    lab::Random random(seed);
    for (long i = 0; i < count; ++i) words.push_back(random.chance(55) ? "P" : "V");
    SemaphoreCore<lab::EntryQueue> semaphore(static_cast<int>(value));
    std::vector<lab::Object> rows;
    int process = 0;
    for (const std::string& operation : words) {
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", "step " + std::to_string(rows.size() + 1));
        std::string what;
        if (lab::one_of("an operation", operation, {"P", "V"}) == "P") {
            const bool goes_on = semaphore.p(++process);
            what = "P" + std::to_string(process) + (goes_on ? " goes-on" : " waits");
        } else {
            const int woken = semaphore.v();
            what = woken ? "V wakes-" + std::to_string(woken) : "V wakes-nobody";
        }
        const int now = semaphore.value();
        const unsigned waiting = semaphore.waiting();
        lab::Object row;
        rows.push_back(row.add("operation", what).add("value", now).add("waiting", waiting));
        if (!json) printf("%-14s value %2d waiting %u\n", what.c_str(), now, waiting);
    }
    if (!json) return 0;
    lab::Object()
        .add("lab", "lab-semaphore")
        .add("input", lab::Object().add("value", value).add("operations", words))
        .add("rows", rows)
        .print();
}
