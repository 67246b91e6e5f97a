// lab-traps: what leads from a program into the kernel without a system call. Privileged instructions
// and errors are tried in ring 3, each in a child process whose signal handler tells what the CPU
// reported (vector, error code, CS and the privilege level in it) and which signal came, with its code;
// then devices and the timer interrupt from outside. Beside each: how often /proc/interrupts counted it
// meanwhile, and how many events the trace has of it.
#include <asm/ldt.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-traps [--times N] [--timer MS] [--json] [NAME|int=VECTOR...]\n"
    "Tries privileged instructions and errors in ring 3 (all, or those named) N times (1), then "
    "computes\n"
    "for MS milliseconds (100; 0: not at all) while the timer interrupts. int=69 does INT 69.\n"
    "counted: in /proc/interrupts; traced: in the trace, which has no page faults.\n"
    "    # lab-traps cli divide\n"
    "    what    why         came as  vector  error  signal   code  CS  CPL  counted  traced\n"
    "    cli     privileged  #GP          13      0  SIGSEGV   128  73    3        1       1\n"
    "    divide  error       #DE           0      0  SIGFPE      1  73    3        1       1\n"
    "    timer   external    LOC           -      -  -           -   -    -       10      10\n";

int made_int;  // the vector of int=VECTOR

// INT has its vector in the instruction: that one is made here.
void any_interrupt() {
    auto* code = static_cast<unsigned char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (code == MAP_FAILED) return;
    code[0] = 0xcd, code[1] = static_cast<unsigned char>(made_int), code[2] = 0xc3;
    reinterpret_cast<void (*)()>(code)();
}

// The selector of a segment that is not present.
unsigned missing_segment() {
    user_desc d{};
    d.entry_number = 0, d.limit = 4095, d.seg_32bit = 1, d.seg_not_present = 1;
    syscall(SYS_modify_ldt, 1, &d, sizeof d);
    return 7;  // entry 0 of the local table, ring 3
}

// A page of a file that ends before it.
void past_the_end() {
    const int file = open("/etc/passwd", O_RDONLY);
    auto* page = static_cast<char*>(mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, file, 0));
    [[maybe_unused]] volatile char byte = page[4096];
}

// Divides by 0 after having asked the x87 to say so.
void x87_divides() {
    const unsigned short control = 0x037b;
    asm volatile("fninit; fldcw %0; fldz; fld1; fdivp; fwait" ::"m"(control));
}

struct Attempt {
    const char *name, *why;
    void (*run)();
};
constexpr Attempt kAttempts[] = {
    {"cli", "privileged", [] { asm volatile("cli"); }},
    {"sti", "privileged", [] { asm volatile("sti"); }},
    {"hlt", "privileged", [] { asm volatile("hlt"); }},
    {"in", "privileged",
     [] {
         asm volatile("inb $0x60, %%al" ::: "eax");
     }},
    {"out", "privileged",
     [] {
         asm volatile("outb %%al, $0x80" ::: "memory");
     }},
    {"mov-cr3", "privileged",
     [] {
         asm volatile("movl %%eax, %%cr3" ::: "memory");
     }},
    {"lidt", "privileged",
     [] {
         asm volatile("lidt (%%esp)" ::: "memory");
     }},
    {"rdmsr", "privileged",
     [] {
         asm volatile("rdmsr" ::: "eax", "edx");
     }},
    {"int-0x20", "privileged", [] { asm volatile("int $0x20"); }},
    {"divide", "error", [] { asm volatile("divl %%ecx" ::"a"(1), "d"(0), "c"(0)); }},
    {"opcode", "error", [] { asm volatile("ud2"); }},
    {"breakpoint", "asked for", [] { asm volatile("int3"); }},
    {"overflow", "asked for",
     [] {
         asm volatile("movb $127, %%al; addb $1, %%al; into" ::: "eax");
     }},
    {"bound", "error",
     [] {
         const int bounds[2] = {0, 1};
         asm volatile("boundl %0, %1" ::"r"(5), "m"(bounds));
     }},
    {"address", "error",
     [] {
         asm volatile("movl 16, %%eax" ::: "eax");
     }},
    {"read-only", "error",
     [] {
         auto* text = const_cast<char*>(kHelp);
         asm volatile("movb $0, (%0)" ::"r"(text) : "memory");
     }},
    {"past-end", "error", past_the_end},
    {"segment", "error", [] { asm volatile("movl %0, %%fs" ::"r"(missing_segment())); }},
    {"stack", "error", [] { asm volatile("movl %0, %%ss" ::"r"(missing_segment())); }},
    {"x87", "error", x87_divides},
    {"step", "asked for",
     [] {
         asm volatile("pushfl; orl $256, (%%esp); popfl; nop" ::: "cc", "memory");
     }},
};

struct Report {
    int signal, code, vector, error, cs;
};
int answers[2];

