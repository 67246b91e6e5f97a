// The arguments: NAME:ARRIVAL:BURST[:PRIORITY]..., or --file with the same, one a line, blanks for
// colons. All numbers are whole units.
#include <getopt.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "user/lab-sched/lab.hpp"

void fail(int status, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("lab-sched: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(status);
}

namespace {

constexpr char kUsage[] =
    "usage: lab-sched --policy NAME [--quantum N | --quanta A,B,C] [--preemptive] [--ageing N]\n"
    "                 [--boost N] [--unit MS] [--json] [--file FILE] "
    "NAME:ARRIVAL:BURST[:PRIORITY]...";
constexpr long kLongest = 100'000;

long number(const std::string& text, long least, long most, const char* what) {
    char* end;
    long value = strtol(text.c_str(), &end, 10);
    if (text.empty() || *end || value < least || value > most)
        fail(2, "%s '%s' is not a number from %ld to %ld", what, text.c_str(), least, most);
    return value;
}

std::vector<std::string> split(const std::string& text, const char* separators) {
    std::vector<std::string> parts;
    for (size_t at = 0; at <= text.size();) {
        size_t end = std::min(text.find_first_of(separators, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

Job read_job(const std::vector<std::string>& fields) {
    if (fields.size() < 3 || fields.size() > 4 || fields[0].empty()) fail(2, "%s", kUsage);
    if (fields[0].find_first_of("\"\\") != std::string::npos) fail(2, "a name with quotes");
    Job job{fields[0], number(fields[1], 0, kLongest, "arrival"),
            number(fields[2], 1, kLongest, "burst"), 0};
    if (fields.size() == 4) job.priority = number(fields[3], -19, 20, "priority");
    return job;
}

void read_file(Options& options, const char* name) {
    std::ifstream file(name);
    if (!file) fail(1, "%s: %s", name, strerror(errno));
    for (std::string line; std::getline(file, line);) {
        std::vector<std::string> fields;
        for (const std::string& field : split(line, " \t:"))
            if (!field.empty()) fields.push_back(field);
        if (!fields.empty() && fields[0][0] != '#') options.jobs.push_back(read_job(fields));
    }
}

}  // namespace

Options read_arguments(int argc, char* argv[]) {
    enum { policy = 1, quantum, quanta, preemptive, ageing, boost, unit, json, file, help };
    const option kOptions[] = {
        {"policy", 1, nullptr, policy}, {"quantum", 1, nullptr, quantum},
        {"quanta", 1, nullptr, quanta}, {"preemptive", 0, nullptr, preemptive},
        {"ageing", 1, nullptr, ageing}, {"unit", 1, nullptr, unit},
        {"boost", 1, nullptr, boost},   {"json", 0, nullptr, json},
        {"file", 1, nullptr, file},     {"help", 0, nullptr, help},
        {nullptr, 0, nullptr, 0}};
    Options options;
    for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
        switch (c) {
            case policy: options.policy = optarg; break;
            case quantum:
            case quanta:
                options.quanta.clear();
                for (const std::string& part : split(optarg, ","))
                    options.quanta.push_back(number(part, 1, kLongest, "quantum"));
                break;
            case preemptive: options.preemptive = true; break;
            case ageing: options.ageing = number(optarg, 1, kLongest, "ageing"); break;
            case boost: options.boost = number(optarg, 1, kLongest, "boost"); break;
            case unit: options.unit_ms = number(optarg, 1, 10'000, "unit"); break;
            case json: options.json = true; break;
            case help: puts(kUsage); exit(0);
            case file: read_file(options, optarg); break;
            default: fail(2, "%s", kUsage);
        }
    }
    for (; optind < argc; ++optind) options.jobs.push_back(read_job(split(argv[optind], ":")));
    if (options.policy.empty() || options.jobs.empty()) fail(2, "%s", kUsage);
    for (size_t i = 0; i < options.jobs.size(); ++i)
        for (size_t k = 0; k < i; ++k)
            if (options.jobs[i].name == options.jobs[k].name)
                fail(2, "two jobs are called %s", options.jobs[i].name.c_str());
    return options;
}

int main(int argc, char* argv[]) {
    const Options options = read_arguments(argc, argv);
    report(options, run_workload(options));
}
