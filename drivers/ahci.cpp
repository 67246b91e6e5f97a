// See ahci.hpp. The controller: which ports it has, and its interrupt; a port is in ahci_port.cpp.
#include "drivers/ahci.hpp"

#include "drivers/pci.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/ref.hpp"

namespace {

// Registers of 32 bits, by number; the interrupt status has a bit a port, and 1 clears. Spec: 3.1.
constexpr uint32_t kControl = 1, kInterruptStatus = 2, kPortsImplemented = 3, kFirstPort = 64;
constexpr uint32_t kPortWords = 32, kPortsMost = 32;
constexpr uint32_t kRegisterBytes = 4 * (kFirstPort + kPortsMost * kPortWords);
constexpr uint32_t kReset = 1 << 0, kInterruptsOn = 1 << 1, kAhciOn = 1u << 31;  // control
constexpr uint32_t kMaxPolls = 1'000'000;

struct Controller {
    explicit Controller(volatile uint32_t* mapped) : registers(mapped) {}
    volatile uint32_t* registers;
    AhciPort* ports[kPortsMost] = {};
    InterruptHandler handler{};

    // The line may be another device's too. Spec: 5.6.4: a port's own status is cleared first.
    void handle_interrupt() {
        const uint32_t which = registers[kInterruptStatus];
        for (uint32_t i = 0; i < kPortsMost; ++i)
            if (which >> i & 1 && ports[i]) ports[i]->handle_interrupt();
        if (which) registers[kInterruptStatus] = which;
    }
};

volatile uint32_t* find_registers(const PciDevice& d, PhysicalMapper map) {
    constexpr uint8_t kCommandWord = 0x04;
    constexpr uint32_t kMemorySpace = 1 << 1, kMayMaster = 1 << 2, kNoInterrupts = 1 << 10;
    const uint32_t address = d.base_addresses[5] & ~0xFu;
    if (!address) return nullptr;
    const uint32_t command = pci_read(d.address, kCommandWord) & 0xFFFF & ~kNoInterrupts;
    pci_write(d.address, kCommandWord, command | kMemorySpace | kMayMaster);
    Result<void*> mapped = map(PhysAddr(address), kRegisterBytes);
    return mapped ? static_cast<volatile uint32_t*>(mapped.value()) : nullptr;
}

// Returns the letter after its last port's.
char add_controller(const PciDevice& device, PhysicalMapper map, char letter) {
    volatile uint32_t* const registers = find_registers(device, map);
    auto made = make_box<Controller>(registers);
    if (!registers || made.is_error()) {
        log_error("ahci: its registers cannot be mapped");
        return letter;
    }
    Controller& controller = *made.value().leak();
    controller.handler = {"ahci",
                          [](void* self) { static_cast<Controller*>(self)->handle_interrupt(); },
                          &controller};
    // Whatever the firmware left: no interrupts, no pointers into memory. Spec: 10.4.3.
    registers[kControl] = kAhciOn;
    registers[kControl] = kAhciOn | kReset;
    for (uint32_t i = 0; i < kMaxPolls && registers[kControl] & kReset; ++i) {
    }
    registers[kControl] = kAhciOn;
    if (attach_interrupt(device.interrupt_line, controller.handler).is_error()) {
        log_error("ahci: no interrupt line; drives ignored");
        return letter;
    }
    registers[kControl] = kAhciOn | kInterruptsOn;
    for (uint32_t i = 0; i < kPortsMost; ++i) {
        if (!(registers[kPortsImplemented] >> i & 1)) continue;
        auto port = make_box<AhciPort>(registers + kFirstPort + i * kPortWords, letter);
        if (port.is_error()) break;
        controller.ports[i] = port.value().leak();
        add_ata_drive(*controller.ports[i], 0, controller.ports[i]->probe(), letter++, true);
    }
    return letter;
}

}  // namespace

void ahci_init(PhysicalMapper map) {
    constexpr uint8_t kAhciInterface = 1;
    char letter = block_devices().empty() ? 'a' : 'e';
    for (const PciDevice& d : pci_devices())
        if (d.is(0x01, 0x06) && d.interface == kAhciInterface)
            letter = add_controller(d, map, letter);
}
