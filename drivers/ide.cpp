#include "drivers/ide.hpp"

#include <algorithm>

#include "drivers/block.hpp"
#include "drivers/ide_channel.hpp"
#include "drivers/pci.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"

namespace {

constexpr IdePorts kLegacyPorts[2] = {{0x1F0, 0x3F6, 14, 'a'}, {0x170, 0x376, 15, 'c'}};
constexpr uint32_t kMajors[2] = {3, 22};  // Spec: Linux devices.txt
constexpr uint32_t kMinorsPerDrive = 64;

class IdeDisk final : public BlockDevice {
  public:
    IdeDisk(std::string_view name, uint32_t channel_number, IdeChannel& channel, uint32_t which)
        : BlockDevice(name, kMajors[channel_number], which * kMinorsPerDrive),
          channel_(channel),
          which_(which) {}

    uint64_t sectors() const override { return identity().sectors; }
    uint32_t most_partitions() const override { return kMinorsPerDrive - 1; }
    Result<void> read(Sector first, uint32_t count, void* to) override {
        return split(first, count, [&](Sector at, uint32_t n, uint32_t done) {
            return channel_.read(which_, at, n, static_cast<uint8_t*>(to) + done * kSectorSize);
        });
    }
    Result<void> write(Sector first, uint32_t count, const void* from) override {
        return split(first, count, [&](Sector at, uint32_t n, uint32_t done) {
            return channel_.write(which_, at, n,
                                  static_cast<const uint8_t*>(from) + done * kSectorSize);
        });
    }
    Result<void> flush() override {
        if (!identity().flush) return {};
        return channel_.flush(which_);
    }

    DiskCounts counts() override { return channel_.counts(which_); }

  private:
    const ata::Identity& identity() const { return channel_.drive(which_).identity; }

    template <typename F>
    Result<void> split(Sector first, uint32_t count, F&& transfer) {
        if (first.raw() > sectors() || count > sectors() - first.raw()) return Errno::io;
        for (uint32_t done = 0; done < count;) {
            uint32_t n = std::min(count - done, ata::kMaxSectorsPerCommand);
            TRY(transfer(first + done, n, done));
            done += n;
        }
        return {};
    }

    IdeChannel& channel_;
    uint32_t which_;
};

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

void add_disk(uint32_t channel_number, IdeChannel& channel, uint32_t which) {
    char name[4] = {'h', 'd', channel.letter(which), '\0'};
    const ata::Identity& identity = channel.drive(which).identity;
    auto disk = make_box<IdeDisk>(std::string_view(name, 3), channel_number, channel, which);
    if (disk.is_error()) return log_error("{}: no memory", &name[0]);
    log_info("{}: {}, {} sectors ({} MiB), LBA{}{}", &name[0], &identity.model[0], identity.sectors,
             identity.sectors >> 11, identity.lba48 ? 48 : 28,
             identity.dma && channel.has_dma() ? ", DMA" : "");
    register_block_device(*disk.value().leak());  // lives forever, as the channel does
}

bool add_channel(uint32_t number) {
    auto made = make_box<IdeChannel>(find_ports(number));
    if (made.is_error()) return false;
    made.value()->probe();
    if (!made.value()->has_disk()) return false;
    IdeChannel& channel = *made.value().leak();
    if (channel.enable_interrupts().is_error()) {
        log_error("ide{}: no interrupt line; disks ignored", number);
        return false;
    }
    for (uint32_t which : {0u, 1u})
        if (channel.drive(which).kind == IdeChannel::Drive::Kind::disk)
            add_disk(number, channel, which);
    return true;
}

}  // namespace

void ide_init() {
    bool first = add_channel(0), second = add_channel(1);
    if (!first && !second) log_info("ide: no disks");
}
