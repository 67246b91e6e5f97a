// lab-traps: what leads from a program into the kernel without a system call. Privileged instructions
// and errors are tried in ring 3, each in a child process whose signal handler tells what the CPU
// reported (vector, error code, CS and the privilege level in it); then devices and the timer
// interrupt from outside. Beside each: how often /proc/interrupts counted it meanwhile.
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <sstream>

#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-traps [--json] [NAME...]\n"
    "Tries privileged instructions and errors in ring 3 (all, or those named), then waits for the "
    "timer.\n"
    "    # lab-traps cli divide\n"
    "    what    why         came as  vector  error  signal   CS  CPL  counted\n"
    "    cli     privileged  #GP          13      0  SIGSEGV  73    3        1\n"
    "    divide  error       #DE           0      0  SIGFPE   73    3        1\n"
    "    timer   external    LOC           -      -  -         -    -        8\n";

struct Attempt {
    const char *name, *why, *comes_as;
    void (*run)();
};
constexpr Attempt kAttempts[] = {
    {"cli", "privileged", "#GP", [] { asm volatile("cli"); }},
    {"sti", "privileged", "#GP", [] { asm volatile("sti"); }},
    {"hlt", "privileged", "#GP", [] { asm volatile("hlt"); }},
    {"in", "privileged", "#GP",
     [] {
         asm volatile("inb $0x60, %%al" ::: "eax");
     }},
    {"out", "privileged", "#GP",
     [] {
         asm volatile("outb %%al, $0x80" ::: "memory");
     }},
    {"mov-cr3", "privileged", "#GP",
     [] {
         asm volatile("movl %%eax, %%cr3" ::: "memory");
     }},
    {"lidt", "privileged", "#GP",
     [] {
         asm volatile("lidt (%%esp)" ::: "memory");
     }},
    {"rdmsr", "privileged", "#GP",
     [] {
         asm volatile("rdmsr" ::: "eax", "edx");
     }},
    {"int-0x20", "privileged", "#GP", [] { asm volatile("int $0x20"); }},
    {"divide", "error", "#DE", [] { asm volatile("divl %%ecx" ::"a"(1), "d"(0), "c"(0)); }},
    {"opcode", "error", "#UD", [] { asm volatile("ud2"); }},
    {"breakpoint", "asked for", "#BP", [] { asm volatile("int3"); }},
    {"overflow", "asked for", "#OF",
     [] {
         asm volatile("movb $127, %%al; addb $1, %%al; into" ::: "eax");
     }},
    {"bound", "error", "#BR",
     [] {
         const int bounds[2] = {0, 1};
         asm volatile("boundl %0, %1" ::"r"(5), "m"(bounds));
     }},
    {"address", "error", "#PF",
     [] {
         asm volatile("movl 16, %%eax" ::: "eax");
     }},
    {"step", "asked for", "#DB",
     [] {
         asm volatile("pushfl; orl $256, (%%esp); popfl; nop" ::: "cc", "memory");
     }},
};

struct Report {
    int signal, vector, error, cs;
};
int answers[2];

void tell(int signal, siginfo_t*, void* context) {
    const greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const Report report{signal, registers[REG_TRAPNO], registers[REG_ERR], registers[REG_CS]};
    static_cast<void>(!write(answers[1], &report, sizeof report));
    _exit(0);
}

Report attempt(const Attempt& what) {
    const pid_t child = fork();
    if (child < 0) lab::fail("fork: %s", strerror(errno));
    if (child == 0) {
        struct sigaction action {};
        action.sa_sigaction = tell;
        action.sa_flags = SA_SIGINFO;
        for (const int signal : {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS})
            sigaction(signal, &action, nullptr);
        what.run();
        const Report nothing{};
        static_cast<void>(!write(answers[1], &nothing, sizeof nothing));
        _exit(0);
    }
    Report report{};
    if (read(answers[0], &report, sizeof report) != sizeof report) lab::fail("no answer");
    waitpid(child, nullptr, 0);
    return report;
}

// "#GP", "LOC", "14" of /proc/interrupts: how often, on all CPUs together.
std::map<std::string, long> counts() {
    std::istringstream text(lab::read_file("/proc/interrupts"));
    std::map<std::string, long> all;
    for (std::string line; std::getline(text, line);) {
        std::istringstream words(line);
        std::string tag;
        words >> tag;
        if (tag.empty() || tag.back() != ':') continue;
        for (long count; words >> count;) all[tag.substr(0, tag.size() - 1)] += count;
    }
    return all;
}

std::string signal_name(int signal) {
    return signal ? std::string("SIG") + sigabbrev_np(signal) : "none";
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    std::vector<std::string> names;
    for (const Attempt& a : kAttempts) names.push_back(a.name);
    std::vector<std::string> words = lab::Command(kHelp).flag("--json", json).parse(argc, argv);
    for (const std::string& word : words) lab::one_of("NAME", word, names);
    if (pipe(answers)) lab::fail("pipe: %s", strerror(errno));

    lab::Table table({{"what", "what"},
                      {"why", "why"},
                      {"came_as", "came as"},
                      {"vector", "vector"},
                      {"error", "error"},
                      {"signal", "signal"},
                      {"cs", "CS"},
                      {"cpl", "CPL"},
                      {"counted", "counted"}});
    for (const Attempt& a : kAttempts) {
        if (!words.empty() && std::ranges::find(words, a.name) == words.end()) continue;
        auto before = counts();
        const Report r = attempt(a);
        const long counted = counts()[a.comes_as] - before[a.comes_as];
        table.row({a.name, a.why, a.comes_as, r.vector, r.error, signal_name(r.signal), r.cs,
                   r.cs & 3, counted});
    }
    // From outside, while this program computes.
    auto before = counts();
    for (const int64_t end = lab::now() + 100'000'000; lab::now() < end;) asm volatile("");
    auto after = counts();
    const std::string timer = after.contains("LOC") ? "LOC" : "0";
    const lab::Cell none("-", nullptr);
    table.row(
        {"timer", "external", timer, none, none, none, none, none, after[timer] - before[timer]});
    if (!json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-traps")
        .add("input", lab::Object().add("names", words))
        .add("rows", table.rows())
        .print();
}
