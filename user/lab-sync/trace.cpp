// The kernel's record semaphores at work, as its trace tells: threads of the kernel pass items through a
// bounded buffer, and each P and V is a line with the semaphore's name, its value after that, and who
// is in its queue. A P that has to wait puts its thread at the end; a V takes the first one out.
#include <cstdlib>
#include <deque>
#include <fstream>

#include "user/lab-sync/lab.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/trace.hpp"

namespace {

using Queue = std::deque<std::string>;

std::string joined(const Queue& queue) {
    std::string text;
    for (const std::string& thread : queue) text += (text.empty() ? "" : " ") + thread;
    return text;
}

// Whether the trace's count of those who wait is the length of the queue as it must be.
bool follows(const lab::TraceEvent& event, Queue& queue) {
    if (event.name == "semaphore_wait") queue.push_back(std::to_string(event.thread));
    if (event.name == "semaphore" && event.fields.at("change") == "1" && !queue.empty())
        queue.pop_front();
    return std::to_string(queue.size()) == event.fields.at("waiting");
}

}  // namespace

bool run_trace(long steps) {
    // Nothing else may fill the rings meanwhile.
    const lab::Setting events("/proc/sys/kernel/trace/events", "process sync");
    const int64_t begin = lab::now();
    std::ofstream("/proc/sync_lab") << std::min(steps, 100l);  // as many as the trace holds whole
    std::map<std::string, std::string> names;
    std::map<long, std::string> threads;
    std::map<std::string, Queue> queues;
    lab::Table table({{"seconds", "seconds"},
                      {"thread", "thread"},
                      {"operation", "operation"},
                      {"semaphore", "semaphore"},
                      {"value", "value"},
                      {"queue", "queue"}});
    int solutions = 0;  // named ones: the integer semaphores come first, then the record ones
    for (lab::TraceEvent& event : lab::read_trace()) {
        if (event.name == "name") threads[event.thread] = event.fields["name"];
        if (event.seconds * 1e9 < static_cast<double>(begin)) continue;
        const std::string semaphore = event.fields["semaphore"];
        if (event.name == "semaphore_name") {
            const std::string name = event.fields["name"];
            solutions += name == "mutex";
            if (solutions == 2) names[semaphore] = name;
            continue;
        }
        const auto name = names.find(semaphore);
        if (name == names.end() || !event.name.starts_with("semaphore")) continue;
        must(follows(event, queues[semaphore]));
        const bool p = event.fields["change"] != "1";
        table.row({lab::Decimal{event.seconds, 6},
                   threads[event.thread] + " " + std::to_string(event.thread), p ? "P" : "V",
                   name->second, atol(event.fields["value"].c_str()), joined(queues[semaphore])});
    }
    must(solutions == 2);
    const bool good = broken_invariants.exchange(0) == 0;
    if (!as_json) return table.print(), good;
    for (lab::Object& row : table.rows()) note_row(row);
    return good;
}
