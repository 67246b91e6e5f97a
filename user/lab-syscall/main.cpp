// lab-syscall: system calls by hand, with arguments that a library would not let through: numbers beyond
// the table, 64 bits in two registers, pointers that lie. What comes back is shown as the kernel says it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "user/lab-syscall/library.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/trace.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-syscall PART ...\n"
    "enter POSITION...         getpid and _llseek (five registers), by the program's own INT 0x80\n"
    "returned RESULT...        what the library returns for a result of the kernel, and errno\n"
    "put KIND SIZE LENGTH...   lines of so many characters through a buffer: the writes that it "
    "takes\n"
    "                          (KIND: none, line, full)\n"
    "number N...               calls with numbers that may be none\n"
    "wide POSITION...          ftruncate64, pwrite64, pread64, fallocate at these places of a "
    "file\n"
    "lie WHAT=WHERE...         what is passed (mask: 8 bytes; name: a string), and where it lies: "
    "an\n"
    "                          address, end-8 (8 bytes before memory ends), long-5000 (a name so "
    "long)\n"
    "name HOST WHERE...        oldolduname, and uname beside it; then to those places\n"
    "    # lab-syscall lie mask=16 mask=end-8 mask=end-7\n"
    "    mask=16         EFAULT\n"
    "    mask=end-8      0\n"
    "    mask=end-7      EFAULT\n";

using Words = std::vector<std::string>;

std::string text_of(long result) {
    if (result != -1) return std::to_string(result);
    return strerrorname_np(errno) ? strerrorname_np(errno) : std::to_string(errno);
}
long long wide_number(const char* what, const std::string& text) {
    char* end = nullptr;
    errno = 0;
    const long long value = std::strtoll(text.c_str(), &end, 0);
    if (text.empty() || *end || errno) lab::refuse("%s is a number; not '%s'", what, text.c_str());
    return value;
}
int scratch_file() {
    const int file = open("/root", O_RDWR | O_TMPFILE | O_LARGEFILE, 0600);
    if (file < 0) lab::fail("/root: %s", strerror(errno));
    return file;
}
void say_step(const std::string& text) { lab::write_file("/proc/trace_marker", "step " + text); }
unsigned low(unsigned long long value) { return static_cast<unsigned>(value); }
unsigned high(unsigned long long value) { return static_cast<unsigned>(value >> 32); }

void enter(const Words& words) {
    printf("getpid %s\n", library::enter_kernel(SYS_getpid) == getpid() ? "same" : "another");
    const int file = scratch_file();
    for (const std::string& word : words) {
        const long long position = wide_number("POSITION", word);
        long long result = -1;
        say_step(word);
        const long status = library::enter_kernel(
            SYS__llseek, file, static_cast<long>(high(position)), static_cast<long>(low(position)),
            reinterpret_cast<long>(&result), SEEK_SET);
        printf("_llseek %lld %ld, at %lld\n", position, status, result);
    }
}

void returned(const Words& words) {
    for (const std::string& word : words) {
        const long long result = wide_number("RESULT", word);
        say_step(word);
        errno = 0;
        const long value = library::returned(static_cast<long>(result));
        printf("%lld returned %ld errno %d\n", result, value, errno);
    }
}

