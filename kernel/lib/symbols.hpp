// The kernel's own names: which function an address lies in, and which source line a call returns
// to. The tables are made by scripts/symbols.py between the two links of the kernel and lie in its
// `.symbols` section, read-only. Usable at any time, in a panic too: no lock, no allocation.
#pragma once

#include <cstdint>

// The name of the function (demangled, without arguments) that `address` lies in, and how far in;
// nullptr if none.
const char* symbol_name(uint32_t address, uint32_t* offset);

// The source line of the call that returns to `address`. False if no call returns there.
bool source_line(uint32_t return_address, const char** file, uint32_t* line);
