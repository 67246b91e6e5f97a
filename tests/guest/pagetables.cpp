// Prints what the MMU allows of the kernel's half, run by run: the system test pagetables compares
// it with the kernel's sections. By itself: nothing there is the user's; nothing of the user's half
// belongs to the kernel.
#include <vector>

#include "check.hpp"
#include "kernel/uapi/page_walk.h"

using namespace check;

namespace {
constexpr uint32_t kPresent = 1, kWritable = 2, kUser = 4, kBig = 0x80, kHalf = 0xC0000;
}

int main() {
    const int fd = needs("open", open("/proc/self/page_walk", O_RDONLY));
    std::vector<page_walk> walk(1024);
    uint32_t open_to_users = 0, kernels = 0, present = 0, first = 0, last_rights = 0;
    for (uint32_t page = 0; page < 1u << 20; page += walk.size()) {
        needs("read", pread64(fd, walk.data(), walk.size() * sizeof walk[0],
                              off64_t(page) * sizeof walk[0]));
        for (uint32_t i = 0; i < walk.size(); ++i) {
            const auto& [directory, upper, lower, reserved] = walk[i];
            const uint32_t both = upper & kBig ? upper : upper & lower;
            const uint32_t rights = both & kPresent ? both & (kPresent | kWritable | kUser) : 0;
            if (page + i >= kHalf) {
                if (both & kPresent && both & kUser) ++open_to_users;
                if (rights != last_rights) {
                    if (last_rights)
                        printf("%05x %05x %s\n", first, page + i,
                               last_rights & kWritable ? "rw" : "r");
                    first = page + i;
                    last_rights = rights;
                }
            } else if (rights) {
                ++present;
                kernels += !(rights & kUser);
            }
        }
    }
    fflush(stdout);
    equal("pages of the kernel's half that programs may touch", open_to_users, 0);
    equal("pages of the program that it may not", kernels, 0);
    that("a program has pages", present > 10);
    return done();
}
