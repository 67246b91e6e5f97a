// See trace.hpp.
#include "user/lab/trace.hpp"

#include <fstream>
#include <sstream>

namespace lab {

std::vector<TraceEvent> read_trace() {
    std::vector<TraceEvent> events;
    std::ifstream trace("/proc/trace");
    for (std::string line; std::getline(trace, line);) {
        if (line.starts_with('#')) continue;
        std::erase(line, '"');
        std::istringstream words(line);
        TraceEvent event;
        std::string cpu, key;
        words >> event.thread >> cpu >> event.seconds >> event.name;
        for (std::string word; words >> word;) {
            const size_t equals = word.find('=');
            if (equals == word.npos)
                event.fields[key] += " " + word;
            else
                event.fields[key = word.substr(0, equals)] = word.substr(equals + 1);
        }
        events.push_back(event);
    }
    return events;
}

}  // namespace lab
