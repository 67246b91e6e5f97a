// Serial ports: 16550 UARTs. Output is polled, and works from the kernel's first instruction on;
// received bytes come by interrupt. A port that isn't there swallows its output and never hangs.
// Locks: none; writers of one port are serialised by its user (console, host_link).
// Spec: National Semiconductor PC16550D, sections 6 and 8.
#pragma once

#include "drivers/byte_wire.hpp"
#include "kernel/arch/interrupts.hpp"

class SerialPort final : public ByteWire {
  public:
    constexpr SerialPort(uint16_t base, uint32_t irq) : base_(base), irq_(irq) {}

    // 115200 baud, 8N1, FIFOs on. False, and silent from now on, if there is no UART.
    bool initialise();
    bool present() const { return present_; }

    // A FIFO takes 1.4 ms to drain at 115200 baud, a poll about 1 microsecond on hardware.
    bool wait_empty(uint32_t polls = kMaxPolls) override;
    uint32_t write_burst(std::span<const uint8_t> bytes) override;
    void write(std::span<const uint8_t> bytes);  // all of it

    // `receive` is called in the interrupt handler; what came before this call is delivered now.
    Result<void> start_receiving(const char* name, Receiver receive, void* context);

  private:
    void handle_interrupt();

    uint16_t base_;
    uint32_t irq_;
    bool present_ = true;  // until initialise() knows better
    bool stuck_ = false;
    uint8_t burst_ = 1;  // bytes that an empty transmitter takes: 16 with FIFO
    bool has_early_byte_ = false;
    uint8_t early_byte_ = 0;  // received before initialise(), which clears the FIFO
    Receiver receive_ = nullptr;
    void* context_ = nullptr;
    InterruptHandler handler_{};
};

SerialPort& com1();  // 0x3F8, IRQ 4
SerialPort& com2();  // 0x2F8, IRQ 3
