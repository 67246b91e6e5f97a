// What packets for a CD-ROM drive look like, and what it answers. Constants and pure decoding,
// compiled on the host too.
// Spec: INF-8090 (Mt. Fuji), commands and sense codes; SPC-3 4.5 (sense data); ATA/ATAPI-6 8.16.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace atapi {

constexpr uint32_t kPacketBytes = 12;
constexpr uint32_t kBlockBytes = 2048;

enum Command : uint8_t {
    kTestUnitReady = 0x00,
    kRequestSense = 0x03,
    kReadCapacity = 0x25,
    kRead10 = 0x28,
    kRead12 = 0xA8,
};

// Features register of the PACKET command.
constexpr uint8_t kByDma = 1 << 0;
// Status after it: the same bit as an ATA drive's error.
constexpr uint8_t kCheckCondition = 1 << 0;
// IDENTIFY PACKET DEVICE, word 0.
constexpr uint32_t device_type(uint16_t word0) { return word0 >> 8 & 0x1F; }
constexpr uint32_t kCdRom = 5;

enum class SenseKey : uint8_t {
    none = 0,
    recovered = 1,
    not_ready = 2,
    medium_error = 3,
    hardware_error = 4,
    illegal_request = 5,
    unit_attention = 6,
    silent = 0x10,  // ours: the drive gave no answer
};
constexpr uint8_t kMediumNotPresent = 0x3A, kBecomingReady = 0x04, kMediumChanged = 0x28;

struct Sense {
    SenseKey key = SenseKey::none;
    uint8_t code = 0, qualifier = 0;
};

using Packet = std::array<uint8_t, kPacketBytes>;

constexpr uint32_t kSenseBytes = 18, kCapacityBytes = 8;
constexpr Packet request_sense() {
    Packet p{};
    p[0] = kRequestSense;
    p[4] = kSenseBytes;
    return p;
}
constexpr Packet test_unit_ready() { return {}; }
constexpr Packet read_capacity() {
    Packet p{};
    p[0] = kReadCapacity;
    return p;
}

// READ(10) counts up to 65,535 blocks; READ(12) is for more.
constexpr Packet read_blocks(uint32_t first, uint32_t count) {
    Packet p{};
    for (uint32_t i = 0; i < 4; ++i) p[2 + i] = static_cast<uint8_t>(first >> (24 - 8 * i));
    if (count <= 0xFFFF) {
        p[0] = kRead10;
        p[7] = static_cast<uint8_t>(count >> 8);
        p[8] = static_cast<uint8_t>(count);
    } else {
        p[0] = kRead12;
        for (uint32_t i = 0; i < 4; ++i) p[6 + i] = static_cast<uint8_t>(count >> (24 - 8 * i));
    }
    return p;
}
static_assert(read_blocks(0x01020304, 0x0506)[2] == 1 && read_blocks(0x01020304, 0x0506)[8] == 6);
static_assert(read_blocks(1, 0x10000)[0] == kRead12 && read_blocks(1, 0x10000)[7] == 1);

constexpr Sense decode_sense(std::span<const uint8_t, kSenseBytes> bytes) {
    return {static_cast<SenseKey>(bytes[2] & 0x0F), bytes[12], bytes[13]};
}

constexpr uint32_t big_endian(std::span<const uint8_t> bytes) {
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

struct Capacity {
    uint64_t blocks = 0;
    uint32_t block_bytes = 0;
};
constexpr Capacity decode_capacity(std::span<const uint8_t, kCapacityBytes> bytes) {
    return {uint64_t{big_endian(bytes.first<4>())} + 1, big_endian(bytes.last<4>())};
}

}  // namespace atapi
