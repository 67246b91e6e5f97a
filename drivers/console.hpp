// The console: where the kernel's log, panics and the console terminal's output appear, on COM1 and
// on the VGA screen. Usable from the first instruction on (COM1 only, until console_init).
// Locks: one IrqSpinLock of rank console, the innermost; none at all once in a panic.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// Before console_init: false for runs whose output is not meant for people (--exec): only COM1.
void console_use_screen(bool use);
void console_init();  // probes COM1 and the screen; the direct map is there
// From now on the screen is refreshed by the timer. What it answers to programs goes to `answer`, if
// that isn't null: a terminal on the serial line answers, too, and once is enough.
void console_start_refresh(void (*answer)(std::span<const uint8_t> bytes));

// Text of the kernel's: a line feed also returns the carriage.
void console_write(std::string_view text);
// Bytes of the terminal's, as they are.
void console_write_raw(std::span<const uint8_t> bytes);

// From now on one CPU writes, and locks don't matter.
void console_enter_panic();
