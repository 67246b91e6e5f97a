// lab-descriptor: segment descriptors that the kernel makes of words (modify_ldt, set_thread_area): the
// eight bytes, what the processor says of them, and the words that the kernel reads out of them again.
#include <asm/ldt.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "user/lab/command.hpp"
#include "user/lab/lines.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-descriptor [--json] [tls=]BASE:LIMIT[:FLAG,FLAG...]...\n"
    "Base and limit in hexadecimal; flags: stack code conforming (else data), read-only, 16-bit, "
    "pages,\n"
    "absent, usable. Each becomes a local descriptor: its eight bytes, and its last offset as the "
    "processor\n"
    "says (LSL; none: not usable, or absent). tls=: a thread's own descriptor, and what "
    "get_thread_area tells.\n"
    "    # lab-descriptor 12345678:fff:read-only tls=2000:fffff:pages\n"
    "    12345678:fff:read-only: 1240f13456780fff, last 00000fff\n"
    "    tls=2000:fffff:pages: 2000:fffff:pages\n";

struct Flag {
    const char* name;
    unsigned bit;
};
constexpr Flag kFlags[] = {{"stack", 1 << 1}, {"code", 2 << 1}, {"conforming", 3 << 1},
                           {"read-only", 8},  {"pages", 16},    {"absent", 32},
                           {"usable", 64}};
constexpr unsigned kIs32Bit = 1, kContents = 6;

struct Words {
    unsigned entry, base, limit, flags;
};
static_assert(sizeof(Words) == sizeof(user_desc));

Words words_of(const std::string& text) {
    const std::vector<std::string> parts = lab::split(text, ":");
    if (parts.size() < 2 || parts.size() > 3)
        lab::refuse("BASE:LIMIT:FLAGS, not '%s'", text.c_str());
    Words words{0, static_cast<unsigned>(strtoul(parts[0].c_str(), nullptr, 16)),
                static_cast<unsigned>(strtoul(parts[1].c_str(), nullptr, 16)), kIs32Bit};
    if (parts.size() == 3)
        for (const std::string& name : lab::split(parts[2], ",")) {
            bool known = name == "16-bit";
            if (known) words.flags &= ~kIs32Bit;
            for (const Flag& flag : kFlags)
                if (name == flag.name) words.flags |= flag.bit, known = true;
            if (!known) lab::refuse("no flag '%s'; see --help", name.c_str());
        }
    return words;
}

std::string text_of(const Words& words) {
    char text[40];
    snprintf(text, sizeof text, "%x:%x", words.base, words.limit);
    std::string all = text, flags;
    for (const Flag& flag : kFlags)
        if (flag.bit & kContents ? (words.flags & kContents) == flag.bit : words.flags & flag.bit)
            flags += (flags.empty() ? "" : ",") + std::string(flag.name);
    if (!(words.flags & kIs32Bit)) flags += std::string(flags.empty() ? "" : ",") + "16-bit";
    return flags.empty() ? all : all + ":" + flags;
}

std::string local(Words words) {
    constexpr unsigned kRead = 0, kWrite = 0x11, kSelector = 7;  // entry 0, local, ring 3
    if (syscall(SYS_modify_ldt, kWrite, &words, sizeof words) < 0) return strerror(errno);
    uint64_t raw = 0;
    if (syscall(SYS_modify_ldt, kRead, &raw, sizeof raw) < 0) return strerror(errno);
    unsigned last;
    bool valid;
    asm volatile("lsl %2, %0; setz %1" : "=&r"(last), "=q"(valid) : "r"(kSelector) : "cc");
    char text[60];
    snprintf(text, sizeof text, "%016llx, last ", static_cast<unsigned long long>(raw));
    if (!valid) return text + std::string("none");
    snprintf(text + strlen(text), 12, "%08x", last);
    return text;
}

std::string own(Words words) {
    static unsigned entry = ~0u;  // the kernel chooses one
    words.entry = entry;
    if (syscall(SYS_set_thread_area, &words) < 0) return strerror(errno);
    entry = words.entry;
    Words read{entry, 0, 0, 0};
    if (syscall(SYS_get_thread_area, &read) < 0) return strerror(errno);
    return text_of(read);
}

}  // namespace

int main(int argc, char** argv) {
    lab::Lines lines;
    const std::vector<std::string> words =
        lab::Command(kHelp).flag("--json", lines.as_json).parse(argc, argv);
    if (words.empty()) lab::refuse("which descriptor? Like 1000:fff:code; see --help");
    for (const std::string& word : words) {
        const bool thread = word.starts_with("tls=");
        const Words wanted = words_of(thread ? word.substr(4) : word);
        lines.say(word + ": " + (thread ? own(wanted) : local(wanted)));
    }
    lines.end("lab-descriptor", words);
}
