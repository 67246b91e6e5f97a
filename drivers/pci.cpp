// See pci.hpp. Each bus, device and function is asked for its vendor; bridges lead to further buses.
#include "drivers/pci.hpp"

#include "kernel/arch/io.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/vector.hpp"

namespace {

constexpr uint16_t kConfigAddress = 0xCF8, kConfigData = 0xCFC;
constexpr uint32_t kConfigEnable = 1u << 31;

// Configuration space, offsets of 32-bit words. Spec: figures 6-1 (type 0) and PCI-to-PCI Bridge
// 1.1, figure 3-1 (type 1).
enum ConfigWord : uint8_t {
    kIdentity = 0x00,  // device << 16 | vendor
    kClass = 0x08,     // class << 24 | subclass << 16 | interface << 8 | revision
    kHeader = 0x0C,    // header type in bits 16-23
    kFirstBaseAddress = 0x10,
    kBusNumbers = 0x18,  // bridges: secondary bus in bits 8-15
    kInterrupt = 0x3C,   // line in bits 0-7
};
constexpr uint32_t kNoDevice = 0xFFFF;
constexpr uint8_t kManyFunctions = 0x80, kHeaderTypeMask = 0x7F;
constexpr uint8_t kBridgeHeader = 1;
constexpr uint32_t kMaxDepth = 8;  // of buses behind bridges: a stack, and a guard against loops

alignas(Vector<PciDevice>) constinit uint8_t device_storage[sizeof(Vector<PciDevice>)] = {};

// Never destroyed, so it needs no destructor at exit; all zeros is an empty Vector.
Vector<PciDevice>& devices() { return reinterpret_cast<Vector<PciDevice>&>(device_storage); }

void scan_bus(uint8_t bus, uint32_t depth);

void scan_function(PciAddress at, uint32_t depth) {
    uint32_t identity = pci_read(at, kIdentity);
    if ((identity & 0xFFFF) == kNoDevice) return;
    PciDevice device;
    device.address = at;
    device.vendor = identity & 0xFFFF;
    device.device = static_cast<uint16_t>(identity >> 16);
    uint32_t code = pci_read(at, kClass);
    device.base_class = static_cast<uint8_t>(code >> 24);
    device.sub_class = code >> 16 & 0xFF;
    device.interface = code >> 8 & 0xFF;
    device.header_type = pci_read(at, kHeader) >> 16 & kHeaderTypeMask;
    device.interrupt_line = pci_read(at, kInterrupt) & 0xFF;
    uint8_t base_addresses = device.header_type == 0 ? 6 : device.header_type == 1 ? 2 : 0;
    for (uint8_t i = 0; i < base_addresses; ++i)
        device.base_addresses[i] = pci_read(at, static_cast<uint8_t>(kFirstBaseAddress + 4 * i));
    if (devices().push_back(device).is_error()) return;
    if (device.header_type == kBridgeHeader && depth < kMaxDepth) {
        uint8_t secondary = pci_read(at, kBusNumbers) >> 8 & 0xFF;
        if (secondary > at.bus) scan_bus(secondary, depth + 1);
    }
}

void scan_bus(uint8_t bus, uint32_t depth) {
    for (uint8_t device = 0; device < 32; ++device) {
        PciAddress at{bus, device, 0};
        if ((pci_read(at, kIdentity) & 0xFFFF) == kNoDevice) continue;
        bool many = pci_read(at, kHeader) >> 16 & kManyFunctions;
        for (; at.function < (many ? 8 : 1); ++at.function) scan_function(at, depth);
    }
}

struct ClassName {
    uint8_t base, sub;
    const char* name;
};
constexpr uint8_t kAny = 0xFF;
constexpr ClassName kClassNames[] = {
    {0x01, 0x01, "IDE interface"},        {0x01, 0x06, "SATA controller"},
    {0x01, 0x08, "NVM controller"},       {0x01, kAny, "storage controller"},
    {0x02, 0x00, "Ethernet controller"},  {0x02, kAny, "network controller"},
    {0x03, 0x00, "VGA controller"},       {0x03, kAny, "display controller"},
    {0x04, kAny, "multimedia device"},    {0x05, kAny, "memory controller"},
    {0x06, 0x00, "host bridge"},          {0x06, 0x01, "ISA bridge"},
    {0x06, 0x04, "PCI bridge"},           {0x06, kAny, "bridge"},
    {0x07, kAny, "communication device"}, {0x08, kAny, "system peripheral"},
    {0x09, kAny, "input device"},         {0x0C, 0x03, "USB controller"},
    {0x0C, 0x05, "SMBus controller"},     {0x0C, kAny, "serial bus controller"},
};

// One line for each device that a user may expect to work, and that has no driver here.
void report_unsupported(const PciDevice& d) {
    constexpr uint16_t kVirtio = 0x1af4;
    constexpr uint8_t kAhci = 1;  // interface
    const char* advice = nullptr;
    if (d.vendor == kVirtio && (d.device == 0x1001 || d.device == 0x1042))
        advice = "virtio disk: not supported; disks are IDE or SATA here (QEMU: -drive if=ide)";
    else if (d.base_class == 0x01 && d.sub_class == 0x06 && d.interface != kAhci)
        advice = "SATA controller: not in AHCI mode, which the firmware's set-up can choose";
    else if (d.base_class == 0x01 && d.sub_class == 0x08)
        advice = "NVMe disk: not supported; disks are IDE or SATA here (QEMU: -drive if=ide)";
    else if (d.base_class == 0x0c && d.sub_class == 0x03)
        advice = "USB: not supported; keyboards are PS/2 here (QEMU has one without -usb)";
    if (advice)
        log_at(LogLevel::notice, "pci: {:02x}:{:02x}.{} {}", d.address.bus, d.address.device,
               d.address.function, advice);
}

}  // namespace

uint32_t pci_read(PciAddress at, uint8_t offset) {
    out32(kConfigAddress, kConfigEnable | static_cast<uint32_t>(at.bus) << 16 |
                              static_cast<uint32_t>(at.device) << 11 |
                              static_cast<uint32_t>(at.function) << 8 | offset);
    return in32(kConfigData);
}

void pci_write(PciAddress at, uint8_t offset, uint32_t value) {
    pci_read(at, offset);  // leaves the address selected
    out32(kConfigData, value);
}

const char* pci_class_name(uint8_t base_class, uint8_t sub_class) {
    for (const ClassName& c : kClassNames)
        if (c.base == base_class && (c.sub == sub_class || c.sub == kAny)) return c.name;
    return "device";
}

std::span<const PciDevice> pci_devices() { return devices().span(); }

void pci_init() {
    out32(kConfigAddress, kConfigEnable);
    if (in32(kConfigAddress) != kConfigEnable) return log_info("pci: no bus");
    scan_bus(0, 0);
    for (const PciDevice& d : pci_devices())
        log_at(LogLevel::debug, "pci: {:02x}:{:02x}.{} {:04x}:{:04x} {}", d.address.bus,
               d.address.device, d.address.function, d.vendor, d.device,
               pci_class_name(d.base_class, d.sub_class));
    for (const PciDevice& d : pci_devices()) report_unsupported(d);
    log_info("pci: {} devices", pci_devices().size());
}
