// See serial.hpp. Registers of the UART; a transmitter that never gets ready is given up after a while.
#include "drivers/serial.hpp"

#include "kernel/arch/io.hpp"

namespace {

// Registers, as offsets from the base. Spec: PC16550D, table II.
enum Register : uint16_t {
    kData = 0,             // receive buffer, transmit holding; divisor low while DLAB
    kInterruptEnable = 1,  // divisor high while DLAB
    kInterruptId = 2,      // read
    kFifoControl = 2,      // write
    kLineControl = 3,
    kModemControl = 4,
    kLineStatus = 5,
    kScratch = 7,
};
constexpr uint8_t kEnableReceive = 1 << 0;   // interrupt enable
constexpr uint8_t kNothingPending = 1 << 0;  // interrupt id
constexpr uint8_t kFifosOn = 3 << 6;         // interrupt id
constexpr uint8_t kFifoEnable = 1 << 0, kFifoClear = 3 << 1, kTrigger14 = 3 << 6;  // FIFO control
constexpr uint8_t kEightBits = 3, kDivisorLatch = 1 << 7;                          // line control
constexpr uint8_t kDtr = 1 << 0, kRts = 1 << 1, kOut2 = 1 << 3;  // OUT2 lets the interrupt through
constexpr uint8_t kDataReady = 1 << 0, kTransmitterEmpty = 1 << 5;  // line status
constexpr uint16_t kDivisor115200 = 1;

constexpr uint32_t kFifoBytes = 16;

constinit SerialPort first_port{0x3F8, 4};
constinit SerialPort second_port{0x2F8, 3};

}  // namespace

SerialPort& com1() { return first_port; }
SerialPort& com2() { return second_port; }

bool SerialPort::initialise() {
    for (uint8_t pattern : {0x5A, 0xA5}) {
        out8(base_ + kScratch, pattern);
        present_ = in8(base_ + kScratch) == pattern;
        if (!present_) return false;
    }
    if (in8(base_ + kLineStatus) & kDataReady) {
        early_byte_ = in8(base_ + kData);
        has_early_byte_ = true;
    }
    wait_empty();  // clearing the FIFO would lose what was printed so far
    out8(base_ + kInterruptEnable, 0);
    out8(base_ + kLineControl, kDivisorLatch);
    out8(base_ + kData, kDivisor115200 & 0xFF);
    out8(base_ + kInterruptEnable, kDivisor115200 >> 8);
    out8(base_ + kLineControl, kEightBits);
    out8(base_ + kFifoControl, kFifoEnable | kFifoClear | kTrigger14);
    out8(base_ + kModemControl, kDtr | kRts | kOut2);
    burst_ = (in8(base_ + kInterruptId) & kFifosOn) == kFifosOn ? kFifoBytes : 1;
    return true;
}

bool SerialPort::wait_empty(uint32_t polls) {
    for (uint32_t i = 0; i < polls; ++i)
        if (in8(base_ + kLineStatus) & kTransmitterEmpty) return true;
    return false;
}

uint32_t SerialPort::write_burst(std::span<const uint8_t> bytes) {
    uint32_t count = bytes.size() < burst_ ? static_cast<uint32_t>(bytes.size()) : burst_;
    out8_repeat(base_ + kData, bytes.data(), count);
    return count;
}

void SerialPort::write(std::span<const uint8_t> bytes) {
    while (present_ && !bytes.empty()) {
        // The other end may take nothing for a while: what is written then is lost, and does not wait as long.
        stuck_ = !wait_empty(stuck_ ? 1 : kMaxPolls);
        if (stuck_) return;
        bytes = bytes.subspan(write_burst(bytes));
    }
}

Result<void> SerialPort::start_receiving(const char* name, Receiver receive, void* context) {
    if (!present_) return Errno::nodev;
    receive_ = receive;
    context_ = context;
    handler_ = {name, [](void* port) { static_cast<SerialPort*>(port)->handle_interrupt(); }, this};
    TRY(attach_interrupt(irq_, handler_));
    out8(base_ + kInterruptEnable, kEnableReceive);
    InterruptsOff guard;
    if (has_early_byte_) receive_(context_, {&early_byte_, 1});
    has_early_byte_ = false;
    handle_interrupt();
    return {};
}

// The line is edge-triggered: the UART must have nothing pending when this returns, else no further
// edge comes.
void SerialPort::handle_interrupt() {
    constexpr uint32_t kMaxRounds = 4096;  // far more than a working UART can deliver meanwhile
    for (uint32_t round = 0; round < kMaxRounds; ++round) {
        uint8_t bytes[kFifoBytes];
        uint32_t count = 0;
        while (count < kFifoBytes && (in8(base_ + kLineStatus) & kDataReady))
            bytes[count++] = in8(base_ + kData);
        if (count) receive_(context_, {bytes, count});
        if (count < kFifoBytes && (in8(base_ + kInterruptId) & kNothingPending)) return;
    }
}
