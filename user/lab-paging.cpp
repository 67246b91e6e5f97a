// lab-paging: page replacement by a real process on the MMU. It maps as many pages as it needs,
// asks the kernel (/proc/paging) to give them N frames under a policy, touches the pages in the
// order of its arguments, and shows what the kernel did: the frame table of the textbook, or JSON.
//   lab-paging --policy NAME --frames N [--json] PAGE[w]...
//   lab-paging --patterns [--frames N]      the faults of all policies under four ways of access
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr unsigned long kPageBytes = 4096, kPagesMost = 4096;

struct Access {
    unsigned long page;
    bool write;
};
struct Options {
    std::string policy = "fifo";
    unsigned long frames = 0;
    bool json = false, patterns = false;
    std::vector<Access> string;
};
struct Event {
    unsigned long page = 0;
    bool write = false;
    std::string kind, victim;
};

[[noreturn]] void fail(const char* what, const std::string& which) {
    std::fprintf(stderr, "lab-paging: %s '%s'\n", what, which.c_str());
    std::exit(2);
}
[[noreturn]] void usage(int status) {
    std::fputs(
        "usage: lab-paging --policy NAME --frames N [--json] PAGE[w]...\n"
        "       lab-paging --patterns [--frames N]\n"
        "policies: fifo lru ageing lfu clock improved-clock opt working-set\n"
        "PAGE: 0 to 4095; with w it is written, else read\n"
        "--patterns: how often each policy faults with N frames (default 24) under four patterns\n",
        status ? stderr : stdout);
    std::exit(status);
}

unsigned long number(const char* text, unsigned long most, const char** rest = nullptr) {
    char* end;
    const unsigned long value = std::strtoul(text, &end, 10);
    if (end == text || value > most || (!rest && *end)) fail("not a good number:", text);
    if (rest) *rest = end;
    return value;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const bool more = i + 1 < argc;
        if (word == "--help") usage(0);
        if (word == "--json") {
            options.json = true;
        } else if (word == "--patterns") {
            options.patterns = true;
        } else if (word == "--policy" && more) {
            options.policy = argv[++i];
        } else if (word == "--frames" && more) {
            options.frames = number(argv[++i], kPagesMost);
        } else if (word.starts_with('-')) {
            usage(2);
        } else {
            const char* rest;
            const unsigned long page = number(argv[i], kPagesMost - 1, &rest);
            if (*rest && std::strcmp(rest, "w") != 0) fail("neither PAGE nor PAGEw:", word);
            options.string.push_back({page, *rest == 'w'});
        }
    }
    if (options.patterns) {
        if (!options.string.empty() || options.json) usage(2);
        if (options.frames == 0) options.frames = 24;
    }
    if ((options.string.empty() && !options.patterns) || options.frames == 0) usage(2);
    return options;
}

bool command(const std::string& text) {
    const int fd = open("/proc/paging", O_WRONLY | O_CLOEXEC);
    const bool done = fd >= 0 && write(fd, text.data(), text.size()) > 0;
    close(fd);
    return done;
}

// Each page keeps its own number, whatever happens to it.
void touch_all(volatile unsigned* pages, const Options& options) {
    for (const auto& [page, write] : options.string) {
        volatile unsigned& word = pages[page * kPageBytes / sizeof(unsigned)];
        if (write)
            word = static_cast<unsigned>(page) + 1;
        else [[maybe_unused]]
            const unsigned value = word;
    }
}

std::vector<Event> run(const Options& options) {
    unsigned long pages = 0;
    for (const Access& access : options.string) pages = std::max(pages, access.page + 1);
    void* memory = mmap(nullptr, pages * kPageBytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("no memory for", std::to_string(pages) + " pages");
    char rest[80];
    std::snprintf(rest, sizeof rest, " %lu %lu %lu",
                  static_cast<unsigned long>(reinterpret_cast<uintptr_t>(memory)), pages,
                  options.frames);
    auto* words = static_cast<volatile unsigned*>(memory);
    // The optimal policy knows what will come because it was recorded in a run before.
    if (options.policy == "opt") {
        if (!command(std::string("fifo") + rest)) fail("the kernel refuses", "fifo");
        touch_all(words, options);
    }
    if (!command(options.policy + rest)) fail("unknown policy", options.policy);
    touch_all(words, options);

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
            fail("lost what was written to page", std::to_string(page));
    munmap(memory, pages * kPageBytes);
    return events;
}

void print_json(const std::vector<Event>& events) {
    size_t faults = 0;
    std::string loads;
    for (const Event& event : events) {
        if (event.kind != "fault") continue;
        ++faults;
        const std::string victim = event.victim == "-" ? "null" : event.victim;
        loads +=
            (loads.empty() ? "" : ", ") + ("[" + std::to_string(event.page)) + ", " + victim + "]";
    }
    std::printf("{\"faults\": %zu, \"load_evict\": [%s]}\n", faults, loads.c_str());
}

// A column an access: the page asked for, what is in each frame afterwards, F for a fault.
void print_table(const Options& options, const std::vector<Event>& events) {
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
constexpr const char* kPolicies[] = {"opt",   "fifo",           "lru",        "ageing", "lfu",
                                     "clock", "improved-clock", "working-set"};

// Every fourth access writes.
std::vector<Access> string_of(const Pattern& pattern) {
    std::vector<Access> string;
    for (unsigned long i = 0; i < kAccesses; ++i) string.push_back({pattern.page(i), i % 4 == 3});
    return string;
}

void print_patterns(Options options) {
    std::vector<std::vector<Access>> strings;
    std::printf("%-15s", "policy");
    for (const Pattern& pattern : kPatterns) {
        std::printf("%12s", pattern.name);
        strings.push_back(string_of(pattern));
    }
    for (const char* policy : kPolicies) {
        options.policy = policy;
        std::printf("\n%-15s", policy);
        for (const auto& string : strings) {
            options.string = string;
            const std::vector<Event> events = run(options);
            std::printf("%12zu",
                        static_cast<size_t>(std::ranges::count(events, "fault", &Event::kind)));
            std::fflush(stdout);
        }
    }
    std::printf("\n%lu accesses, %lu frames\n", kAccesses, options.frames);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    if (options.patterns) {
        print_patterns(options);
        return 0;
    }
    const std::vector<Event> events = run(options);
    if (options.json)
        print_json(events);
    else
        print_table(options, events);
    return 0;
}
