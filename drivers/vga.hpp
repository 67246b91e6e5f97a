// The text screen: 80x25 cells of a VGA in mode 3, showing a TerminalScreen. Only cells that
// changed are written, and at most 50 times a second once the clock runs: a write to the card's
// memory is slow, above all in an emulator, and nobody reads faster.
// Locks: none; the console serialises.
// Spec: IBM VGA technical reference, CRT controller registers 0x0A-0x0F.
#pragma once

#include <span>

#include "drivers/terminal_screen.hpp"

bool vga_init();  // false: no VGA in colour text mode
void vga_write(std::span<const uint8_t> bytes);
void vga_refresh();  // brings the picture up to date
// What the screen has to say to the program that asked where the cursor is.
std::span<const uint8_t> vga_take_answers(std::span<uint8_t> to);
