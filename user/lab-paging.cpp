// lab-paging: page replacement by a real process on the MMU. It maps as many pages as it needs, asks
// the kernel (/proc/paging) to give them N frames under a policy, touches the pages in the order of
// its arguments, and shows what the kernel did: the frame table of the textbook, or JSON.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-paging --policy NAME|all --frames N [--json] PAGE[w]... | --random N [--seed S]\n"
    "       lab-paging --patterns [--frames N] [--json]\n"
    "A process touches its pages in this order (0 to 4095; w: it writes) with N frames. NAME:\n"
    "opt, or one of /proc/sys/vm/replacement; all: the faults of each. --random: N pages of\n"
    "--pages P (10), every fourth written. --patterns: the faults of all policies with N\n"
    "frames (24) under four ways of access.\n"
    "    # lab-paging --policy fifo --frames 3 1 2 3 4 1\n"
    "    page       1   2   3   4   1\n"
    "    frame 0    1   1   1   4   4\n"
    "    frame 1    .   2   2   2   1\n"
    "    frame 2    .   .   3   3   3\n"
    "    fault      F   F   F   F   F\n"
    "    fifo: 5 faults in 5 accesses with 3 frames\n";
constexpr unsigned long kPageBytes = 4096;
constexpr long kPagesMost = 4096;

// Those of the kernel, and the one that needs to know what is to come.
std::vector<std::string> all_policies() {
    std::vector<std::string> names = lab::names_in("/proc/sys/vm/replacement");
    names.insert(names.begin(), "opt");
    return names;
}

struct Access {
    unsigned long page;
    bool write;
};
struct Options {
    std::string policy = "fifo";
    unsigned long frames = 0;
    bool json = false, patterns = false;
    std::vector<Access> string;

    std::string text() const {
        std::string all;
        for (const Access& access : string)
            all +=
                (all.empty() ? "" : " ") + std::to_string(access.page) + (access.write ? "w" : "");
        return all;
    }
};
struct Event {
    unsigned long page = 0;
    bool write = false;
    std::string kind, victim;
};

Access read_access(const std::string& word) {
    const bool write = word.size() > 1 && word.back() == 'w';
    const long page = lab::number("PAGE (or PAGEw)", write ? word.substr(0, word.size() - 1) : word,
                                  0, kPagesMost - 1);
    return {static_cast<unsigned long>(page), write};
}

