// Costs in instructions: under icount with shift 0 one tick of the time-stamp counter is one.
#pragma once

#include <x86intrin.h>

#include <algorithm>

namespace check {

// The cheapest of several tries: interrupts and first touches only add.
template <typename F>
unsigned long long cost_of(F&& operation) {
    unsigned long long best = ~0ull;
    for (int i = 0; i < 20; ++i) {
        const unsigned long long before = __rdtsc();
        operation();
        best = std::min<unsigned long long>(best, __rdtsc() - before);
    }
    return best;
}

}  // namespace check
