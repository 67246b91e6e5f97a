// The polled half of an IDE channel: finding the drives, setting them up, resetting them.
#include "drivers/ide_channel.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"

namespace {

constexpr uint32_t kSelectTimeout = 100, kCommandTimeout = 2000, kResetTimeout = 31'000;
constexpr uint32_t kMaxPolls = 20'000'000;  // should the clock not run
constexpr uint32_t kMaxBlockSectors = 16;

}  // namespace

uint8_t IdeChannel::read_register(ata::Register r) const {
    return in8(static_cast<uint16_t>(ports_.command + r));
}
void IdeChannel::write_register(ata::Register r, uint8_t value) const {
    out8(static_cast<uint16_t>(ports_.command + r), value);
}
void IdeChannel::write_control(uint8_t value) const { out8(ports_.control, value); }
uint8_t IdeChannel::alternate_status() const { return in8(ports_.control); }

// A port access takes at least 100 ns on hardware.
void IdeChannel::settle(uint32_t microseconds) const {
    for (uint32_t i = 0; i < microseconds * 10; ++i) alternate_status();
}

void IdeChannel::command(uint8_t code) {
    write_register(ata::kCommand, code);
    settle();  // 400 ns until the status is valid
}

bool IdeChannel::poll_until_idle(uint32_t milliseconds) {
    Nanoseconds deadline = monotonic_now() + uint64_t{milliseconds} * 1'000'000;
    for (uint32_t i = 0; i < kMaxPolls; ++i) {
        status_ = alternate_status();
        if (!(status_ & ata::kBusy)) return true;
        if (monotonic_now() > deadline) return false;
    }
    return false;
}

bool IdeChannel::select(uint32_t which) {
    if (!poll_until_idle(kSelectTimeout)) return false;
    write_register(ata::kDevice, ata::kDeviceObsolete | (which ? ata::kSecondDrive : 0));
    settle();
    return poll_until_idle(kSelectTimeout);
}

bool IdeChannel::has_drive() const {
    return drives_[0].kind != Drive::Kind::none || drives_[1].kind != Drive::Kind::none;
}

void IdeChannel::probe() {
    if (alternate_status() == ata::kFloatingBus) return;
    write_control(ata::kNoInterrupts);
    probe_drive(0);
    probe_drive(1);
}

void IdeChannel::probe_drive(uint32_t which) {
    Drive& drive = drives_[which];
    if (!select(which) || status_ == ata::kFloatingBus) return;
    // A drive keeps what its registers are told; an empty place doesn't.
    write_register(ata::kSectorCount, 0x55);
    write_register(ata::kLbaLow, 0xAA);
    if (read_register(ata::kSectorCount) != 0x55 || read_register(ata::kLbaLow) != 0xAA) return;
    drive.kind = identify(which, drive.identity);
    if (drive.kind == Drive::Kind::packet && !identify_packet_device(which, drive.identity))
        drive.kind = Drive::Kind::none;
    if (drive.kind != Drive::Kind::disk) return;
    if (!drive.identity.lba || drive.identity.sectors == 0) {
        log_warning("hd{}: {} knows no LBA, left alone", letter(which), &drive.identity.model[0]);
        drive.kind = Drive::Kind::none;
        return;
    }
    set_multiple(which);
}

IdeChannel::Drive::Kind IdeChannel::identify(uint32_t which, ata::Identity& identity) {
    using Kind = Drive::Kind;
    if (!select(which)) return Kind::none;
    for (auto r : {ata::kSectorCount, ata::kLbaLow, ata::kLbaMid, ata::kLbaHigh})
        write_register(r, 0);
    command(ata::kIdentifyDevice);
    if (alternate_status() == 0 || !poll_until_idle(kCommandTimeout)) return Kind::none;
    auto signature =
        static_cast<uint16_t>(read_register(ata::kLbaMid) | read_register(ata::kLbaHigh) << 8);
    if (signature == ata::kPacketSignature || signature == ata::kSataPacketSignature)
        return Kind::packet;
    return read_identity(identity) ? Kind::disk : Kind::none;
}

bool IdeChannel::read_identity(ata::Identity& identity) {
    if (!data_wanted()) return false;
    uint16_t words[ata::kIdentifyWords];
    in16_repeat(ports_.command + ata::kData, words, ata::kIdentifyWords);
    read_register(ata::kStatus);
    identity = ata::decode_identity(words);
    return true;
}

bool IdeChannel::identify_packet_device(uint32_t which, ata::Identity& identity) {
    if (!select(which)) return false;
    command(ata::kIdentifyPacketDevice);
    if (!poll_until_idle(kCommandTimeout) || !read_identity(identity)) {
        log_warning("hd{}: a packet device that doesn't say what it is, left alone", letter(which));
        return false;
    }
    if (atapi::device_type(identity.configuration) == atapi::kCdRom) return true;
    log_info("hd{}: {}, no CD-ROM, left alone", letter(which), &identity.model[0]);
    return false;
}

// One interrupt for several sectors, if the drive can.
void IdeChannel::set_multiple(uint32_t which) {
    Drive& drive = drives_[which];
    uint32_t sectors = drive.identity.multiple;
    drive.block_sectors = 1;
    if (sectors < 2 || !select(which)) return;
    if (sectors > kMaxBlockSectors) sectors = kMaxBlockSectors;
    write_register(ata::kSectorCount, static_cast<uint8_t>(sectors));
    command(ata::kSetMultipleMode);
    if (poll_until_idle(kCommandTimeout) && !failed()) drive.block_sectors = sectors;
    read_register(ata::kStatus);
}

// Spec: 9.2. Both drives forget their settings. A drive that isn't back in the time that the standard
// gives it is gone: nobody shall wait so long again.
void IdeChannel::reset() {
    write_control(ata::kSoftReset | ata::kNoInterrupts);
    settle(5);
    write_control(ata::kNoInterrupts);
    settle(2000);
    if (!poll_until_idle(kResetTimeout)) {
        for (uint32_t which : {0u, 1u}) {
            if (drives_[which].kind == Drive::Kind::none) continue;
            log_error("hd{}: doesn't come back after a reset, given up", letter(which));
            drives_[which].kind = Drive::Kind::none;
        }
        return;
    }
    for (uint32_t which : {0u, 1u})
        if (drives_[which].kind == Drive::Kind::disk) set_multiple(which);
    write_control(0);
}