Options parse(int argc, char** argv) {
    Options options;
    long frames = 0, count = 0, seed = 1, pages = 10;
    std::vector<std::string> names = all_policies();
    names.push_back("all");
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .choice("--policy", options.policy, names)
                                               .number("--frames", frames, 1, kPagesMost)
                                               .random(count, 100'000, seed)
                                               .number("--pages", pages, 1, kPagesMost)
                                               .flag("--json", options.json)
                                               .flag("--patterns", options.patterns)
                                               .parse(argc, argv);
    for (const std::string& word : words) options.string.push_back(read_access(word));
    lab::Random random(seed);
    for (long i = 0; i < count; ++i)
        options.string.push_back(
            {static_cast<unsigned long>(random.between(0, pages - 1)), i % 4 == 3});
    if (options.patterns && !options.string.empty()) lab::refuse("--patterns takes no pages");
    if (!words.empty() && count) lab::refuse("either pages, or --random N of them");
    if (options.string.empty() && !options.patterns)
        lab::refuse(
            "which pages? Like --policy lru --frames 3 7 0 1 2 0; or --random N; see --help");
    if (!frames && !options.patterns)
        lab::refuse("--frames wants a number from 1 to %ld", kPagesMost);
    options.frames = static_cast<unsigned long>(frames ? frames : 24);
    return options;
}

bool command(const std::string& text) {
    const int fd = open("/proc/paging", O_WRONLY | O_CLOEXEC);
    const bool done = fd >= 0 && write(fd, text.data(), text.size()) > 0;
    close(fd);
    return done;
}

// Whether the processor stops after one instruction when told to, by which the kernel sees where an
// access ends. v86's does not: there the program says so.
volatile sig_atomic_t stopped = 0;
bool can_step() {
    signal(SIGTRAP, [](int) { stopped = 1; });
    asm volatile(
        "pushf\n orl $0x100, (%%esp)\n popf\n nop\n pushf\n andl $~0x100, (%%esp)\n popf" ::
            : "cc", "memory");
    return stopped;
}

// Each page keeps its own number, whatever happens to it.
void touch_all(volatile unsigned* pages, const Options& options, bool announced) {
    for (const auto& [page, write] : options.string) {
        volatile unsigned& word = pages[page * kPageBytes / sizeof(unsigned)];
        if (write)
            word = static_cast<unsigned>(page) + 1;
        else [[maybe_unused]]
            const unsigned value = word;
        if (announced) command("step");
    }
}

std::vector<Event> run(const Options& options) {
    unsigned long pages = 0;
    for (const Access& access : options.string) pages = std::max(pages, access.page + 1);
    void* memory = mmap(nullptr, pages * kPageBytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) lab::fail("no memory for %lu pages", pages);
    char rest[80];
    std::snprintf(rest, sizeof rest, " %lu %lu %lu",
                  static_cast<unsigned long>(reinterpret_cast<uintptr_t>(memory)), pages,
                  options.frames);
    auto* words = static_cast<volatile unsigned*>(memory);
    static const bool announced = !can_step();
    // The optimal policy knows what will come because it was recorded in a run before.
    if (options.policy == "opt") {
        if (!command(std::string("fifo") + rest)) lab::fail("the kernel refuses fifo");
        touch_all(words, options, announced);
    }
    if (!command(options.policy + rest)) lab::fail("the kernel refuses %s", options.policy.c_str());
    touch_all(words, options, announced);

    std::vector<Event> events;
    std::string text;
    char piece[4096];
    const int fd = open("/proc/paging", O_RDONLY | O_CLOEXEC);
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
        text.append(piece, static_cast<size_t>(n));
    close(fd);
    command("off");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        Event event;
        std::string direction;
        std::istringstream(line) >> event.page >> direction >> event.kind >> event.victim;
        event.write = direction == "w";
        events.push_back(event);
    }
    for (const auto& [page, write] : options.string)
        if (write && words[page * kPageBytes / sizeof(unsigned)] != page + 1)
            lab::fail("lost what was written to page %lu", page);
    munmap(memory, pages * kPageBytes);
    return events;
}

lab::Object input_of(const Options& options) {
    lab::Object input;
    return input.add("policy", options.policy)
        .add("frames", options.frames)
        .add("string", options.text());
}

void print_json(const Options& options, const std::vector<Event>& events) {
    size_t faults = 0;
    std::vector<lab::Raw> loads;
    std::vector<lab::Object> rows;
    for (const Event& event : events) {
        const bool fault = event.kind == "fault";
        const lab::Raw victim{fault && event.victim != "-" ? event.victim : "null"};
        rows.push_back(lab::Object()
                           .add("page", event.page)
                           .add("write", event.write)
                           .add("what", event.kind)
                           .add("victim", victim));
        if (!fault) continue;
        ++faults;
        loads.push_back({"[" + std::to_string(event.page) + ", " + victim.text + "]"});
    }
    lab::Object()
        .add("lab", "lab-paging")
        .add("input", input_of(options))
        .add("faults", faults)
        .add("load_evict", loads)
        .add("rows", rows)
        .print();
}

// A column an access: the page asked for, what is in each frame afterwards, F for a fault.
void print_frames(const Options& options, const std::vector<Event>& events) {
    std::vector<std::string> rows(options.frames + 2), frames(options.frames);
    size_t faults = 0, accesses = 0;
    auto put = [](std::string& row, const std::string& text) {
        row += std::string(text.size() < 4 ? 4 - text.size() : 1, ' ') + text;
    };
    for (size_t i = 0; i < events.size(); ++i) {
        const Event& event = events[i];
        if (event.kind == "leaves") continue;
        ++accesses;
        const bool fault = event.kind == "fault";
        faults += fault;
        for (std::string& frame : frames)
            if (fault && frame == (event.victim == "-" ? "" : event.victim)) {
                frame = std::to_string(event.page);
                break;
            }
        for (size_t j = i + 1; j < events.size() && events[j].kind == "leaves"; ++j)
            for (std::string& frame : frames)
                if (frame == std::to_string(events[j].page)) frame.clear();
        put(rows[0], std::to_string(event.page) + (event.write ? "w" : ""));
        for (size_t f = 0; f < frames.size(); ++f)
            put(rows[f + 1], frames[f].empty() ? "." : frames[f]);
        put(rows.back(), fault ? "F" : "");
    }
    std::printf("page    %s\n", rows[0].c_str());
    for (size_t f = 0; f < frames.size(); ++f)
        std::printf("frame %-2zu%s\n", f, rows[f + 1].c_str());
    std::printf("fault   %s\n%s: %zu faults in %zu accesses with %lu frames\n", rows.back().c_str(),
                options.policy.c_str(), faults, accesses, options.frames);
}

