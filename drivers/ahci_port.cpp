// See ahci.hpp: a port. A command is put into slot 0, issued, and its thread sleeps until the interrupt.
#include "drivers/ahci.hpp"

#include <algorithm>

#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"

namespace {

// Registers of 32 bits, by number. Spec: 3.3.
constexpr uint32_t kList = 0, kReceived = 2, kInterruptStatus = 4, kInterruptEnable = 5,
                   kCommand = 6, kTaskFile = 8, kSignature = 9, kSataStatus = 10, kSataControl = 11,
                   kSataError = 12, kIssue = 14;

// Command and status. Spec: 3.3.7.
constexpr uint32_t kRun = 1 << 0, kSpinUp = 1 << 1, kPowerOn = 1 << 2, kReceive = 1 << 4,
                   kReceiveRuns = 1 << 14, kRuns = 1 << 15;
// Interrupts. Spec: 3.3.5.
constexpr uint32_t kErrors = 1u << 30 | 1 << 29 | 1 << 28 | 1 << 27 | 1 << 24;
constexpr uint32_t kWanted = kErrors | 7;  // the device's registers, PIO and DMA set-up
constexpr uint32_t kDetection = 0xF, kPresent = 3, kReset = 1;  // SATA status and control
constexpr uint32_t kBusyBits = ata::kBusy | ata::kDataRequest, kPacketSignature = 0xEB140101;
constexpr uint32_t kEngineTimeout = 500, kLinkTimeout = 1000, kIdentifyTimeout = 2000,
                   kPatience = 10'000, kResetTimeout = 31'000;  // milliseconds

}  // namespace

ahci::PortMemory& AhciPort::memory() {
    const auto start = reinterpret_cast<uintptr_t>(storage_);
    return *reinterpret_cast<ahci::PortMemory*>((start + ahci::kAlignment - 1) &
                                                ~uintptr_t{ahci::kAlignment - 1});
}

bool AhciPort::wait_until(uint32_t r, uint32_t mask, uint32_t value, uint32_t milliseconds) const {
    const Nanoseconds late = monotonic_now() + uint64_t{milliseconds} * 1'000'000;
    while ((registers_[r] & mask) != value)
        if (monotonic_now() > late) return false;
    return true;
}

// Spec: 10.1.2, 10.4.2: the two engines stop one after the other.
bool AhciPort::stop() {
    registers_[kCommand] = registers_[kCommand] & ~kRun;
    if (!wait_until(kCommand, kRuns, 0, kEngineTimeout)) return false;
    registers_[kCommand] = registers_[kCommand] & ~kReceive;
    return wait_until(kCommand, kReceiveRuns, 0, kEngineTimeout);
}

void AhciPort::start() {
    registers_[kSataError] = ~0u;
    registers_[kInterruptStatus] = ~0u;
    registers_[kCommand] = registers_[kCommand] | kReceive;
    registers_[kCommand] = registers_[kCommand] | kRun;
}

bool AhciPort::wait_for_drive() const {
    return wait_until(kSataStatus, kDetection, kPresent, kLinkTimeout) &&
           wait_until(kTaskFile, kBusyBits, 0, kResetTimeout);
}

// Spec: 6.2.2.1, 10.4.2. Restarting the engine suffices, unless the drive still wants something: then the
// link is reset. A drive that isn't back in the time that it has is gone: nobody shall wait so long again.
void AhciPort::recover() {
    if (!stop() || registers_[kTaskFile] & kBusyBits) {
        registers_[kSataControl] = (registers_[kSataControl] & ~kDetection) | kReset;
        for (const Nanoseconds end = monotonic_now() + 2'000'000; monotonic_now() < end;) {
        }
        registers_[kSataControl] = registers_[kSataControl] & ~kDetection;
        registers_[kSataError] = ~0u;
        registers_[kCommand] = registers_[kCommand] | kReceive;
        if (!wait_for_drive()) {
            log_error("hd{}: doesn't come back after a reset, given up", letter_);
            kind_ = AtaKind::none;
            return;
        }
    }
    start();
}

bool AhciPort::add_piece(const uint8_t* start, uint32_t bytes) {
    const uint32_t offset = reinterpret_cast<uintptr_t>(start) - kDirectMapBase.raw();
    if (offset % 2 || bytes % 2 || offset >= kDirectMapLimit || bytes > kDirectMapLimit - offset)
        return false;
    memory().table.pieces[pieces_++] = {offset, 0, 0, bytes - 1};
    return true;
}

// The command that the table describes. True: it went well. Spec: 5.5.1.
bool AhciPort::issue(uint16_t flags, uint32_t milliseconds) {
    const uint32_t table = to_physical(&memory().table).raw();
    memory().headers[0] = {
        .flags = static_cast<uint16_t>(flags | ahci::kFisWords), .pieces = pieces_, .table = table};
    LockGuard guard(interrupt_lock_);
    events_ = 0;
    finished_ = false;
    registers_[kInterruptStatus] = ~0u;
    asm volatile("" ::: "memory");  // all of it is in memory
    registers_[kIssue] = 1;
    const WaitOptions options{.interruptible = false,
                              .deadline = monotonic_now() + milliseconds * 1'000'000ull,
                              .reason = "disk"};
    interrupt_queue_.wait(
        interrupt_lock_, [this]() NO_LOCK_ANALYSIS { return finished_; }, options);
    asm volatile("" ::: "memory");  // what was read is there
    status_ = static_cast<uint8_t>(registers_[kTaskFile]);
    error_ = static_cast<uint8_t>(registers_[kTaskFile] >> 8);
    // After a time-out: was only the interrupt lost?
    const bool done = finished_ || !(registers_[kIssue] & 1);
    return done && !(events_ & kErrors) &&
           !(status_ & (ata::kStatusError | ata::kDeviceFault | kBusyBits));
}

