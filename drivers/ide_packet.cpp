// The PACKET command: 12 bytes to the drive, then data in pieces of the drive's choice, or by DMA.
// Spec: ATA/ATAPI-6, 9.9 (PACKET, PIO and DMA), 8.23 (its registers).
#include <algorithm>

#include "drivers/ide_channel.hpp"
#include "kernel/arch/io.hpp"

namespace {

constexpr uint32_t kPacketTimeout = 1000;  // milliseconds
constexpr uint16_t kPieceBytes = 0xF800;   // at most so many between two interrupts: whole blocks
constexpr uint32_t kMostDataPieces = 256;

}  // namespace

bool IdeChannel::start_packet(const Packet& packet) {
    if (!select(packet.drive)) return false;
    write_register(ata::kFeatures, mode_ == IdeMode::dma ? atapi::kByDma : 0);
    write_register(ata::kLbaMid, static_cast<uint8_t>(kPieceBytes & 0xFF));
    write_register(ata::kLbaHigh, static_cast<uint8_t>(kPieceBytes >> 8));
    command(ata::kPacket);
    // Some drives interrupt when they want the packet, some don't: asking serves both.
    if (!poll_until_idle(kPacketTimeout) || !data_wanted()) return false;
    expect_interrupt();
    uint16_t words[atapi::kPacketBytes / 2];
    __builtin_memcpy(words, packet.command, sizeof words);
    for (uint16_t word : words) out16(static_cast<uint16_t>(ports_.command + ata::kData), word);
    settle();
    return true;
}

// What the drive has now, as much of it as there is room for; the rest is thrown away.
uint32_t IdeChannel::take_packet_data(uint8_t* to, uint32_t room) {
    const auto port = static_cast<uint16_t>(ports_.command + ata::kData);
    const uint32_t offered = read_register(ata::kLbaMid) | uint32_t{read_register(ata::kLbaHigh)}
                                                               << 8;
    const uint32_t taken = std::min(offered, room) & ~1u;
    in16_repeat(port, to, taken / 2);
    for (uint32_t i = taken; i < offered; i += 2) static_cast<void>(in16(port));
    return taken;
}

bool IdeChannel::transfer_packet_in(const Packet& packet) {
    uint32_t done = 0;
    for (uint32_t pieces = 0; pieces < kMostDataPieces; ++pieces) {
        if (!await_interrupt() || failed()) return false;
        if (!(status_ & ata::kDataRequest)) return done == packet.bytes;
        done += take_packet_data(packet.to + done, packet.bytes - done);
    }
    return false;
}

bool IdeChannel::attempt_packet(const Packet& packet) {
    if (!start_packet(packet)) return false;
    if (mode_ == IdeMode::dma) return transfer_by_dma();
    return transfer_packet_in(packet);
}

bool IdeChannel::perform(const Packet& packet, atapi::Sense& sense) {
    LockGuard guard(turn_);
    const Drive& drive = drives_[packet.drive];
    sense = {atapi::SenseKey::silent};
    if (drive.kind != Drive::Kind::packet) return false;
    IdeMode mode = current_ide_mode();
    const MemoryPiece memory{packet.to, packet.bytes / kSectorSize};
    const bool can_dma = drive.identity.dma && packet.bytes % atapi::kBlockBytes == 0 &&
                         packet.bytes && dma_.prepare({&memory, 1}, true);
    if (mode == IdeMode::dma && !can_dma) mode = IdeMode::irq;
    use_mode(mode);
    if (attempt_packet(packet)) return true;
    if (status_ & (ata::kBusy | ata::kDataRequest)) reset();
    uint8_t bytes[atapi::kSenseBytes] = {};
    Packet ask{packet.drive, {}, bytes, sizeof bytes};
    std::copy_n(atapi::request_sense().begin(), atapi::kPacketBytes, ask.command);
    if (mode == IdeMode::dma) use_mode(IdeMode::irq);
    if (attempt_packet(ask)) sense = atapi::decode_sense(bytes);
    return false;
}
