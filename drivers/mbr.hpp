// The partition table of PC disks. Pure: sectors come from a function, partitions go to one.
// Primary partitions are 1 to 4, those inside an extended one 5 and up, in the order of its chain:
// each link is a sector with one partition (relative to itself) and the next link (relative to the
// extended partition).
// Invariant: no partition leaves the disk, and no chain is followed for ever.
// Spec: the layout of PC-DOS 3.3 (entries at 446, signature at 510); extended: types 5, F, 85.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mbr {

constexpr uint32_t kTableOffset = 446, kEntryBytes = 16, kSignatureOffset = 510;

struct Entry {
    uint8_t boot, type;
    uint32_t first, count;
    bool used() const { return type && count; }
    bool extended() const { return type == 0x05 || type == 0x0F || type == 0x85; }
};

inline Entry entry(std::span<const uint8_t> sector, uint32_t which) {
    const uint8_t* p = sector.data() + kTableOffset + which * kEntryBytes;
    auto word = [p](uint32_t at) {
        return p[at] | uint32_t{p[at + 1]} << 8 | uint32_t{p[at + 2]} << 16 |
               uint32_t{p[at + 3]} << 24;
    };
    return {p[0], p[4], word(8), word(12)};
}

inline bool has_signature(std::span<const uint8_t> sector) {
    return sector[kSignatureOffset] == 0x55 && sector[kSignatureOffset + 1] == 0xAA;
}

// A boot sector of FAT has the signature too, and code where a table would be.
inline bool is_table(std::span<const uint8_t> sector) {
    if (!has_signature(sector)) return false;
    for (uint32_t at : {0x36u, 0x52u})
        if (std::string_view(reinterpret_cast<const char*>(&sector[at]), 3) == "FAT") return false;
    for (uint32_t i = 0; i < 4; ++i)
        if (entry(sector, i).boot & 0x7F) return false;
    return true;
}

// read(sector) -> span of 512 bytes, empty if it can't be read; visit(number, first, count, type).
template <typename Read, typename Visit>
void for_each_partition(uint64_t sectors, uint32_t most, Read&& read, Visit&& visit) {
    auto inside = [sectors](uint64_t first, uint64_t count) {
        return first && first < sectors && count <= sectors - first;
    };
    std::span<const uint8_t> table = read(uint64_t{0});
    if (table.empty() || !is_table(table)) return;
    const Entry entries[4] = {entry(table, 0), entry(table, 1), entry(table, 2), entry(table, 3)};
    uint64_t chain = 0;
    for (uint32_t i = 0; i < 4; ++i) {
        const Entry& e = entries[i];
        if (!e.used() || !inside(e.first, e.count)) continue;
        if (e.extended())
            chain = chain ? chain : e.first;
        else if (i < most)
            visit(i + 1, e.first, e.count, e.type);
    }
    uint64_t link = chain;
    for (uint32_t number = 5; link && number <= most; ++number) {
        table = read(link);
        if (table.empty() || !has_signature(table)) return;
        const Entry logical = entry(table, 0), next = entry(table, 1);
        if (!logical.used() || !inside(link + logical.first, logical.count)) return;
        visit(number, link + logical.first, logical.count, logical.type);
        link = next.used() && inside(chain + next.first, 1) ? chain + next.first : 0;
    }
}

}  // namespace mbr
