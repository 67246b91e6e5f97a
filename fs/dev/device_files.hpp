// What the files of fs/dev share: numbers of devices, and copying between user memory and functions
// that want kernel memory.
#pragma once

#include <algorithm>

#include "fs/devices.hpp"

constexpr uint32_t kMemoryMajor = 1, kTerminalMajor = 4, kOwnTerminalMajor = 5;
// 240 to 254 are for local use.
constexpr uint32_t kHostMajor = 240;
constexpr uint32_t kResourceMajor = 241;  // kernel/deadlock
enum HostMinor : uint32_t { host_input, host_output, host_error, host_status };

void memory_devices_init();
void terminal_devices_init();
void host_devices_init();

// Opens a terminal by that node. Without kOpenNoTty it may become its opener's. EIO, ENOMEM.
Result<Ref<File>> open_terminal_file(class Tty& tty, Inode& node, uint32_t flags);

// Up to 4 KiB on their way; little data stays on the stack.
class DeviceBuffer {
  public:
    explicit DeviceBuffer(uint32_t wanted)
        : size_(std::min<uint32_t>(wanted, kPageSize)),
          data_(size_ <= sizeof small_ ? small_ : new (std::nothrow) uint8_t[size_]) {}
    ~DeviceBuffer() {
        if (data_ != small_) delete[] data_;
    }
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;
    explicit operator bool() const { return data_ != nullptr; }
    std::span<uint8_t> span() { return {data_, size_}; }

  private:
    uint32_t size_;
    uint8_t small_[256];
    uint8_t* data_;
};

// One call of read(span) -> Result<uint32_t>, for what `to` has room for (4 KiB at most).
template <typename F>
Result<uint32_t> read_through_buffer(ByteSink& to, F&& read) {
    if (!to.remaining()) return 0u;
    DeviceBuffer buffer(to.remaining());
    if (!buffer) return Errno::nomem;
    const uint32_t got = TRY(read(buffer.span()));
    const uint32_t put = to.put(buffer.span().data(), got);
    return put || !got ? Result(put) : Errno::fault;
}

// Calls write(span) -> Result<uint32_t> until all is written, or it stops early or fails.
template <typename F>
Result<uint32_t> write_through_buffer(ByteSource& from, F&& write) {
    DeviceBuffer buffer(from.remaining());
    if (!buffer) return Errno::nomem;
    uint32_t total = 0;
    while (from.remaining()) {
        auto piece = buffer.span().first(std::min<size_t>(from.remaining(), buffer.span().size()));
        const uint32_t taken = from.take(piece.data(), static_cast<uint32_t>(piece.size()));
        if (!taken) return total ? Result(total) : Errno::fault;
        Result<uint32_t> done = write(piece.first(taken));
        if (done.is_error()) return total ? Result(total) : done.error();
        total += done.value();
        if (done.value() < piece.size()) break;
    }
    return total;
}
