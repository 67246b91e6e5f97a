// What kernel code calls and a unit test need not define. Weak: a test's own definition wins.
#include <cstdio>
#include <cstdlib>

#include "kernel/arch/interrupts.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/preemption.hpp"
#include "kernel/lib/verify.hpp"
#include "kernel/sched/io_counts.hpp"

[[noreturn]] __attribute__((weak)) void verify_failed(const char* condition, const char* file,
                                                      int line) {
    std::fprintf(stderr, "%s:%d: VERIFY(%s)\n", file, line, condition);
    std::abort();
}

__attribute__((weak)) void log_line(LogLevel, std::string_view, std::span<const FormatArgument>) {}

__attribute__((weak)) void preemption_point() {}

// What a spin lock does while it waits: nothing, in a test of one thread.
__attribute__((weak)) void serve_shoot_down() {}

__attribute__((weak)) IoCounts& own_io_counts() {
    static IoCounts counts;
    return counts;
}
