// RLIMIT_RSS, with a file as swap: a program has no more pages of its own in memory than that, from
// the moment it is set, and loses none. Its children and what they execute have it too.
// Spec: getrlimit(2).
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/swap.h>

#include <algorithm>
#include <fstream>

#include "check.hpp"

using namespace check;

namespace {

constexpr int kPage = 4096, kPages = 1024, kLimit = 1 << 20;

// Kilobytes.
long own_resident() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("RssAnon:")) return strtol(line.c_str() + 8, nullptr, 10);
    return -1;
}

// 0: within the limit, and all is there.
int sweep() {
    auto* memory = static_cast<unsigned char*>(
        mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    long most = 0;
    int wrong = 0;
    for (int round = 0; round < 2; ++round)
        for (int i = 0; i < kPages; ++i) {
            if (round) wrong += memory[i * kPage] != static_cast<unsigned char>(i + 1);
            memory[i * kPage] = static_cast<unsigned char>(i + 1);
            if (i % 256 == 0) most = std::max(most, own_resident());
        }
    if (most > kLimit / 1024 + 256) print("# " + std::to_string(most) + " kB\n");
    return wrong ? 1 : most > kLimit / 1024 + 256 ? 2 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) return sweep();
    needs("swap", system("dd if=/dev/zero of=/rss.swap bs=1M count=5 2>/dev/null && "
                         "mkswap /rss.swap >/dev/null") == 0
                      ? 0
                      : -1);
    needs("swapon", swapon("/rss.swap", 0));
    const rlimit limit = {kLimit, kLimit};
    exits("set now", 0, [&] { return setrlimit(RLIMIT_RSS, &limit) ? 9 : sweep(); });
    exits("inherited", 0, [&] {
        if (setrlimit(RLIMIT_RSS, &limit)) return 9;
        return WEXITSTATUS(status_of(sweep));
    });
    exits("by a program as well", 0, [&] {
        if (setrlimit(RLIMIT_RSS, &limit)) return 9;
        execl(argv[0], argv[0], "sweep", nullptr);
        return 8;
    });
    exits("none without it", 2, sweep);
    succeeds("swapoff", swapoff("/rss.swap"));
    unlink("/rss.swap");
    return done();
}
