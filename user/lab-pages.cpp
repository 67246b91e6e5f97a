// lab-pages: what is done with a few pages, and what the page tables and the TLB make of it: accesses,
// rights taken and given, pages unmapped and exchanged, and the walk of the MMU.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "kernel/uapi/page_walk.h"
#include "user/lab/command.hpp"
#include "user/lab/lines.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-pages [--json] WORD...\n"
    "48 pages at 203fa000: the first 6 of one page table, the others of the next. N is a page, A-B "
    "a range.\n"
    "wN=V writes V, rN reads; roA-B, rwA-B and noneA-B set rights, unmapA-B unmaps: how many pages "
    "the TLB\n"
    "was told to forget; xA,B: two pages change places, and all TLBs are told (hereA,B: this "
    "CPU's; "
    "staleA,B:\n"
    "none); walkN: what the MMU finds (frames are A, B, ... as they come); kernel=ADDRESS: the "
    "same "
    "for an\n"
    "address of the kernel.\n"
    "    # lab-pages w3=5 walk3 walk4 ro3-3 w3=6 r3\n"
    "    w3=5: 5\n"
    "    walk3: directory 128, table 1021: present writable user accessed dirty, frame A\n"
    "    walk4: directory 128, table 1022: nothing\n"
    "    ro3-3: 1 forgotten\n"
    "    w3=6: refused\n"
    "    r3: 5\n";

constexpr unsigned kBase = 0x203fa000, kPages = 48, kPage = 4096;

sigjmp_buf refused;
void on_refusal(int) { siglongjmp(refused, 1); }

volatile unsigned* at(unsigned page) {
    return reinterpret_cast<volatile unsigned*>(kBase + page * kPage);
}

std::string access(bool writes, unsigned page, unsigned value) {
    if (sigsetjmp(refused, 1)) return "refused";
    if (writes) *at(page) = value;
    return std::to_string(*at(page));
}

// INVLPGs of this CPU, and whole TLBs, so far.
struct Forgotten {
    unsigned pages = 0, whole = 0;
    Forgotten() {
        if (sscanf(lab::read_file("/proc/tlb").c_str(), "cpu0 pages %u whole %u", &pages, &whole) !=
            2)
            lab::fail("/proc/tlb cannot be read");
    }
};

std::string change(const std::string& verb, unsigned first, unsigned last) {
    const Forgotten before;
    const size_t bytes = (last - first + 1) * kPage;
    void* const start = reinterpret_cast<void*>(kBase + first * kPage);
    const int rights = verb == "none" ? PROT_NONE
                       : verb == "ro" ? PROT_READ
                                      : PROT_READ | PROT_WRITE;
    if ((verb == "unmap" ? munmap(start, bytes) : mprotect(start, bytes, rights)) != 0)
        lab::fail("%s: %s", verb.c_str(), strerror(errno));
    const Forgotten after;
    if (after.whole != before.whole) return "all forgotten";
    return std::to_string(after.pages - before.pages) + " forgotten";
}

std::string exchange(unsigned a, unsigned b, const char* whom) {
    const std::string order = "exchange " + std::to_string(kBase + a * kPage) + " " +
                              std::to_string(kBase + b * kPage) + " " + whom;
    const int error = lab::write_file("/proc/tlb", order);
    return error ? strerror(error) : "done";
}

page_walk walk_to(unsigned address) {
    page_walk walk = {};
    const int file = open("/proc/self/page_walk", O_RDONLY | O_CLOEXEC);
    pread(file, &walk, sizeof walk, static_cast<off_t>(address >> 12) * off_t{sizeof walk});
    close(file);
    return walk;
}

std::string flags(uint32_t entry) {
    constexpr struct {
        uint32_t bit;
        const char* name;
    } kFlags[] = {{1, "present"},     {2, "writable"}, {4, "user"},
                  {0x20, "accessed"}, {0x40, "dirty"}, {0x200, "held"}};
    std::string text;
    for (const auto& flag : kFlags)
        if (entry & flag.bit) text += (text.empty() ? "" : " ") + std::string(flag.name);
    return text;
}

std::string show_walk(unsigned page) {
    static std::map<uint32_t, char> frames;
    const unsigned address = kBase + page * kPage;
    const page_walk walk = walk_to(address);
    std::string text = "directory " + std::to_string(address >> 22) + ", table " +
                       std::to_string(address >> 12 & 1023) + ": ";
    if (!walk.upper) return text + "no table";
    text += walk.lower ? flags(walk.lower) : "nothing";
    if (!walk.physical) return text;
    const auto found = frames.insert({walk.physical, static_cast<char>('A' + frames.size())}).first;
    return text + ", frame " + found->second +
           (walk.physical == (walk.lower & ~(kPage - 1)) ? "" : ", not where the entry says");
}

std::string show_kernel(unsigned address) {
    const page_walk walk = walk_to(address);
    char text[80];
    snprintf(text, sizeof text, "%s, physical %08x",
             walk.upper & 0x80 ? walk.lower ? "4 MiB and a table" : "4 MiB" : "a table",
             walk.physical | (address & (kPage - 1)));
    return text;
}

unsigned page_of(const std::string& text) {
    return static_cast<unsigned>(lab::number("a page", text, 0, kPages - 1));
}

bool is_access(const std::string& word) {
    return word.size() > 1 && (word[0] == 'w' || word[0] == 'r') && isdigit(word[1]);
}

std::string perform(const std::string& word) {
    const size_t letters = word.find_first_of("0123456789=");
    const std::string verb = word.substr(0, letters);
    if (letters == word.npos) lab::refuse("no word '%s'; see --help", word.c_str());
    const std::string rest = word.substr(letters);
    if (verb == "kernel")
        return show_kernel(static_cast<unsigned>(strtoul(rest.c_str() + 1, nullptr, 16)));
    const std::vector<std::string> value = lab::split(rest, "="), range = lab::split(rest, "-"),
                                   pair = lab::split(rest, ",");
    if (verb == "w" && value.size() == 2)
        return access(true, page_of(value[0]),
                      static_cast<unsigned>(lab::number("a value", value[1], 0, 1'000'000)));
    if (verb == "r") return access(false, page_of(rest), 0);
    if (verb == "walk") return show_walk(page_of(rest));
    if (range.size() == 2 && (verb == "ro" || verb == "rw" || verb == "none" || verb == "unmap"))
        return change(verb, page_of(range[0]), page_of(range[1]));
    if (pair.size() == 2 && (verb == "x" || verb == "here" || verb == "stale"))
        return exchange(page_of(pair[0]), page_of(pair[1]),
                        verb == "x"      ? "all"
                        : verb == "here" ? "here"
                                         : "none");
    lab::refuse("no word '%s'; see --help", word.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    lab::Lines lines;
    const std::vector<std::string> words =
        lab::Command(kHelp).flag("--json", lines.as_json).parse(argc, argv);
    if (words.empty()) lab::refuse("what is to be done? Like w3=5 walk3 r3; see --help");
    if (mmap(reinterpret_cast<void*>(kBase), kPages * kPage, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        lab::fail("mmap: %s", strerror(errno));
    struct sigaction action = {};
    action.sa_handler = on_refusal;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &action, nullptr);
    // A TLB forgets by itself what it has no room for: between a change and an access nothing else is done.
    std::vector<std::string> results;
    results.reserve(words.size());
    for (const std::string& word : words) {
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        if (!is_access(word)) lab::write_file("/proc/trace_marker", word);
        results.push_back(word + ": " + perform(word));
    }
    for (const std::string& result : results) lines.say(result);
    lines.end("lab-pages", words);
}
