// What an ATA drive's registers, commands and IDENTIFY data look like. Constants and pure decoding,
// compiled on the host too.
// Spec: ATA/ATAPI-6 (T13/1410D): 5.2 and 7 (registers), 8 (commands), 8.15 (IDENTIFY DEVICE).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ata {

// Offsets in the command block.
enum Register : uint16_t {
    kData = 0,         // 16 or 32 bits wide
    kError = 1,        // read
    kFeatures = 1,     // write
    kSectorCount = 2,  // these four keep two bytes each for 48-bit commands: the high one first
    kLbaLow = 3,
    kLbaMid = 4,
    kLbaHigh = 5,
    kDevice = 6,
    kStatus = 7,   // read; acknowledges the interrupt
    kCommand = 7,  // write
};
// Device control (write) and alternate status (read) have an address of their own.
constexpr uint8_t kNoInterrupts = 1 << 1;  // nIEN
constexpr uint8_t kSoftReset = 1 << 2;     // SRST

// Status, 7.15.6.
constexpr uint8_t kStatusError = 1 << 0;
constexpr uint8_t kDataRequest = 1 << 3;
constexpr uint8_t kDeviceFault = 1 << 5;
constexpr uint8_t kDeviceReady = 1 << 6;
constexpr uint8_t kBusy = 1 << 7;
constexpr uint8_t kFloatingBus = 0xFF;
static_assert((kBusy | kDeviceReady | kDataRequest) == 0xC8);

// Device register, 7.7.
constexpr uint8_t kDeviceObsolete = 0xA0;  // bits 7 and 5: set for old drives
constexpr uint8_t kLbaMode = 1 << 6;
constexpr uint8_t kSecondDrive = 1 << 4;

enum Command : uint8_t {
    kReadMultiple = 0xC4,
    kReadMultipleExt = 0x29,
    kWriteMultiple = 0xC5,
    kWriteMultipleExt = 0x39,
    kReadSectors = 0x20,
    kReadSectorsExt = 0x24,
    kWriteSectors = 0x30,
    kWriteSectorsExt = 0x34,
    kReadDma = 0xC8,
    kReadDmaExt = 0x25,
    kWriteDma = 0xCA,
    kWriteDmaExt = 0x35,
    kSetMultipleMode = 0xC6,
    kFlushCache = 0xE7,
    kFlushCacheExt = 0xEA,
    kPacket = 0xA0,
    kIdentifyPacketDevice = 0xA1,
    kIdentifyDevice = 0xEC,
};

// What LBA mid and high hold after a reset or a refused IDENTIFY DEVICE, 9.12.
constexpr uint16_t kPacketSignature = 0xEB14;
constexpr uint16_t kSataPacketSignature = 0x9669;

constexpr uint64_t kLba28Sectors = uint64_t{1} << 28;
constexpr uint32_t kMaxSectorsPerCommand = 256;  // written as 0 in an 8-bit sector count
constexpr uint32_t kIdentifyWords = 256;

// The parts of IDENTIFY DEVICE data that we use, 8.15.8.
struct Identity {
    uint16_t configuration = 0;  // word 0: of a packet device, its type
    char model[41] = {};         // words 27-46, without trailing blanks
    bool dma = false;            // word 49 bit 8
    bool lba = false;            // word 49 bit 9
    bool lba48 = false;          // word 83 bit 10, if words 83 and up are valid
    bool flush = false;          // word 83 bit 12
    uint64_t sectors = 0;        // words 60-61, or 100-103 with lba48
    uint32_t multiple = 1;       // word 47 bits 0-7: sectors per interrupt at most
};

constexpr Identity decode_identity(std::span<const uint16_t, kIdentifyWords> words) {
    Identity id;
    size_t length = 0;
    for (size_t i = 0; i < 40; ++i) {  // the first of two characters is in the high byte
        id.model[i] = static_cast<char>(i % 2 ? words[27 + i / 2] & 0xFF : words[27 + i / 2] >> 8);
        if (id.model[i] < ' ' || id.model[i] > '~') id.model[i] = ' ';
        if (id.model[i] != ' ') length = i + 1;
    }
    id.model[length] = '\0';
    id.configuration = words[0];
    id.dma = words[49] & 1 << 8;
    id.lba = words[49] & 1 << 9;
    bool valid = (words[83] & 0xC000) == 0x4000;
    id.lba48 = valid && words[83] & 1 << 10;
    id.flush = valid && words[83] & 1 << 12;
    id.sectors = static_cast<uint32_t>(words[61]) << 16 | words[60];
    if (id.lba48) {
        uint64_t wide = 0;
        for (size_t i = 4; i-- > 0;) wide = wide << 16 | words[100 + i];
        if (wide) id.sectors = wide;
    }
    id.multiple = words[47] & 0xFF;
    if (id.multiple == 0) id.multiple = 1;
    return id;
}

// Where a request goes: the values for the registers.
struct Address {
    bool wide = false;    // a 48-bit command
    uint16_t count = 0;   // 0 stands for 256 in a 28-bit command
    uint8_t lba[6] = {};  // low byte first
    uint8_t device = 0;   // LBA bits 24-27 in a 28-bit command
};

// 28 bits where they suffice: fewer registers to write.
constexpr Address encode_address(uint64_t first, uint32_t count, bool second_drive) {
    Address a;
    a.wide = first + count > kLba28Sectors;
    a.count = static_cast<uint16_t>(a.wide ? count : count & 0xFF);
    for (size_t i = 0; i < 6; ++i) a.lba[i] = static_cast<uint8_t>(first >> 8 * i);
    a.device = kDeviceObsolete | kLbaMode | (second_drive ? kSecondDrive : 0);
    if (!a.wide) a.device |= a.lba[3] & 0x0F;
    return a;
}
static_assert(encode_address(0x0ABCDEF1, 256, true).device == 0xFA);
static_assert(encode_address(0x0ABCDEF1, 256, true).count == 0);
static_assert(encode_address(0x0FFFFFFF, 1, false).wide == false);
static_assert(encode_address(0x0FFFFFFF, 2, false).wide == true);

// The same as SATA sends it: a register FIS from host to device (0x27) with a command (0x80).
// Spec: Serial ATA 2.6, 10.3.4.
using Fis = uint8_t[20];
constexpr void encode_fis(Fis& fis, uint8_t command, const Address& at, uint8_t features = 0) {
    for (uint8_t& byte : fis) byte = 0;
    fis[0] = 0x27;
    fis[1] = 0x80;
    fis[2] = command;
    fis[3] = features;
    for (uint32_t i = 0; i < 6; ++i) fis[i < 3 ? 4 + i : 5 + i] = at.lba[i];
    fis[7] = at.device;
    fis[12] = static_cast<uint8_t>(at.count);
    fis[13] = static_cast<uint8_t>(at.count >> 8);
}

}  // namespace ata
