// See virtio_console.hpp. Three queues: a control queue to open the port, one in each direction.
#include "drivers/virtio_console.hpp"

#include <algorithm>

#include "drivers/pci.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/atomic.hpp"

namespace {

constexpr uint16_t kVendor = 0x1AF4, kConsoleDevice = 0x1003;  // a transitional device
// Legacy registers, in the I/O ports of the first base address. Spec: 4.1.4.8.
enum Register : uint16_t {
    kDeviceFeatures = 0x00,
    kDriverFeatures = 0x04,
    kQueuePage = 0x08,
    kQueueSize = 0x0C,
    kQueueSelect = 0x0E,
    kQueueNotify = 0x10,
    kStatus = 0x12,
    kInterruptStatus = 0x13,  // reading acknowledges
};
constexpr uint8_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4;  // Spec: 2.1
constexpr uint8_t kPciCommand = 0x04;
constexpr uint32_t kPciIoSpace = 1 << 0, kPciBusMaster = 1 << 2;
// The first port is a console, from which the emulator drops output when the host is slow; the
// second one waits. Spec: 5.3.2 (queues), 5.3.3 (features), 5.3.6.2 (control messages).
constexpr uint32_t kSeveralPorts = 1 << 1;
constexpr uint32_t kPort = 1;
constexpr uint16_t kControlQueue = 3, kReceiveQueue = 4, kTransmitQueue = 5;
struct ControlMessage {
    uint32_t port;
    uint16_t event, value;
};
constexpr uint16_t kDeviceReady = 0, kPortReady = 3, kPortOpen = 6;
// The device says how many entries a queue has, and a legacy driver has to take that: QEMU 7.2 has 32 or 128, QEMU 10
// has 1,024.
constexpr uint32_t kMaxEntries = 1024, kBufferBytes = 8192;

// A queue in memory, for n entries: descriptors (16 n bytes), available ring (6 + 2 n), and on the
// next page boundary the used ring (6 + 8 n). Spec: 2.6.2.
struct Descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};
constexpr uint16_t kDeviceWrites = 2;
struct UsedElement {
    uint32_t id, length;
};

constexpr uint32_t used_ring_at(uint32_t entries) {
    return align_up(entries * static_cast<uint32_t>(sizeof(Descriptor) + 2) + 6, kPageSize);
}

struct Queue {
    alignas(kPageSize)
        uint8_t memory[used_ring_at(kMaxEntries) + 6 + kMaxEntries * sizeof(UsedElement)] = {};
    uint8_t buffer[kBufferBytes] = {};
    uint32_t entries = 0;
    uint16_t posted = 0, seen = 0;

    Descriptor& descriptor() { return *reinterpret_cast<Descriptor*>(memory); }
    volatile uint16_t* available() {  // flags, index, ring
        return reinterpret_cast<volatile uint16_t*>(memory + entries * sizeof(Descriptor));
    }
    volatile uint16_t* used() {  // flags, index, then elements
        return reinterpret_cast<volatile uint16_t*>(memory + used_ring_at(entries));
    }
    UsedElement& element(uint16_t i) {
        return reinterpret_cast<UsedElement*>(memory + used_ring_at(entries) + 4)[i % entries];
    }
};

constinit Queue control_queue, receive_queue,
    transmit_queue;  // zeros: no room in the kernel's image

class VirtioConsole final : public ByteWire {
  public:
    bool initialise(const PciDevice& device, Receiver receive, void* context);
    bool wait_empty(uint32_t polls) override { return wait_for(transmit_queue, polls); }
    uint32_t write_burst(std::span<const uint8_t> bytes) override;

  private:
    bool set_up(uint16_t number, Queue& queue);
    void post(uint16_t number, Queue& queue, uint32_t length, uint16_t flags);
    bool wait_for(Queue& queue, uint32_t polls);
    bool control(uint32_t port, uint16_t event);
    void handle_interrupt();

    uint16_t port_ = 0;
    Receiver receive_ = nullptr;
    void* context_ = nullptr;
    InterruptHandler handler_{};
};
constinit VirtioConsole console_port;

