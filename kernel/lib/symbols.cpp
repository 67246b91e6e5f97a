// See symbols.hpp. The table is sorted by address: the last symbol not above is the function.
#include "kernel/lib/symbols.hpp"

#include <span>

// Both tables are sorted by address. A name is an offset into __symbol_names; an empty name ends
// the function before it.
struct SymbolEntry {
    uint32_t address;
    uint32_t name;
};
struct LineEntry {
    uint32_t address;
    uint32_t file : 16, line : 16;
};
static_assert(sizeof(SymbolEntry) == 8 && sizeof(LineEntry) == 8);

extern "C" {
extern const SymbolEntry __symbol_table_start[], __symbol_table_end[];
extern const LineEntry __line_table_start[], __line_table_end[];
extern const char __symbol_names[];
}

// The last entry at or below `address`; nullptr if all are above.
template <typename Entry>
static const Entry* entry_below(std::span<const Entry> table, uint32_t address) {
    size_t low = 0, high = table.size();
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (table[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &table[low - 1] : nullptr;
}

const char* symbol_name(uint32_t address, uint32_t* offset) {
    const auto* entry =
        entry_below<SymbolEntry>({__symbol_table_start, __symbol_table_end}, address);
    if (!entry || !__symbol_names[entry->name]) return nullptr;
    *offset = address - entry->address;
    return __symbol_names + entry->name;
}

bool source_line(uint32_t return_address, const char** file, uint32_t* line) {
    const auto* entry =
        entry_below<LineEntry>({__line_table_start, __line_table_end}, return_address);
    if (!entry || entry->address != return_address) return false;
    *file = __symbol_names + entry->file;
    *line = entry->line;
    return true;
}
