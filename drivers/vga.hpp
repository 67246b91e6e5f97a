// The text screen: 80x25 cells of a VGA in mode 3, or drawn on a framebuffer where there is one, showing
// one of several TerminalScreens. Only cells that changed are written, and at most 50 times a second once
// the clock runs: a write to the card's memory is slow, above all in an emulator, and nobody reads faster.
// Locks: none; the console serialises.
// Spec: IBM VGA technical reference, CRT controller registers 0x0A-0x0F.
#pragma once

#include <span>

#include "drivers/framebuffer.hpp"
#include "drivers/terminal_screen.hpp"

constexpr uint32_t kScreens = 4;
// With screen 0. False: neither a framebuffer nor a VGA in colour text mode.
bool vga_init(const BootFramebuffer& framebuffer, PhysicalMapper map);
bool vga_add_screen(uint32_t screen);
void vga_write(uint32_t screen, std::span<const uint8_t> bytes);
void vga_show(uint32_t screen);  // from the next refresh on, if there is that screen
uint32_t vga_shown();
void vga_refresh();  // brings the picture up to date
// What the screen has to say to the program that asked where the cursor is.
std::span<const uint8_t> vga_take_answers(uint32_t screen, std::span<uint8_t> to);
