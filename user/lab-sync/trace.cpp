// The kernel's record semaphores at work, as its trace tells: threads of the kernel pass items through a
// bounded buffer, and each P and V is a line with the semaphore's name, its value after that, and who
// is in its queue. A P that has to wait puts its thread at the end; a V takes the first one out.
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <sstream>

#include "user/lab-sync/lab.hpp"
#include "user/lab/setting.hpp"

namespace {

struct Event {
    std::string thread, time, kind;
    std::map<std::string, std::string> fields;
};

std::string without_quotes(std::string text) {
    std::erase(text, '"');
    return text;
}

bool parse(const std::string& line, Event& event) {
    if (line.starts_with('#')) return false;
    std::istringstream words(line);
    std::string cpu, word;
    words >> event.thread >> cpu >> event.time >> event.kind;
    event.fields.clear();
    while (words >> word)
        if (const size_t equals = word.find('='); equals != word.npos)
            event.fields[word.substr(0, equals)] = without_quotes(word.substr(equals + 1));
    return true;
}

using Queue = std::deque<std::string>;

std::string joined(const Queue& queue) {
    std::string text;
    for (const std::string& thread : queue) text += (text.empty() ? "" : " ") + thread;
    return text;
}

// Whether the trace's count of those who wait is the length of the queue as it must be.
bool apply(Event& event, Queue& queue) {
    if (event.kind == "semaphore_wait") queue.push_back(event.thread);
    if (event.kind == "semaphore" && event.fields["change"] == "1" && !queue.empty())
        queue.pop_front();
    return std::to_string(queue.size()) == event.fields["waiting"];
}

}  // namespace

bool run_trace(long steps) {
    // Nothing else may fill the rings meanwhile.
    const lab::Setting events("/proc/sys/kernel/trace/events", "process sync");
    const int64_t begin = lab::now();
    std::ofstream("/proc/sync_lab") << std::min(steps, 100l);  // as many as the trace holds whole
    std::ifstream trace("/proc/trace");
    std::map<std::string, std::string> names, threads;
    std::map<std::string, Queue> queues;
    lab::Table table({{"seconds", "seconds"},
                      {"thread", "thread"},
                      {"operation", "operation"},
                      {"semaphore", "semaphore"},
                      {"value", "value"},
                      {"queue", "queue"}});
    Event event;
    int solutions = 0;  // named ones: the integer semaphores come first, then the record ones
    for (std::string line; std::getline(trace, line);) {
        if (!parse(line, event)) continue;
        if (event.kind == "name") threads[event.thread] = event.fields["name"];
        if (strtod(event.time.c_str(), nullptr) * 1e9 < static_cast<double>(begin)) continue;
        if (event.kind == "semaphore_name") {
            const std::string name = event.fields["name"];
            solutions += name == "mutex";
            if (solutions == 2) names[event.fields["semaphore"]] = name;
            continue;
        }
        if (!event.kind.starts_with("semaphore")) continue;
        const auto name = names.find(event.fields["semaphore"]);
        if (name == names.end()) continue;
        Queue& queue = queues[event.fields["semaphore"]];
        must(apply(event, queue));
        const bool p = event.fields["change"] != "1";
        table.row({event.time, threads[event.thread] + " " + event.thread, p ? "P" : "V",
                   name->second, atol(event.fields["value"].c_str()), joined(queue)});
    }
    must(solutions == 2);
    const bool good = broken_invariants.exchange(0) == 0;
    if (!as_json) return table.print(), good;
    for (lab::Object& row : table.rows()) note_row(row);
    return good;
}