// The same for ever: a multiplicative generator, of which the upper bits are used.
unsigned long chance(unsigned long below) {
    static uint64_t state = 20;
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % below;
}

// Page `rank` is asked for in proportion to 1 / rank.
unsigned long zipf(unsigned long pages) {
    constexpr unsigned long kUnit = 1'000'000;
    unsigned long sum = 0;
    for (unsigned long rank = 1; rank <= pages; ++rank) sum += kUnit / rank;
    unsigned long at = chance(sum), rank = 1;
    for (; at >= kUnit / rank; ++rank) at -= kUnit / rank;
    return rank - 1;
}

constexpr unsigned long kAccesses = 4000;
struct Pattern {
    const char* name;
    unsigned long (*page)(unsigned long access);
};
constexpr Pattern kPatterns[] = {
    {"looping", [](unsigned long i) { return i % 32; }},    // a loop of 32 pages
    {"sequential", [](unsigned long i) { return i / 4; }},  // each page 4 times, then never again
    {"zipf", [](unsigned long) { return zipf(128); }},      // few pages often, many seldom
    {"phases",
     [](unsigned long i) { return i / 1000 * 20 + chance(20); }},  // 20 pages, then others
};
// Every fourth access writes.
std::vector<Access> string_of(const Pattern& pattern) {
    std::vector<Access> string;
    for (unsigned long i = 0; i < kAccesses; ++i) string.push_back({pattern.page(i), i % 4 == 3});
    return string;
}

size_t faults_of(Options options, const std::string& policy) {
    options.policy = policy;
    const std::vector<Event> events = run(options);
    return static_cast<size_t>(std::ranges::count(events, "fault", &Event::kind));
}

void print_table(const Options& options, const lab::Table& table, const char* note) {
    if (options.json)
        lab::Object()
            .add("lab", "lab-paging")
            .add("input", input_of(options))
            .add("rows", table.rows())
            .print();
    else
        table.print(), std::puts(note);
}

void print_patterns(Options options) {
    lab::Table table({{"policy", "policy"},
                      {kPatterns[0].name, kPatterns[0].name},
                      {kPatterns[1].name, kPatterns[1].name},
                      {kPatterns[2].name, kPatterns[2].name},
                      {kPatterns[3].name, kPatterns[3].name}});
    std::vector<std::vector<Access>> strings;
    for (const Pattern& pattern : kPatterns) strings.push_back(string_of(pattern));
    for (const std::string& policy : all_policies()) {
        std::vector<lab::Cell> row{policy};
        for (const auto& string : strings) {
            options.string = string;
            row.push_back(faults_of(options, policy));
        }
        table.row(row);
    }
    options.string.clear();
    const std::string note =
        std::to_string(kAccesses) + " accesses, " + std::to_string(options.frames) + " frames";
    print_table(options, table, note.c_str());
}

void print_all(const Options& options) {
    lab::Table table({{"policy", "policy"}, {"faults", "faults"}, {"rate", "fault rate"}});
    for (const std::string& policy : all_policies()) {
        const size_t faults = faults_of(options, policy);
        table.row(
            {policy, faults, lab::Decimal{double(faults) / double(options.string.size()), 3}});
    }
    const std::string note = std::to_string(options.string.size()) + " accesses, " +
                             std::to_string(options.frames) + " frames: " + options.text();
    print_table(options, table, note.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    if (options.patterns) return print_patterns(options), 0;
    if (options.policy == "all") return print_all(options), 0;
    const std::vector<Event> events = run(options);
    if (options.json)
        print_json(options, events);
    else
        print_frames(options, events);
    return 0;
}
