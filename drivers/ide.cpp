// See ide.hpp. An IdeDisk puts requests into its queue and serves them through its channel.
#include "drivers/ide.hpp"

#include "drivers/cd_drive.hpp"
#include "drivers/disk_queue.hpp"
#include "drivers/disk_trace.hpp"
#include "drivers/ide_channel.hpp"
#include "drivers/pci.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"

namespace {

constexpr IdePorts kLegacyPorts[2] = {{0x1F0, 0x3F6, 14, 'a'}, {0x170, 0x376, 15, 'c'}};
constexpr uint32_t kMajors[2] = {3, 22};  // Spec: Linux devices.txt
constexpr uint32_t kMinorsPerDrive = 64;

class IdeDisk final : public BlockDevice, private DiskServer {
  public:
    IdeDisk(std::string_view name, uint32_t major, uint32_t minor, IdeChannel& channel,
            uint32_t which)
        : BlockDevice(name, major, minor), channel_(channel), which_(which) {
        queue_.set_size(sectors());
    }

    uint64_t sectors() const override { return identity().sectors; }
    uint32_t most_partitions() const override { return kMinorsPerDrive - 1; }
    Result<void> submit(std::span<BlockIo> list) override {
        for (const BlockIo& io : list)
            if (io.sector > sectors() || io.count > sectors() - io.sector) return Errno::io;
        return queue_.run(list);
    }
    Result<void> flush() override {
        if (!identity().flush) return {};
        BlockIo io(BlockIo::Kind::flush);
        return queue_.run({&io, 1});
    }
    DiskCounts counts() override { return queue_.counts(); }
    DiskQueue* queue() override { return &queue_; }

  private:
    const ata::Identity& identity() const { return channel_.drive(which_).identity; }
    void serve(const DiskRun& run) override;
    Result<void> serve_alone(const BlockIo& io) {
        return channel_.perform({which_, io.kind, io.sector, io.count, io.memory});
    }
    bool serve_together(const DiskRun& run);

    IdeChannel& channel_;
    const uint32_t which_;
    DiskQueue queue_{*this, device_number()};
    MemoryPiece pieces_[kMostPieces];  // of the request under way
};

// One command for all; true if it went well at once.
bool IdeDisk::serve_together(const DiskRun& run) {
    uint32_t pieces = 0;
    for (const BlockIo& io : run.members)
        for (const MemoryPiece& piece : io.memory) pieces_[pieces++] = piece;
    return channel_.perform({which_, run.kind, run.sector, run.count, {pieces_, pieces}}, 1)
        .is_ok();
}

// What fails together is tried one by one: one of them may be at fault.
void IdeDisk::serve(const DiskRun& run) {
    const bool several = run.members.front() != run.members.back();
    if (several && serve_together(run)) return;
    for (BlockIo& io : run.members)
        if (Result<void> done = serve_alone(io); done.is_error()) io.failure = done.error();
}

// Spec: Bus Master IDE 1.0, section 2: interface bit 7; eight bytes a channel at base address 4.
uint16_t use_bus_master(const PciDevice& d, uint32_t channel) {
    constexpr uint8_t kCommandWord = 0x04, kMayMaster = 1 << 2;
    const uint16_t base = d.port(4);
    if (!(d.interface & 1 << 7) || !base) return 0;
    const uint32_t command = pci_read(d.address, kCommandWord) & 0xFFFF;  // status bits clear by 1
    pci_write(d.address, kCommandWord, command | kMayMaster);
    return static_cast<uint16_t>(base + channel * 8);
}

// Spec: PCI IDE 1.0, section 2: interface bits 0 and 2: the channel is in native mode, at its base
// addresses. The control block's port is the third byte of its range.
IdePorts find_ports(uint32_t channel) {
    IdePorts ports = kLegacyPorts[channel];
    for (const PciDevice& d : pci_devices()) {
        if (!d.is(0x01, 0x01)) continue;
        ports.bus_master = use_bus_master(d, channel);
        if (!(d.interface & (channel ? 1 << 2 : 1 << 0))) break;
        uint16_t command = d.port(channel * 2), control = d.port(channel * 2 + 1);
        if (!command || !control) break;
        ports = {command, static_cast<uint16_t>(control + 2), d.interrupt_line, ports.first_drive,
                 ports.bus_master};
        break;
    }
    return ports;
}

void describe(const IdeDisk& disk, const ata::Identity& identity, bool dma) {
    log_info("{}: {}, {} sectors ({} MiB), LBA{}{}", disk.name(), &identity.model[0],
             identity.sectors, identity.sectors >> 11, identity.lba48 ? 48 : 28,
             dma ? ", DMA" : "");
}

void describe(CdDrive& drive, const ata::Identity& identity, bool dma) {
    const Result<void> ready = drive.prepare(0);
    log_info("{}: {}, CD-ROM drive{}; {} ({} MiB)", drive.name(), &identity.model[0],
             dma ? ", DMA" : "",
             ready.is_ok()                      ? "a medium is in it"
             : ready.error() == Errno::nomedium ? "no medium"
                                                : "not ready",
             drive.sectors() >> 11);
}

template <typename Drive>
void add_drive(uint32_t channel_number, IdeChannel& channel, uint32_t which) {
    const char name[4] = {'h', 'd', channel.letter(which), '\0'};
    const ata::Identity& identity = channel.drive(which).identity;
    auto drive = make_box<Drive>(std::string_view(name, 3), kMajors[channel_number],
                                 which * kMinorsPerDrive, channel, which);
    if (drive.is_error()) return log_error("{}: no memory", &name[0]);
    Drive& found = *drive.value().leak();  // lives forever, as the channel does
    describe(found, identity, identity.dma && channel.has_dma());
    register_block_device(found);
}

bool add_channel(uint32_t number) {
    auto made = make_box<IdeChannel>(find_ports(number));
    if (made.is_error()) return false;
    made.value()->probe();
    if (!made.value()->has_drive()) return false;
    IdeChannel& channel = *made.value().leak();
    if (channel.enable_interrupts().is_error()) {
        log_error("ide{}: no interrupt line; drives ignored", number);
        return false;
    }
    for (uint32_t which : {0u, 1u}) {
        const auto kind = channel.drive(which).kind;
        if (kind == IdeChannel::Drive::Kind::disk) add_drive<IdeDisk>(number, channel, which);
        if (kind == IdeChannel::Drive::Kind::packet) add_drive<CdDrive>(number, channel, which);
    }
    return true;
}

}  // namespace

void ide_init() {
    disk_trace_init();
    bool first = add_channel(0), second = add_channel(1);
    if (!first && !second) log_info("ide: no drives");
}
