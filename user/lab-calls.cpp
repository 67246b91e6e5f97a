// lab-calls: system calls and library functions. The same characters by functions of the C library
// with several buffers, and by write() itself; and functions that need no kernel at all. The calls are
// counted in the kernel's trace, between two marks.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <utility>

#include "user/lab/command.hpp"
#include "user/lab/random.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"
#include "user/lab/trace.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-calls [--characters N] [--line L] [--buffer B] [--random N [--seed S]] [--json]\n"
    "N characters (100) in lines of L (20), by library functions with a buffer of B bytes (4096) "
    "and by\n"
    "system calls: how many calls the kernel's trace has for each way. --random: up to N "
    "characters "
    "in\n"
    "lines of random length. (The calls of any program: scripts/run --trace FILE, then\n"
    "scripts/trace syscalls FILE.)\n"
    "    # lab-calls\n"
    "    way                        characters  system calls  which\n"
    "    putc, full buffer                 100             1  write\n"
    "    putc, a line at a time            100             5  write\n"
    "    putc, no buffer                   100           100  write\n"
    "    write, one character each         100           100  write\n"
    "    write, all at once                100             1  write\n"
    "    qsort and strlen                  100             0  -\n"
    "    getpid                              0             1  getpid\n";
constexpr long kMost = 1000;  // the trace holds two events a call

struct Options {
    long characters = 100, line = 20, buffer = 4096, random = 0, seed = 1;
    bool json = false;
};

std::string text_of(const Options& o) {
    std::string text(static_cast<size_t>(o.characters), 'x');
    lab::Random random(o.seed);
    auto length = [&] { return static_cast<size_t>(o.random ? random.between(1, 40) : o.line); };
    for (size_t end = length(); end <= text.size(); end += length()) text[end - 1] = '\n';
    return text;
}

void put(const std::string& text, int mode, long bytes) {
    std::string buffer(static_cast<size_t>(bytes), ' ');
    FILE* file = fopen("/dev/null", "w");
    if (!file) lab::fail("/dev/null: %s", strerror(errno));
    setvbuf(file, buffer.data(), mode, buffer.size());
    for (const char c : text) putc(c, file);
    fclose(file);
}

struct Way {
    const char* name;
    const char* call;  // the one to be counted; "": any (putc opens and closes a file besides)
    size_t characters;
    std::function<void()> action;
};

std::vector<Way> ways(const std::string& text, long buffer) {
    static const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const size_t n = text.size();
    return {
        {"putc, full buffer", "write", n, [=] { put(text, _IOFBF, buffer); }},
        {"putc, a line at a time", "write", n, [=] { put(text, _IOLBF, buffer); }},
        {"putc, no buffer", "write", n, [=] { put(text, _IONBF, buffer); }},
        {"write, one character each", "write", n,
         [=] {
             for (const char& c : text) static_cast<void>(!write(null, &c, 1));
         }},
        {"write, all at once", "write", n,
         [=] { static_cast<void>(!write(null, text.data(), text.size())); }},
        {"qsort and strlen", "", n,
         [=, sorted = text]() mutable {
             qsort(sorted.data(), sorted.size(), 1, [](const void* a, const void* b) {
                 return *static_cast<const char*>(a) - *static_cast<const char*>(b);
             });
             [[maybe_unused]] volatile size_t length = strlen(sorted.c_str());
         }},
        {"getpid", "getpid", 0, [] { getpid(); }},
    };
}

// The calls of one way, between two marks; a mark is a write of this thread too, whose call comes before
// it. The trace is read at once, so that it needs room for the calls of one way only.
std::vector<std::string> calls_of(const Way& way, int marker) {
    auto mark = [&] {
        if (write(marker, "calls", 5) != 5) lab::fail("/proc/trace_marker: %s", strerror(errno));
    };
    mark();
    way.action();
    mark();
    std::vector<std::string> last, since;  // names of calls between the last two marks, and after
    const int self = gettid();
    int marks = 0;
    for (lab::TraceEvent& event : lab::read_trace()) {
        if (event.thread != self) continue;
        if (event.name == "call") since.push_back(event.fields["call"]);
        if (event.name != "mark") continue;
        last = std::exchange(since, {});
        ++marks;
    }
    if (marks < 2) lab::fail("the trace has lost events");
    last.pop_back();  // the second mark's
    return last;
}

lab::Table count(const std::vector<Way>& all) {
    lab::Table table({{"way", "way"},
                      {"characters", "characters"},
                      {"calls", "system calls"},
                      {"which", "which"}});
    const lab::Setting events("/proc/sys/kernel/trace/events", "syscall mark");
    const int marker = open("/proc/trace_marker", O_WRONLY | O_CLOEXEC);
    for (const Way& way : all) {
        const std::vector<std::string> calls = calls_of(way, marker);
        const bool any = !*way.call;
        const long number =
            any ? std::ssize(calls) : std::ranges::count(calls, std::string(way.call));
        table.row({way.name, way.characters, number, number ? way.call : "-"});
    }
    close(marker);
    return table;
}

}  // namespace

int main(int argc, char** argv) {
    Options o;
    const std::vector<std::string> words = lab::Command(kHelp)
                                               .number("--characters", o.characters, 1, kMost)
                                               .number("--line", o.line, 1, kMost)
                                               .number("--buffer", o.buffer, 1, 65'536)
                                               .random(o.random, kMost, o.seed)
                                               .flag("--json", o.json)
                                               .parse(argc, argv);
    if (!words.empty()) lab::refuse("no word '%s' here; see --help", words[0].c_str());
    if (o.random) o.characters = lab::Random(o.seed).between(1, o.random);
    const std::string text = text_of(o);
    const std::vector<Way> all = ways(text, o.buffer);
    const lab::Table table = count(all);
    if (!o.json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-calls")
        .add("input", lab::Object()
                          .add("characters", o.characters)
                          .add("lines", std::ranges::count(text, '\n'))
                          .add("ends_with_line", text.back() == '\n')
                          .add("buffer", o.buffer))
        .add("rows", table.rows())
        .print();
}
