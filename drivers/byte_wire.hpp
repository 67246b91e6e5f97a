// Something that takes bytes in bursts: a UART's FIFO, a virtio queue.
#pragma once

#include <cstdint>
#include <span>

class ByteWire {
  public:
    // Waits until all is on its way; false if it isn't after that many looks.
    static constexpr uint32_t kMaxPolls = 200'000;
    virtual bool wait_empty(uint32_t polls = kMaxPolls) = 0;
    // Takes some of the bytes, now that it is empty. Returns how many.
    virtual uint32_t write_burst(std::span<const uint8_t> bytes) = 0;

    // Received bytes, in the interrupt handler.
    using Receiver = void (*)(void* context, std::span<const uint8_t> bytes);

  protected:
    ~ByteWire() = default;
};
