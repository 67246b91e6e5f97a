// lab-batch: jobs that compute and do I/O by turns, with a limit on how many are let in (the degree
// of multiprogramming). Degree 1 is a batch system, more is a multiprogrammed one, no limit under
// round robin is time sharing. It tells how busy the CPU was, and how long jobs took.
// A job's I/O is a device of its own that takes its time and needs no CPU: a sleep.
#include <fcntl.h>
#include <getopt.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <string>

namespace {

constexpr char kUsage[] =
    "usage: lab-batch [--policy NAME] [--degree N] [--jobs N] [--cycles N] [--burst MS] [--io MS]\n"
    "                 [--json]\n"
    "Runs jobs that compute for --burst and do I/O for --io milliseconds, --cycles times each, "
    "with\n"
    "at most --degree of them in the system (0: no limit).\n";
const std::string kSettings = "/proc/sys/kernel/sched/";

struct Options {
    std::string policy = "fcfs";
    long degree = 1, jobs = 6, cycles = 5, burst = 4, io = 6;
    bool json = false;
};

int64_t now(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

std::string get(const std::string& name) {
    std::ifstream file(kSettings + name);
    std::string text;
    std::getline(file, text);
    const size_t bracket = text.find('[');
    return bracket == std::string::npos ? text
                                        : text.substr(bracket + 1, text.find(']') - bracket - 1);
}
void set(const std::string& name, const std::string& value) {
    const int file = open((kSettings + name).c_str(), O_WRONLY | O_CLOEXEC);
    if (file >= 0 && write(file, value.data(), value.size()) >= 0) {
        close(file);
        return;
    }
    fprintf(stderr, "lab-batch: %s = %s: %s\n", name.c_str(), value.c_str(), strerror(errno));
    exit(1);
}

[[noreturn]] void be_job(const Options& options) {
    for (long i = 0; i < options.cycles; ++i) {
        const int64_t end = now(CLOCK_THREAD_CPUTIME_ID) + options.burst * 1'000'000;
        while (now(CLOCK_THREAD_CPUTIME_ID) < end)
            for (int n = 0; n < 200; ++n) asm volatile("");
        const timespec io{options.io / 1000, options.io % 1000 * 1'000'000};
        nanosleep(&io, nullptr);
    }
    _exit(0);
}

void run(const Options& options) {
    const int64_t start = now(CLOCK_MONOTONIC);
    std::map<pid_t, int> jobs;
    for (long i = 0; i < options.jobs; ++i) {
        set("jobs", std::to_string(options.cycles * options.burst * 1000));
        const pid_t child = fork();
        if (child == 0) be_job(options);
        if (child < 0) exit((perror("lab-batch: fork"), 1));
    }
    double turnaround = 0;
    for (long i = 0; i < options.jobs; ++i) {
        if (wait(nullptr) < 0) exit((perror("lab-batch: wait"), 1));
        turnaround += static_cast<double>(now(CLOCK_MONOTONIC) - start) / 1e6;
    }
    const double elapsed = static_cast<double>(now(CLOCK_MONOTONIC) - start) / 1e6;
    const double busy = static_cast<double>(options.jobs * options.cycles * options.burst);
    turnaround /= static_cast<double>(options.jobs);
    const double throughput = 1000.0 * static_cast<double>(options.jobs) / elapsed;
    if (options.json)
        printf(
            "{\"policy\": \"%s\", \"degree\": %ld, \"elapsed_ms\": %.1f, \"utilisation\": %.3f, "
            "\"throughput\": %.2f, \"turnaround_ms\": %.1f}\n",
            options.policy.c_str(), options.degree, elapsed, busy / elapsed, throughput,
            turnaround);
    else
        printf(
            "%s, degree %ld: %.1f ms, CPU busy %.1f %%, %.2f jobs a second, mean turnaround %.1f "
            "ms\n",
            options.policy.c_str(), options.degree, elapsed, 100 * busy / elapsed, throughput,
            turnaround);
}

}  // namespace

int main(int argc, char* argv[]) {
    Options options;
    const option kOptions[] = {
        {"policy", 1, nullptr, 'p'}, {"degree", 1, nullptr, 'd'}, {"jobs", 1, nullptr, 'n'},
        {"cycles", 1, nullptr, 'c'}, {"burst", 1, nullptr, 'b'},  {"io", 1, nullptr, 'i'},
        {"json", 0, nullptr, 'j'},   {"help", 0, nullptr, 'h'},   {nullptr, 0, nullptr, 0}};
    for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
        switch (c) {
            case 'p': options.policy = optarg; break;
            case 'd': options.degree = atol(optarg); break;
            case 'n': options.jobs = atol(optarg); break;
            case 'c': options.cycles = atol(optarg); break;
            case 'b': options.burst = atol(optarg); break;
            case 'i': options.io = atol(optarg); break;
            case 'j': options.json = true; break;
            default: return fputs(kUsage, c == 'h' ? stdout : stderr), c == 'h' ? 0 : 2;
        }
    }
    if (options.degree < 0 || options.jobs < 1 || options.cycles < 1 || options.burst < 1 ||
        options.io < 0 || optind < argc)
        return fputs(kUsage, stderr), 2;
    const std::string policy = get("policy"), degree = get("jobs_degree");
    set("policy", options.policy);
    set("jobs_degree", std::to_string(options.degree));
    run(options);
    set("jobs_degree", degree);
    set("policy", policy);
}
