// lab-thrash: what more programs at a time do to a machine's memory. N processes each use a set of
// pages over and over, with some computing for each page, for a few seconds; then it says what they
// got done, what part of the CPUs' time they computed, how many pages came from swap, how often each
// faulted and for what, and whom load control suspended; over time, L and S.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

using lab::Decimal;

constexpr char kHelp[] =
    "usage: lab-thrash [--degree N] [--pages P,P...] [--work W] [--seconds S] [--nice N,N...]\n"
    "                  [--control NAME] [--victim NAME] [--scope NAME] [--allocation NAME]\n"
    "                  [--disk US] [--seed S] [--over-time] [--json]\n"
    "N processes (4) use P pages (768; a list: one after the other) at random, W steps (20000) a "
    "page.\n"
    "--control: off ls pff ws; --victim: whom it suspends: oldest youngest priority largest "
    "smallest\n"
    "faults; --scope: global local; --allocation: equal proportional variable. Needs swap to "
    "thrash.\n"
    "--disk: a transfer of a RAM disk takes "
    "US microseconds, so that a run under --icount thrashes "
    "too,\n"
    "and repeats. --seed draws the order of pages.\n"
    "--over-time: L, the time from one fault to the next, and S, the time to serve one, each "
    "quarter\n"
    "of a second (load control acts in `ls` when L < S).\n"
    "    # lab-thrash --degree 2 --pages 500,900 --seconds 2\n"
    "    process  pages  nice  frames  used a second  CPU, %  zeroed  from swap  suspended\n"
    "    1          500     0     512         5116.2    49.6     500          0          0\n"
    "    2          900     0     912         5107.9    49.5     900          0          0\n"
    "    degree 2: 10224 pages used a second, CPU 99 %, 0 pages from swap a second, least 5107.9, "
    "suspensions 0\n";
constexpr unsigned kWordsPerPage = 1024;
constexpr long kMostProcesses = 64;

struct Process {
    pid_t pid;
    long pages, nice;
    volatile unsigned long long used;  // pages, by the process itself
    double cpu;                        // seconds
    long frames, zeroed, from_swap, suspended;
};
struct Shared {
    volatile bool stop;
    Process processes[kMostProcesses];
};

struct Options {
    long degree = 4, work = 20'000, seconds = 5, disk = -1, seed = 0;
    std::vector<long> pages{768}, nice{0};
    std::string control, victim, scope, allocation;
    bool over_time = false, json = false;
};

std::map<std::string, long> counts_in(const std::string& file) {
    std::map<std::string, long> counts;
    std::istringstream text(lab::read_file(file));
    std::string name;
    for (std::string line; std::getline(text, line);) {
        long value = 0;
        if (std::istringstream(line) >> name >> value) counts[name] = value;
    }
    return counts;
}
long vmstat(const std::string& name) { return counts_in("/proc/vmstat")[name]; }

[[noreturn]] void use_pages(Shared& shared, Process& self, long work, unsigned seed) {
    const auto pages = static_cast<unsigned>(self.pages);
    auto* memory = static_cast<volatile unsigned*>(
        mmap(nullptr, pages * 4096ul, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory == MAP_FAILED || setpriority(PRIO_PROCESS, 0, static_cast<int>(self.nice)) != 0)
        _exit(1);
    while (!shared.stop) {
        seed = seed * 1664525 + 1013904223;  // which page is next cannot be foreseen
        volatile unsigned* page = memory + (seed >> 8) % pages * kWordsPerPage;
        for (long i = 0; i < work && !shared.stop; ++i) page[i % kWordsPerPage] = 1;
        self.used = self.used + 1;
    }
    for (;;) pause();
}

// CPU time of the process, in seconds, exactly.
double computed_by(pid_t pid) {
    double nanoseconds = 0;
    std::istringstream(lab::read_file("/proc/" + std::to_string(pid) + "/schedstat")) >>
        nanoseconds;
    return nanoseconds / 1e9;
}

// The processes are read between `begin` and `end`: from one sample's begin to a later one's end
// they cannot have computed for longer than that.
struct Sample {
    double begin, end, computed;
    long in, between, service, wait, suspended;
};

Sample look(const Shared& shared, const Options& o) {
    Sample s{};
    s.begin = double(lab::now()) / 1e9;
    for (long i = 0; i < o.degree; ++i) s.computed += computed_by(shared.processes[i].pid);
    s.end = double(lab::now()) / 1e9;
    std::map<std::string, long> counts = counts_in("/proc/vmstat");
    s.in = counts["pswpin"];
    s.between = counts["paging_between_faults_us"];
    s.service = counts["paging_service_us"];
    s.wait = counts["paging_wait_permille"];
    s.suspended = counts["load_suspended"] - counts["load_resumed"];
    return s;
}

double cpus() { return static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN)); }

lab::Table over_time(const std::vector<Sample>& samples) {
    lab::Table table({{"time_ms", "ms"},
                      {"L_us", "L, us"},
                      {"S_us", "S, us"},
                      {"waiting", "waiting"},
                      {"suspended", "suspended"},
                      {"cpu_percent", "CPU, %"},
                      {"from_swap", "from swap"}});
    const lab::Cell none("-", lab::Raw{"null"});
    for (size_t i = 1; i < samples.size(); ++i) {
        const Sample &s = samples[i], &before = samples[i - 1];
        const bool faults = s.in != before.in;
        table.row(
            {static_cast<long>((s.end - samples[0].begin) * 1000 + 0.5),
             faults ? lab::Cell(s.between) : none, faults ? lab::Cell(s.service) : none,
             Decimal{double(s.wait) / 1000, 2}, s.suspended,
             Decimal{100 * (s.computed - before.computed) / (s.end - before.begin) / cpus(), 1},
             s.in - before.in});
    }
    return table;
}

