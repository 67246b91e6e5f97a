// The text screen drawn in pixels, where firmware has no text mode (UEFI): 80x25 cells in the middle, as
// large as whole multiples of the font allow.
// Locks: none; the console serialises.
// Spec: Multiboot2 3.6.12 (framebuffer information).
#pragma once

#include "boot/boot_info.hpp"
#include "drivers/physical_mapper.hpp"

// Blanks it. False: there is none, or it cannot be used, and the log says why.
bool framebuffer_init(const BootFramebuffer& where, PhysicalMapper map);
// `cell`: attribute << 8 | character, as in VGA's memory.
void framebuffer_draw(uint32_t row, uint32_t column, uint16_t cell, bool cursor);
