// Ten thousand rounds of something leave no memory behind.
#pragma once

#include "tests/guest/check.hpp"

namespace check {

inline long free_memory() {  // KiB
    char text[256] = {};
    const int fd = needs("/proc/meminfo", open("/proc/meminfo", O_RDONLY));
    needs("read", read(fd, text, sizeof text - 1));
    close(fd);
    return atol(strstr(text, "MemFree:") + 8);
}

// round() makes something and gives it back; 0 if all went well. `most`: KiB that caches may keep.
template <typename Round>
void no_leak(Round round, long most, Where where = Where::current()) {
    for (int i = 0; i < 100; ++i) round();
    const long before = free_memory();
    int bad = 0;
    for (int i = 0; i < 10'000; ++i) bad += round();
    equal("10,000 rounds", bad, 0, where);
    that("no leak", free_memory() > before - most, where);
}

}  // namespace check