void AhciPort::handle_interrupt() {
    LockGuard guard(interrupt_lock_);
    const uint32_t events = registers_[kInterruptStatus];
    registers_[kInterruptStatus] = events;
    events_ |= events;
    if (!(events_ & kErrors) && registers_[kIssue] & 1) return;  // its data are still on their way
    finished_ = true;
    interrupt_queue_.wake_all();
}

bool AhciPort::attempt(const AtaRequest& r) {
    using enum BlockIo::Kind;
    const ata::Address at = ata::encode_address(r.first, r.count, false);
    const uint8_t command = r.kind == flush
                                ? identity_.lba48 ? ata::kFlushCacheExt : ata::kFlushCache
                            : r.kind == write ? at.wide ? ata::kWriteDmaExt : ata::kWriteDma
                            : at.wide         ? ata::kReadDmaExt
                                              : ata::kReadDma;
    ata::encode_fis(memory().table.fis, command, at);
    pieces_ = 0;
    for (const MemoryPiece& piece : r.memory)
        if (!add_piece(piece.start, piece.sectors * kSectorSize)) return false;
    return issue(r.kind == write ? ahci::kToDevice : 0, kPatience);
}

Result<void> AhciPort::perform(const AtaRequest& r, uint32_t attempts) {
    LockGuard guard(turn_);
    for (uint32_t i = 0; i < attempts && kind_ != AtaKind::none; ++i) {
        if (attempt(r)) return {};
        recover();
    }
    if (attempts == kAttempts) report_failure(letter_, r, status_, error_);
    return Errno::io;
}

// What isn't whole sectors comes by way of `small`: it may be anywhere in the kernel.
bool AhciPort::attempt_packet(const AtaPacket& packet) {
    const bool is_small = packet.bytes < kSectorSize;
    ata::encode_fis(
        memory().table.fis, ata::kPacket,
        {.lba = {0, static_cast<uint8_t>(packet.bytes), static_cast<uint8_t>(packet.bytes >> 8)}},
        packet.bytes ? atapi::kByDma : 0);
    std::copy_n(packet.command, sizeof packet.command, memory().table.packet);
    pieces_ = 0;
    uint8_t* const to = is_small ? memory().small : packet.to;
    if (packet.bytes && !add_piece(to, packet.bytes)) return false;
    if (!issue(ahci::kPacketCommand, kPatience)) return false;
    if (is_small) std::copy_n(memory().small, packet.bytes, packet.to);
    return true;
}

bool AhciPort::perform(const AtaPacket& packet, atapi::Sense& sense) {
    LockGuard guard(turn_);
    sense = {atapi::SenseKey::silent};
    if (kind_ != AtaKind::packet) return false;
    if (attempt_packet(packet)) return true;
    recover();
    uint8_t bytes[atapi::kSenseBytes] = {};
    AtaPacket ask{0, {}, bytes, sizeof bytes};
    std::copy_n(atapi::request_sense().begin(), atapi::kPacketBytes, ask.command);
    if (attempt_packet(ask)) sense = atapi::decode_sense(bytes);
    return false;
}

bool AhciPort::read_identity(uint8_t command) {
    ata::encode_fis(memory().table.fis, command, {});
    pieces_ = 0;
    if (!add_piece(memory().small, kSectorSize) || !issue(0, kIdentifyTimeout)) return false;
    uint16_t words[ata::kIdentifyWords];
    __builtin_memcpy(words, memory().small, sizeof words);
    identity_ = ata::decode_identity(words);
    return true;
}

AtaKind AhciPort::probe() {
    stop();
    registers_[kList] = to_physical(memory().headers).raw();
    registers_[kList + 1] = 0;
    registers_[kReceived] = to_physical(memory().received).raw();
    registers_[kReceived + 1] = 0;
    registers_[kCommand] = registers_[kCommand] | kSpinUp | kPowerOn | kReceive;
    registers_[kSataError] = ~0u;
    if ((registers_[kSataStatus] & kDetection) != kPresent || !wait_for_drive()) return kind_;
    start();
    registers_[kInterruptEnable] = kWanted;
    const uint32_t signature = registers_[kSignature];
    const bool packets = signature == kPacketSignature;
    const bool known = read_identity(packets ? ata::kIdentifyPacketDevice : ata::kIdentifyDevice);
    if (known && packets && atapi::device_type(identity_.configuration) == atapi::kCdRom)
        kind_ = AtaKind::packet;
    else if (known && !packets && identity_.lba && identity_.sectors)
        kind_ = AtaKind::disk;
    else
        log_warning("hd{}: neither disk nor CD-ROM drive ({:08x}), left alone", letter_, signature);
    return kind_;
}
