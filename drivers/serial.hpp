// Serial ports: 16550 UARTs. Output is polled, and works from the kernel's first instruction on;
// received bytes come by interrupt. A port that isn't there swallows its output and never hangs.
// Locks: none; writers of one port are serialised by its user (console, host_link).
// Spec: National Semiconductor PC16550D, sections 6 and 8.
#pragma once

#include <span>

#include "kernel/arch/interrupts.hpp"

class SerialPort {
  public:
    constexpr SerialPort(uint16_t base, uint32_t irq) : base_(base), irq_(irq) {}

    // 115200 baud, 8N1, FIFOs on. False, and silent from now on, if there is no UART.
    bool initialise();
    bool present() const { return present_; }

    // Waits until the transmitter is empty; false if that took too long. A FIFO takes 1.4 ms to
    // drain at 115200 baud, a poll about 1 microsecond on hardware.
    static constexpr uint32_t kMaxPolls = 200'000;
    bool wait_empty(uint32_t polls = kMaxPolls) const;
    void write(std::span<const uint8_t> bytes);
    // At most a FIFO full of bytes; the transmitter must be empty. Returns how many went out.
    uint32_t write_burst(std::span<const uint8_t> bytes);

    // `receive` is called in the interrupt handler; what came before this call is delivered now.
    using Receiver = void (*)(void* context, std::span<const uint8_t> bytes);
    Result<void> start_receiving(const char* name, Receiver receive, void* context);

  private:
    void handle_interrupt();

    uint16_t base_;
    uint32_t irq_;
    bool present_ = true;  // until initialise() knows better
    uint8_t burst_ = 1;    // bytes that an empty transmitter takes: 16 with FIFO
    bool has_early_byte_ = false;
    uint8_t early_byte_ = 0;  // received before initialise(), which clears the FIFO
    Receiver receive_ = nullptr;
    void* context_ = nullptr;
    InterruptHandler handler_{};
};

SerialPort& com1();  // 0x3F8, IRQ 4
SerialPort& com2();  // 0x2F8, IRQ 3
