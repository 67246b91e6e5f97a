// Panic: a kernel bug. One screenful on every console (what, where, registers, process, backtrace
// with names), then the machine stops, or powers off under --exec.
#pragma once

#include <string_view>

#include "kernel/arch/trap_frame.hpp"

[[noreturn]] void panic(std::string_view what, const char* file = nullptr, int line = 0);
[[noreturn]] void panic_with_frame(const TrapFrame& frame, std::string_view what);

// The machine lacks what no kernel can do without: one line that says so, and the same end.
[[noreturn]] void cannot_start(std::string_view why);

// The CPU that panics stops the others by NMI; this is what they ask and do then.
bool panic_elsewhere();
[[noreturn]] void stop_for_panic();

// Where the report goes and what happens after it; drivers install them at start-up.
struct PanicHooks {
    void (*write)(std::string_view text) = nullptr;       // to every console, ignoring locks
    void (*finished)(std::string_view report) = nullptr;  // may not return
    bool (*is_stack_guard)(uint32_t address) = nullptr;   // mm: a kernel stack's guard page
};
extern PanicHooks panic_hooks;
