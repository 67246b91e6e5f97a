// lab-monitor: a monitor's rules (kernel/sync/monitor_core.hpp), step by step: threads 1, 2, 3 ... enter,
// wait and signal on conditions, and leave; each with who is inside because of it, and the queues after it.
#include <cstdio>
#include <cstring>
#include <map>

#include "kernel/sync/monitor_core.hpp"
#include "user/lab/command.hpp"
#include "user/lab/entry_queue.hpp"
#include "user/lab/json.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-monitor hoare|mesa THREAD.OPERATION... [--json]\n"
    "Operations of threads 1 to 99: enter, leave, wait-C, signal-C, with a condition C of one "
    "letter. Who "
    "acts\n"
    "should be inside, or come; it is not checked.\n"
    "    # lab-monitor hoare 1.enter 1.wait-a 2.enter 2.signal-a\n"
    "    1.enter    goes in  entry - urgent -\n"
    "    1.wait-a   nobody   entry - urgent - a 1\n"
    "    2.enter    goes in  entry - urgent - a 1\n"
    "    2.signal-a 1 inside entry - urgent 2 a -\n";

std::string inside(int thread, const char* nobody) {
    return thread ? std::to_string(thread) + " inside" : nobody;
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    std::vector<std::string> words = lab::Command(kHelp).flag("--json", json).parse(argc, argv);
    if (words.size() < 2) lab::refuse("wants hoare or mesa, and operations; see --help");
    const bool hoare = lab::one_of("the discipline", words[0], {"hoare", "mesa"}) == "hoare";
    words.erase(words.begin());
    MonitorCore<lab::EntryQueue> monitor(hoare ? Discipline::hoare : Discipline::mesa);
    std::map<std::string, lab::EntryQueue> conditions;
    std::vector<lab::Object> rows;
    for (const std::string& word : words) {
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", "step " + std::to_string(rows.size() + 1));
        const std::vector<std::string> parts = lab::split(word, ".-");
        if (parts.size() < 2 || parts.size() > 3)
            lab::refuse("'%s' is no operation; like 1.enter, 2.signal-a", word.c_str());
        const int who = static_cast<int>(lab::number("THREAD", parts[0], 1, 99));
        const bool names =
            lab::one_of("an operation", parts[1], {"enter", "leave", "wait", "signal"}) == "wait" ||
            parts[1] == "signal";
        if (names != (parts.size() == 3))
            lab::refuse("'%s': wait and signal, and no others, name a condition", word.c_str());
        lab::EntryQueue* condition = names ? &conditions[parts[2]] : nullptr;
        const std::string what = parts[1] == "enter"   ? monitor.enter(who) ? "goes in" : "waits"
                                 : parts[1] == "leave" ? inside(monitor.leave(), "nobody")
                                 : parts[1] == "wait"
                                     ? inside(monitor.wait(*condition, who), "nobody")
                                     : inside(monitor.signal(*condition, who), "goes on");
        std::string queues =
            "entry " + monitor.entry().text() + " urgent " + monitor.urgent().text();
        for (const auto& [name, threads] : conditions) queues += " " + name + " " + threads.text();
        rows.push_back(
            lab::Object().add("operation", word).add("result", what).add("queues", queues));
        if (!json) printf("%-10s %-8s %s\n", word.c_str(), what.c_str(), queues.c_str());
    }
    if (!json) return 0;
    lab::Object()
        .add("lab", "lab-monitor")
        .add("input",
             lab::Object().add("discipline", hoare ? "hoare" : "mesa").add("operations", words))
        .add("rows", rows)
        .print();
}
