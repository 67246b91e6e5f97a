// VERIFY in the pure classes of the kernel that labs run themselves.
#include "kernel/lib/verify.hpp"

#include <cstdio>
#include <cstdlib>

void verify_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: VERIFY(%s)\n", file, line, condition);
    std::abort();
}
