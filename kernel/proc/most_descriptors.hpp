// How far a table of descriptors may grow: /proc/sys/fs/nr_open. Tables that are larger already stay so, but
// cannot be copied. Spec: proc(5), setrlimit(2).
#pragma once

#include "kernel/lib/atomic.hpp"
#include "kernel/proc/limits.hpp"

inline constinit Atomic<uint32_t> most_descriptors = kMostDescriptors;
