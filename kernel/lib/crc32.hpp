// Cyclic redundancy checks of 32 bits, a byte at a time from a table of 256 words.
//   Crc32c: Castagnoli's polynomial, bits reflected (iSCSI, ext4, JBD2 checksums 2 and 3)
//   Crc32Be: the polynomial of Ethernet, most significant bit first (JBD2 checksum 1)
// Neither inverts at the start or the end: the format says what to begin with.
// Spec: RFC 3720, appendix B.4; ITU-T V.42, 8.1.1.6.2.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace crc_tables {

constexpr std::array<uint32_t, 256> reflected(uint32_t polynomial) {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
        table[i] = crc;
    }
    return table;
}

constexpr std::array<uint32_t, 256> straight(uint32_t polynomial) {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t crc = i << 24;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 31 ? crc << 1 ^ polynomial : crc << 1;
        table[i] = crc;
    }
    return table;
}

inline constexpr std::array<uint32_t, 256> kCastagnoli = reflected(0x82F63B78);
inline constexpr std::array<uint32_t, 256> kEthernetBe = straight(0x04C11DB7);

}  // namespace crc_tables

constexpr uint32_t crc32c(uint32_t crc, std::span<const uint8_t> bytes) {
    for (uint8_t byte : bytes) crc = crc >> 8 ^ crc_tables::kCastagnoli[(crc ^ byte) & 0xff];
    return crc;
}

constexpr uint32_t crc32_be(uint32_t crc, std::span<const uint8_t> bytes) {
    for (uint8_t byte : bytes) crc = crc << 8 ^ crc_tables::kEthernetBe[(crc >> 24 ^ byte) & 0xff];
    return crc;
}
