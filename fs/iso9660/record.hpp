// A directory record of ISO 9660, decoded and checked. Pure: bytes in, values out.
// Spec: ECMA-119, 9.1; names by Rock Ridge (IEEE P1282, 4.1.4, entry NM) where they stand in the
// record itself.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace iso {

constexpr uint32_t kSectorBytes = 2048;
constexpr uint32_t kMinRecord = 34;
constexpr uint8_t kDirectoryFlag = 1 << 1, kMoreExtentsFlag = 1 << 7;

struct Record {
    uint32_t length;  // of the record
    uint32_t extent;  // first sector of the contents, which are contiguous
    uint32_t bytes;
    uint8_t date[7];
    uint8_t flags;
    bool self_or_parent;  // "." or ".."
    char name[256];
    uint32_t name_length;

    bool is_directory() const { return flags & kDirectoryFlag; }
    std::string_view view() const { return {name, name_length}; }
};

inline uint32_t little32(const uint8_t* p) {
    return p[0] | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

// "README.TXT;1" is shown as "readme.txt".
inline void plain_name(std::span<const uint8_t> raw, Record& r) {
    for (uint8_t byte : raw) {
        if (byte == ';') break;
        r.name[r.name_length++] =
            static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    }
    if (r.name_length > 1 && r.name[r.name_length - 1] == '.') --r.name_length;
}

// Rock Ridge: entries of two letters, a length, a version. False if none holds a name.
inline bool long_name(std::span<const uint8_t> area, Record& r) {
    constexpr uint8_t kRealName = 0, kContinues = 1;
    bool found = false;
    while (area.size() >= 5 && area[2] >= 4 && area[2] <= area.size()) {
        const bool name = area[0] == 'N' && area[1] == 'M' && area[2] > 5;
        if (name && (area[4] & ~kContinues) == kRealName) {
            for (uint8_t byte : area.subspan(5, area[2] - 5u))
                if (r.name_length < 255) r.name[r.name_length++] = static_cast<char>(byte);
            found = true;
        }
        area = area.subspan(area[2]);
    }
    return found;
}

// Nothing if there is no sound record at the start of `bytes` (the rest of a sector).
inline std::optional<Record> decode_record(std::span<const uint8_t> bytes) {
    if (bytes.size() < kMinRecord || bytes[0] < kMinRecord || bytes[0] > bytes.size())
        return std::nullopt;
    const uint32_t name_bytes = bytes[32], name_end = 33 + name_bytes;
    if (name_bytes == 0 || name_end > bytes[0]) return std::nullopt;
    Record r{};
    r.length = bytes[0];
    r.extent = little32(&bytes[2]) + bytes[1];
    r.bytes = little32(&bytes[10]);
    for (uint32_t i = 0; i < 7; ++i) r.date[i] = bytes[18 + i];
    r.flags = bytes[25];
    r.self_or_parent = name_bytes == 1 && bytes[33] <= 1;
    const uint32_t area = name_end + (name_bytes % 2 == 0);
    if (area >= bytes[0] || !long_name(bytes.subspan(area, bytes[0] - area), r))
        plain_name(bytes.subspan(33, name_bytes), r);
    for (uint32_t i = 0; i < r.name_length; ++i)
        if (r.name[i] == '/' || r.name[i] == '\0') r.name[i] = '?';
    return r;
}

}  // namespace iso