bool VirtioConsole::initialise(const PciDevice& device, Receiver receive, void* context) {
    port_ = device.port(0);
    receive_ = receive;
    context_ = context;
    if (!port_) return false;
    uint32_t command = pci_read(device.address, kPciCommand) & 0xFFFF;
    pci_write(device.address, kPciCommand, command | kPciIoSpace | kPciBusMaster);
    out8(port_ + kStatus, 0);
    out8(port_ + kStatus, kAcknowledge | kDriver);
    if (!(in32(port_ + kDeviceFeatures) & kSeveralPorts)) return false;
    out32(port_ + kDriverFeatures, kSeveralPorts);
    if (!set_up(kControlQueue, control_queue) || !set_up(kReceiveQueue, receive_queue) ||
        !set_up(kTransmitQueue, transmit_queue))
        return false;
    handler_ = {"hostlink",
                [](void* self) { static_cast<VirtioConsole*>(self)->handle_interrupt(); }, this};
    if (attach_interrupt(device.interrupt_line, handler_).is_error()) return false;
    out8(port_ + kStatus, kAcknowledge | kDriver | kDriverOk);
    post(kReceiveQueue, receive_queue, kBufferBytes, kDeviceWrites);
    // What the host would tell us about its ports we know: we offer it no buffer for that.
    return control(0, kDeviceReady) && control(kPort, kPortReady) && control(kPort, kPortOpen);
}

bool VirtioConsole::control(uint32_t port, uint16_t event) {
    ControlMessage message{port, event, 1};
    __builtin_memcpy(control_queue.buffer, &message, sizeof message);
    post(kControlQueue, control_queue, sizeof message, 0);
    return wait_for(control_queue, kMaxPolls);
}

bool VirtioConsole::set_up(uint16_t number, Queue& queue) {
    out16(port_ + kQueueSelect, number);
    queue.entries = in16(port_ + kQueueSize);
    if (queue.entries == 0 || queue.entries > kMaxEntries) return false;
    out32(port_ + kQueuePage, frame_of(to_physical(queue.memory)).raw());
    return true;
}

void VirtioConsole::post(uint16_t number, Queue& queue, uint32_t length, uint16_t flags) {
    queue.descriptor() = {to_physical(queue.buffer).raw(), length, flags, 0};
    queue.available()[2 + queue.posted % queue.entries] = 0;  // the descriptor's number
    full_fence();
    queue.available()[1] = ++queue.posted;
    full_fence();
    out16(port_ + kQueueNotify, number);
}

bool VirtioConsole::wait_for(Queue& queue, uint32_t polls) {
    for (uint32_t i = 0; i < polls; ++i) {
        if (queue.used()[1] == queue.posted) return true;
        in8(port_ + kStatus);  // lets the emulator see to it
    }
    return false;
}

uint32_t VirtioConsole::write_burst(std::span<const uint8_t> bytes) {
    auto n = static_cast<uint32_t>(std::min<size_t>(bytes.size(), kBufferBytes));
    std::copy_n(bytes.begin(), n, transmit_queue.buffer);
    post(kTransmitQueue, transmit_queue, n, 0);
    return n;
}

void VirtioConsole::handle_interrupt() {
    if (!(in8(port_ + kInterruptStatus) & 1)) return;
    Queue& queue = receive_queue;
    while (queue.used()[1] != queue.seen) {
        uint32_t length = std::min(queue.element(queue.seen).length, kBufferBytes);
        ++queue.seen;
        receive_(context_, {queue.buffer, length});
        post(kReceiveQueue, queue, kBufferBytes, kDeviceWrites);
    }
}

}  // namespace

ByteWire* virtio_console_init(ByteWire::Receiver receive, void* context) {
    for (const PciDevice& device : pci_devices())
        if (device.vendor == kVendor && device.device == kConsoleDevice)
            return console_port.initialise(device, receive, context) ? &console_port : nullptr;
    return nullptr;
}
