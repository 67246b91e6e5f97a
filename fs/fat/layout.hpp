// FAT on the disk, decoded and checked. Pure: bytes in, values out.
//
//   | reserved (boot sector first) | FAT | copies of it | root directory (12, 16) | clusters 2, 3, ...
//
// Spec: Microsoft, FAT: General Overview of On-Disk Format, 1.03; ECMA-107.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace fat {

inline uint32_t little16(const uint8_t* p) { return p[0] | uint32_t{p[1]} << 8; }
inline uint32_t little32(const uint8_t* p) { return little16(p) | little16(p + 2) << 16; }

struct Geometry {
    uint32_t bits;  // of an entry: 12, 16 or 32
    uint32_t cluster_bytes;
    uint32_t last_cluster;  // the first is 2
    uint64_t fat_start;     // these are bytes on the disk
    uint64_t root_start, root_bytes;
    uint64_t data_start;
    uint32_t root_cluster;  // FAT32

    bool valid(uint32_t cluster) const { return cluster >= 2 && cluster <= last_cluster; }
    uint64_t place(uint32_t cluster) const {
        return data_start + uint64_t{cluster - 2} * cluster_bytes;
    }
};

constexpr bool power_of_two(uint32_t n) { return n && !(n & (n - 1)); }

// Nothing unless all of it makes sense and lies on the disk. `boot`: the first 512 bytes.
inline std::optional<Geometry> decode_boot_sector(std::span<const uint8_t> boot,
                                                  uint64_t disk_bytes) {
    constexpr uint32_t kFat12Most = 4084, kFat16Most = 65524, kFat32Most = 0x0FFFFFF5;
    const uint8_t* b = boot.data();
    if (boot.size() < 512 || b[510] != 0x55 || b[511] != 0xAA) return std::nullopt;
    if (b[0] != 0xEB && b[0] != 0xE9) return std::nullopt;
    const uint32_t sector = little16(b + 11), per_cluster = b[13], reserved = little16(b + 14);
    const uint32_t fats = b[16], root_entries = little16(b + 17);
    if (!power_of_two(sector) || sector < 512 || sector > 4096) return std::nullopt;
    if (!power_of_two(per_cluster) || !reserved || !fats) return std::nullopt;
    const uint32_t fat_sectors = little16(b + 22) ? little16(b + 22) : little32(b + 36);
    const uint64_t sectors = little16(b + 19) ? little16(b + 19) : little32(b + 32);
    if (!fat_sectors || sectors > disk_bytes / sector) return std::nullopt;
    Geometry g{};
    g.cluster_bytes = sector * per_cluster;
    g.fat_start = uint64_t{reserved} * sector;
    g.root_start = g.fat_start + uint64_t{fats} * fat_sectors * sector;
    g.root_bytes = uint64_t{root_entries} * 32;
    g.data_start = g.root_start + (g.root_bytes + sector - 1) / sector * sector;
    if (g.data_start >= sectors * sector) return std::nullopt;
    const uint64_t clusters = (sectors * sector - g.data_start) / g.cluster_bytes;
    if (!clusters || clusters > kFat32Most) return std::nullopt;
    g.bits = clusters <= kFat12Most ? 12 : clusters <= kFat16Most ? 16 : 32;
    g.last_cluster = static_cast<uint32_t>(clusters) + 1;
    if ((uint64_t{g.last_cluster} + 1) * g.bits > uint64_t{fat_sectors} * sector * 8)
        return std::nullopt;
    if (g.bits == 32) {
        g.root_cluster = little32(b + 44);
        if (root_entries || !g.valid(g.root_cluster)) return std::nullopt;
    } else if (!root_entries) {
        return std::nullopt;
    }
    return g;
}

// Where the entry of a cluster begins, in the table; two bytes of it count, or four in FAT32.
constexpr uint64_t entry_offset(uint32_t bits, uint32_t cluster) {
    return bits == 12 ? cluster + cluster / 2 : uint64_t{cluster} * (bits / 8);
}
static_assert(entry_offset(12, 3) == 4 && entry_offset(16, 3) == 6 && entry_offset(32, 3) == 12);

// The next cluster of a chain; no valid number at its end.
constexpr uint32_t entry_value(uint32_t bits, uint32_t cluster, uint32_t raw) {
    if (bits == 12) return (cluster & 1 ? raw >> 4 : raw) & 0xFFF;
    return bits == 16 ? raw & 0xFFFF : raw & 0x0FFFFFFF;
}

}  // namespace fat
