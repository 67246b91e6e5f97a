// Who ran from when to when, as the trace's switches tell.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "user/lab-sched/lab.hpp"
#include "user/lab/command.hpp"

namespace {

// "12.345678" seconds as nanoseconds.
int64_t nanoseconds(const std::string& text) {
    const size_t point = text.find('.');
    if (point == text.npos) return 0;
    std::string fraction = text.substr(point + 1);
    fraction.resize(9, '0');
    return atoll(text.c_str()) * 1'000'000'000 + atoll(fraction.c_str());
}

// The value of NAME=VALUE among the words; "": there is none.
std::string field(const std::string& line, const std::string& name) {
    const size_t at = line.find(" " + name + "=");
    if (at == line.npos) return "";
    const size_t start = at + name.size() + 2;
    if (line[start] == '"') return line.substr(start + 1, line.find('"', start + 1) - start - 1);
    return line.substr(start, line.find(' ', start) - start);
}

}  // namespace

std::vector<Turn> turns_in_trace(const std::map<int, size_t>& jobs, const Options& options,
                                 int64_t zero) {
    std::ifstream trace("/proc/trace");
    if (!trace) lab::fail("/proc/trace cannot be read");
    const int64_t unit = options.unit_ms * 1'000'000;
    std::map<int, int64_t> running;  // thread: since when
    std::map<int, bool> quantum_over;
    std::vector<int64_t> left;
    for (const Job& job : options.jobs) left.push_back(job.burst * unit);
    std::vector<Turn> turns;
    bool lost = false, early = false;
    for (std::string line; std::getline(trace, line);) {
        lost |= line.starts_with("# lost") && !line.starts_with("# lost 0 ");
        if (line.starts_with('#')) continue;
        std::istringstream words(line);
        std::string cpu, seconds, event;
        int thread = 0;
        words >> thread >> cpu >> seconds >> event;
        if (event == "state" && field(line, "from") == "running")
            quantum_over[atoi(field(line, "thread").c_str())] =
                field(line, "why") == "quantum over";
        if (event != "switch") continue;
        const int64_t time = nanoseconds(seconds);
        early |= time < zero;
        const auto job = jobs.find(thread);
        const auto start = running.find(thread);
        if (job != jobs.end() && start != running.end() && start->second >= zero &&
            left[job->second] >= unit / 20) {
            left[job->second] -= time - start->second;
            turns.push_back({job->second, start->second - zero, time - zero, quantum_over[thread]});
        }
        running.erase(thread);
        running[atoi(field(line, "next").c_str())] = time;
    }
    if (lost && !early) lab::fail("the run was longer than the kernel's trace of it");
    return turns;
}
