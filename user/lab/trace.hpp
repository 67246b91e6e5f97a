// The kernel's trace as a lab program reads it: /proc/trace, parsed.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace lab {

struct TraceEvent {
    long thread;
    double seconds;
    std::string name;
    std::map<std::string, std::string> fields;  // without quotes
};
std::vector<TraceEvent> read_trace();

}  // namespace lab
