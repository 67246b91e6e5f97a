// lab-fs: how ext2 finds things, looked at from outside: the disk is read block by block.
//   lab-fs bmap [--json] FILE OFFSET     the way through index blocks, and what it costs
//   lab-fs lookup PATH                   each directory on the way, block by block
//   lab-fs bitmap [--group N] [--columns N] [PATH]
//   lab-fs free ...                      organisations of free space (free.cpp)
#include "lab.hpp"

#include <cstring>

[[noreturn]] void usage() {
    std::fputs(
        "usage: lab-fs bmap [--json] FILE OFFSET\n"
        "       lab-fs lookup PATH\n"
        "       lab-fs bitmap [--group N] [--columns N] [PATH]\n"
        "       lab-fs free [--blocks N] [--steps N] [--seed N]\n"
        "       lab-fs free --policy NAME [--blocks N] [--group N] STEP...\n"
        "NAME: table list bitmap grouped; STEP: NAME=BLOCKS allocates, -NAME gives back\n",
        stderr);
    std::exit(2);
}

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "lab-fs: %s\n", why.c_str());
    std::exit(1);
}

unsigned long number(const char* text) {
    char* end;
    const unsigned long value = std::strtoul(text, &end, 0);
    if (end == text || *end || *text == '-') usage();
    return value;
}

int main(int argc, char** argv) {
    if (argc < 2) usage();
    const std::string_view what = argv[1];
    std::vector<std::string> words(argv + 2, argv + argc);
    const bool json = !words.empty() && words[0] == "--json";
    if (json) words.erase(words.begin());
    if (what == "bmap") return bmap(words, json);
    if (json) usage();
    if (what == "lookup") return lookup(words);
    if (what == "bitmap") return bitmap(words);
    if (what == "free") return free_space(words);
    usage();
}