// What the kernel has counted of each process, while it is still there.
void ask_about(Process& process) {
    const std::string of = "/proc/" + std::to_string(process.pid);
    process.cpu = computed_by(process.pid);
    std::map<std::string, long> counts = counts_in(of + "/paging");
    process.zeroed = counts["zeroed"];
    process.from_swap = counts["swap"];
    process.suspended = counts["suspended"];
    process.frames = counts["frames"];
}

Options parse(int argc, char** argv) {
    Options o;
    const std::string vm = "/proc/sys/vm/";
    const std::vector<std::string> words =
        lab::Command(kHelp)
            .number("--degree", o.degree, 1, kMostProcesses)
            .numbers("--pages", o.pages, 1, 262'144)
            .numbers("--nice", o.nice, 0, 19)
            .number("--work", o.work, 1, 1'000'000'000)
            .number("--seconds", o.seconds, 1, 3600)
            .choice("--control", o.control, lab::names_in(vm + "load_control"))
            .choice("--victim", o.victim, lab::names_in(vm + "load_victim"))
            .choice("--scope", o.scope, lab::names_in(vm + "replacement_scope"))
            .choice("--allocation", o.allocation, lab::names_in(vm + "frame_allocation"))
            .number("--disk", o.disk, 0, 1'000'000)
            .number("--seed", o.seed, 0, 2'147'483'647)
            .flag("--over-time", o.over_time)
            .flag("--json", o.json)
            .parse(argc, argv);
    if (!words.empty()) lab::refuse("no word '%s' here; see --help", words[0].c_str());
    return o;
}

void start(Shared& shared, const Options& o) {
    for (long i = 0; i < o.degree; ++i) {
        Process& process = shared.processes[i];
        const auto index = static_cast<size_t>(i);
        process.pages = o.pages[index % o.pages.size()];
        process.nice = o.nice[index % o.nice.size()];
        const pid_t child = fork();  // which must not write its 0 where all see it
        if (child < 0) lab::fail("fork: %s", strerror(errno));
        if (child == 0)
            use_pages(shared, process, o.work, static_cast<unsigned>(o.seed * kMostProcesses + i));
        process.pid = child;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const Options o = parse(argc, argv);
    const std::string vm = "/proc/sys/vm/";
    const lab::Setting control(vm + "load_control", o.control),
        victim(vm + "load_victim", o.victim), scope(vm + "replacement_scope", o.scope),
        allocation(vm + "frame_allocation", o.allocation),
        disk("/proc/sys/dev/disk/ram_delay_us", o.disk < 0 ? "" : std::to_string(o.disk));
    auto& shared = *static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    mlockall(MCL_CURRENT | MCL_FUTURE);  // what measures is not measured
    const long suspensions = vmstat("load_suspended");
    start(shared, o);
    std::vector<Sample> samples{look(shared, o)};
    const int64_t begin = lab::now();
    for (long quarter = 1; quarter <= 4 * o.seconds; ++quarter) {
        lab::sleep_until(begin + quarter * 250'000'000);
        if (o.over_time || quarter == 4 * o.seconds) samples.push_back(look(shared, o));
    }
    const Sample &first = samples.front(), &last = samples.back();
    const double elapsed = last.end - first.begin;
    lab::Table table({{"process", "process"},
                      {"pages", "pages"},
                      {"nice", "nice"},
                      {"frames", "frames"},
                      {"used", "used a second"},
                      {"cpu_percent", "CPU, %"},
                      {"zeroed", "zeroed"},
                      {"from_swap", "from swap"},
                      {"suspended", "suspended"}});
    double done = 0, least = 1e300;
    for (long i = 0; i < o.degree; ++i) {
        Process& process = shared.processes[i];
        const double used = double(process.used) / elapsed;
        ask_about(process);
        done += used;
        least = std::min(least, used);
        table.row({std::to_string(i + 1), process.pages, process.nice, process.frames,
                   Decimal{used, 1}, Decimal{100 * process.cpu / elapsed, 1}, process.zeroed,
                   process.from_swap, process.suspended});
    }
    const long suspended = vmstat("load_suspended") - suspensions;
    shared.stop = true;
    for (long i = 0; i < o.degree; ++i) kill(shared.processes[i].pid, SIGKILL);
    for (long i = 0; i < o.degree; ++i) waitpid(shared.processes[i].pid, nullptr, 0);
    const double busy = (last.computed - first.computed) / elapsed / cpus();
    const double from_swap = double(last.in - first.in) / elapsed;
    if (o.json) {
        lab::Object()
            .add("lab", "lab-thrash")
            .add("input", lab::Object()
                              .add("degree", o.degree)
                              .add("pages", o.pages)
                              .add("seed", o.seed)
                              .add("control", lab::chosen_in(vm + "load_control"))
                              .add("victim", lab::chosen_in(vm + "load_victim"))
                              .add("scope", lab::chosen_in(vm + "replacement_scope"))
                              .add("allocation", lab::chosen_in(vm + "frame_allocation"))
                              .add("cpus", static_cast<long>(cpus())))
            .add("cpu", Decimal{busy, 4})
            .add("used_a_second", Decimal{done, 1})
            .add("swap_in_a_second", Decimal{from_swap, 1})
            .add("suspensions", suspended)
            .add("over_time", over_time(samples).rows())
            .add("rows", table.rows())
            .print();
        return 0;
    }
    if (o.over_time) over_time(samples).print();
    table.print();
    std::printf(
        "degree %ld: %.0f pages used a second, CPU %.0f %%, %.0f pages from swap a second, "
        "least %.1f, suspensions %ld\n",
        o.degree, done, 100 * busy, from_swap, least, suspended);
    return 0;
}
