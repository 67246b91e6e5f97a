// The console: where the kernel's log, panics and the console terminal's output appear, on COM1 and
// on the screen. Usable from the first instruction on (COM1 only, until console_init).
// Locks: one IrqSpinLock of rank console, the innermost; none at all once in a panic.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "boot/boot_info.hpp"
#include "drivers/physical_mapper.hpp"

// Before console_init: false for runs whose output is not meant for people (--exec): only COM1.
void console_use_screen(bool use);
// Probes COM1 and the screen; the direct map is there.
void console_init(const BootFramebuffer& framebuffer, PhysicalMapper map);
// From now on the screen is refreshed by the timer. What a screen answers to programs goes to `answer`.
void console_start_refresh(void (*answer)(uint32_t screen, std::span<const uint8_t> bytes));

// Screen 0 is the console's. Others: what is written there goes nowhere else. One is shown at a time.
bool console_add_screen(uint32_t screen);  // at start-up; false: no screen, or no memory
void console_write_screen(uint32_t screen, std::span<const uint8_t> bytes);
void console_show_screen(uint32_t screen);  // unless it was never added
uint32_t console_shown_screen();

// Text of the kernel's: a line feed also returns the carriage.
void console_write(std::string_view text);
// Bytes of the terminal's, as they are.
void console_write_raw(std::span<const uint8_t> bytes);

// From now on one CPU writes, and locks don't matter; the console's screen is shown.
void console_enter_panic();