void tell(int signal, siginfo_t* info, void* context) {
    const greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const Report report{signal, info->si_code, registers[REG_TRAPNO], registers[REG_ERR],
                        registers[REG_CS]};
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

// "#GP", "LOC", "14" of /proc/interrupts: how often, on all CPUs together; "LOC": "16".
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

void mark() {
    static const std::string text = "traps " + std::to_string(getpid());
    lab::write_file("/proc/trace_marker", text);
}

// How many events of each kind the trace has before the first mark of this run, before the second, ...
// An exception is called by its name, "#GP". Line by line: to keep all would need so many pages that
// their faults push the events out.
std::vector<std::map<std::string, long>> traced() {
    const std::string ours = "text=traps " + std::to_string(getpid());
    constexpr std::string_view kException = " exception vector=";
    std::vector<std::map<std::string, long>> parts(1);
    std::ifstream trace("/proc/trace");
    for (std::string line; std::getline(trace, line);) {
        const size_t exception = line.find(kException);
        if (line.ends_with(ours)) parts.emplace_back();
        if (exception != line.npos) ++parts.back()[line.substr(exception + kException.size(), 3)];
        if (line.find(" interrupt line=") != line.npos) ++parts.back()["interrupt"];
    }
    return parts;
}

std::string signal_name(int signal) {
    return signal ? std::string("SIG") + sigabbrev_np(signal) : "none";
}

struct Row {
    std::string what, why, came_as;
    Report report;
    long counted;
};

// The processor's names of vectors that a program can reach (SDM vol. 3A, table 6-1).
std::string exception_name(int vector) {
    constexpr const char* kNames[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD",
                                      "#NM", "#DF", "9",   "#TS", "#NP", "#SS", "#GP",
                                      "#PF", "15",  "#MF", "#AC", "#MC", "#XM"};
    return vector < 20 ? kNames[vector] : std::to_string(vector);
}

Row try_it(const std::string& what, const Attempt& a, long times) {
    auto before = counts();
    mark();
    Report r{};
    for (long i = 0; i < times; ++i) r = attempt(a);
    mark();
    const std::string came_as = r.signal ? exception_name(r.vector) : "nothing";
    return {what, a.why, came_as, r, counts()[came_as] - before[came_as]};
}

// From outside, while this program computes.
Row timer(long milliseconds) {
    mark();
    auto before = counts();
    for (const int64_t end = lab::now() + milliseconds * 1'000'000; lab::now() < end;)
        asm volatile("");
    auto after = counts();
    mark();
    const bool local = after.contains("LOC");
    const std::string tag = local ? "LOC" : "0";
    return {"timer", "external", tag, {}, after[tag] - before[tag]};
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    long times = 1, milliseconds = 100;
    std::vector<std::string> names;
    for (const Attempt& a : kAttempts) names.push_back(a.name);
    std::vector<std::string> words = lab::Command(kHelp)
                                         .number("--times", times, 1, 1000)
                                         .number("--timer", milliseconds, 0, 10'000)
                                         .flag("--json", json)
                                         .parse(argc, argv);
    for (const std::string& word : words)
        if (!word.starts_with("int=")) lab::one_of("NAME", word, names);
    if (pipe(answers)) lab::fail("pipe: %s", strerror(errno));

    std::vector<Row> rows;
    for (const Attempt& a : kAttempts)
        if (words.empty() || std::ranges::find(words, a.name) != words.end())
            rows.push_back(try_it(a.name, a, times));
    for (const std::string& word : words) {
        if (!word.starts_with("int=")) continue;
        made_int = static_cast<int>(lab::number("VECTOR", word.substr(4), 0, 255));
        rows.push_back(try_it("int-" + word.substr(4), {"", "asked for", any_interrupt}, times));
    }
    if (milliseconds) rows.push_back(timer(milliseconds));

    lab::Table table({{"what", "what"},
                      {"why", "why"},
                      {"came_as", "came as"},
                      {"vector", "vector"},
                      {"error", "error"},
                      {"signal", "signal"},
                      {"code", "code"},
                      {"cs", "CS"},
                      {"cpl", "CPL"},
                      {"counted", "counted"},
                      {"traced", "traced"}});
    auto parts = traced();
    const lab::Cell none("-", nullptr);
    for (size_t i = 0; i < rows.size(); ++i) {
        const Row& r = rows[i];
        const Report& p = r.report;
        const bool external = r.why == "external";
        const long events =
            2 * i + 1 < parts.size() ? parts[2 * i + 1][external ? "interrupt" : r.came_as] : 0;
        if (external)
            table.row(
                {r.what, r.why, r.came_as, none, none, none, none, none, none, r.counted, events});
        else
            table.row({r.what, r.why, r.came_as, p.vector, p.error, signal_name(p.signal), p.code,
                       p.cs, p.cs & 3, r.counted, events});
    }
    if (!json) return table.print(), 0;
    lab::Object()
        .add("lab", "lab-traps")
        .add("input", lab::Object().add("names", words))
        .add("rows", table.rows())
        .print();
}
