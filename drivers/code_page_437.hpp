// Unicode to the characters of the PC's font.
// Spec: IBM code page 437.
#pragma once

#include <cstdint>

// '?' for what the font lacks.
uint8_t code_page_437(uint32_t code_point);
