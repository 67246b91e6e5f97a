// Random numbers: for /dev/urandom, getrandom, and what execve gives programs. Declared here
// because rooms high and low want them; made in fs/dev/random.cpp. Locks: an IrqSpinLock (rank
// random), briefly; callable from everywhere.
#pragma once

#include <cstdint>

// `has_seed`: the numbers are a function of `seed`, for repeatable runs. Else of what the machine
// offers: time stamps, the time of day, RDRAND.
void random_init(bool has_seed, uint32_t seed);
void random_bytes(void* to, uint32_t bytes);
