// lab-disk: what a disk costs, and how its queue is ordered.
//   lab-disk modes [--json] [--kib N] [DISK]     one read by polling, interrupts and DMA
//   lab-disk elevators [--json] [--disk DISK] [--cylinders N] [--head C] [--down] [--computed]
//                      [CYLINDER...]             one set of requests under each elevator
// DISK is a name of /proc/sys/dev/disk: hda.
#include "lab.hpp"

[[noreturn]] void usage() {
    std::fputs(
        "usage: lab-disk modes [--json] [--kib N] [DISK]\n"
        "       lab-disk elevators [--json] [--disk DISK] [--cylinders N] [--head C] [--down]\n"
        "                          [--computed] [CYLINDER...]\n",
        stderr);
    std::exit(2);
}

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "lab-disk: %s\n", why.c_str());
    std::exit(1);
}

unsigned long number(const std::string& text) {
    char* end;
    const unsigned long value = std::strtoul(text.c_str(), &end, 10);
    if (text.empty() || *end || text[0] == '-') usage();
    return value;
}

int main(int argc, char** argv) {
    if (argc < 2) usage();
    const std::string_view what = argv[1];
    std::vector<std::string> words;
    bool json = false;
    for (int i = 2; i < argc; ++i)
        if (std::string_view(argv[i]) == "--json")
            json = true;
        else
            words.push_back(argv[i]);
    if (what == "modes") return modes(words, json);
    if (what == "elevators") return elevators(words, json);
    usage();
}