void put(const Words& words) {
    if (words.size() < 3) lab::refuse("put wants KIND SIZE LENGTH...; see --help");
    const std::string kind = lab::one_of("KIND", words[0], {"none", "line", "full"});
    std::string buffer(static_cast<size_t>(lab::number("SIZE", words[1], 1, 65'536)), ' ');
    std::string text;
    for (size_t i = 2; i < words.size(); ++i)
        text += std::string(static_cast<size_t>(lab::number("LENGTH", words[i], 1, 500)) - 1, 'x') +
                '\n';
    const int file = scratch_file();
    library::Writer writer(file,
                           kind == "none"   ? library::Buffering::none
                           : kind == "line" ? library::Buffering::line
                                            : library::Buffering::full,
                           buffer);
    {
        const lab::Setting events("/proc/sys/kernel/trace/events", "syscall mark");
        say_step("put");
        for (const char c : text) writer.put(c);
        writer.flush();
        say_step("end");
    }
    std::string sizes, found(text.size() + 1, ' ');
    for (lab::TraceEvent& event : lab::read_trace())
        if (event.thread == gettid() && event.name == "call" && event.fields["call"] == "write" &&
            std::stol(event.fields["a"], nullptr, 16) == file)
            sizes += ' ' + std::to_string(std::stol(event.fields["c"], nullptr, 16));
    found.resize(static_cast<size_t>(pread(file, found.data(), found.size(), 0)));
    printf("the file is %s\nwrites%s\n", found == text ? "right" : "wrong", sizes.c_str());
}

void number(const Words& words) {
    for (const std::string& word : words) {
        const long long number = wide_number("N", word);
        say_step(word);
        printf("%lld %s\n", number, text_of(syscall(static_cast<long>(number))).c_str());
    }
}

void wide(const Words& words) {
    const int file = scratch_file();
    char written = 'a';
    for (const std::string& word : words) {
        const long long at = wide_number("POSITION", word);
        say_step(word);
        printf("ftruncate64 %lld %s", at,
               text_of(syscall(SYS_ftruncate64, file, low(at), high(at))).c_str());
        struct stat64 about {};
        fstat64(file, &about);
        printf(", size %lld\n", static_cast<long long>(about.st_size));
        ++written;
        char read = 0;
        printf("pwrite64 %lld %s", at,
               text_of(syscall(SYS_pwrite64, file, &written, 1, low(at), high(at))).c_str());
        fstat64(file, &about);
        printf(", size %lld\n", static_cast<long long>(about.st_size));
        printf("pread64 %lld %s", at,
               text_of(syscall(SYS_pread64, file, &read, 1, low(at), high(at))).c_str());
        printf(", %s\n", read == written ? "same" : "another");
        for (const unsigned bytes : {0, 1})
            printf("fallocate %lld bytes %u %s\n", at, bytes,
                   text_of(syscall(SYS_fallocate, file, 0, low(at), high(at), bytes, 0)).c_str());
    }
}

// Two pages, of which the second is taken away: where the first ends, memory ends.
char* memory_end() {
    static char* end = [] {
        auto* pages = static_cast<char*>(
            mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (pages == MAP_FAILED || munmap(pages + 4096, 4096))
            lab::fail("memory: %s", strerror(errno));
        return pages + 4096;
    }();
    return end;
}

// The address that WHERE means. `string`: there is one there, of names that are no files; cut-N: it
// runs to the end of memory without a NUL.
unsigned long place(const std::string& where, bool string) {
    const size_t dash = where.find('-');
    if (dash == where.npos) {
        char* end = nullptr;
        const unsigned long address = std::strtoul(where.c_str(), &end, 0);
        if (where.empty() || *end)
            lab::refuse("WHERE is an address, end-N, cut-N or long-N; not '%s'", where.c_str());
        return address;
    }
    const std::string kind = lab::one_of("WHERE", where.substr(0, dash), {"end", "cut", "long"});
    const long bytes = lab::number("N", where.substr(dash + 1), 1, kind == "long" ? 10'000 : 4096);
    static char text[10'002];
    char* at = kind == "long" ? text : memory_end() - bytes;
    for (long i = 0; string && i < bytes; ++i) at[i] = i % 2 ? 'x' : '/';
    if (string && kind == "end") at[bytes - 1] = 0;
    if (kind == "long") at[bytes] = 0;
    return reinterpret_cast<unsigned long>(at);
}

void lie(const Words& words) {
    memory_end();
    for (const std::string& word : words) {
        const size_t equals = std::min(word.find('='), word.size());
        const bool string = lab::one_of("WHAT", word.substr(0, equals), {"mask", "name"}) == "name";
        const unsigned long at = place(word.substr(std::min(equals + 1, word.size())), string);
        say_step(word);
        // To unblock what is nowhere blocked, and to ask for a file that is not there, changes nothing.
        const long result =
            string ? syscall(SYS_access, at, F_OK) : syscall(SYS_rt_sigprocmask, 1, at, 0, 8);
        printf("%-15s %s\n", word.c_str(), text_of(result).c_str());
    }
}

void name(const Words& words) {
    constexpr long kOldOldUname = 59;
    if (words.empty()) lab::refuse("name wants HOST; see --help");
    if (sethostname(words[0].data(), words[0].size()))
        lab::fail("sethostname: %s", strerror(errno));
    utsname whole{};
    uname(&whole);
    char old[5][9];
    memset(old, '?', sizeof old);
    say_step("name");
    const long result = syscall(kOldOldUname, old);
    printf("oldolduname %s\n", text_of(result).c_str());
    const char* fields[] = {whole.sysname, whole.nodename, whole.release, whole.version,
                            whole.machine};
    for (int i = 0; i < 5; ++i) printf("%.9s|%s\n", old[i], fields[i]);
    for (size_t i = 1; i < words.size(); ++i) {
        const unsigned long at = place(words[i], false);
        say_step(words[i]);
        printf("to %s %s\n", words[i].c_str(), text_of(syscall(kOldOldUname, at)).c_str());
    }
}

}  // namespace

int main(int argc, char** argv) {
    Words words = lab::Command(kHelp).parse(argc, argv);
    if (words.empty()) lab::refuse("wants a PART; see --help");
    constexpr std::pair<const char*, void (*)(const Words&)> kParts[] = {
        {"enter", enter}, {"returned", returned}, {"put", put},  {"number", number},
        {"wide", wide},   {"lie", lie},           {"name", name}};
    std::vector<std::string> names;
    for (const auto& part : kParts) names.push_back(part.first);
    const std::string chosen = lab::one_of("PART", words[0], names);
    words.erase(words.begin());
    for (const auto& [part, run] : kParts)
        if (chosen == part) run(words);
}
