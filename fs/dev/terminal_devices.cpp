// Terminals as files: /dev/tty, the caller's own, and each of the machine's. Opening /dev/console never
// gives a process a controlling terminal; TIOCSCTTY does.
// Spec: tty(4), console(4).
#include "drivers/tty.hpp"
#include "fs/dev/device_files.hpp"

namespace {

class TerminalFile final : public DeviceFile {
  public:
    TerminalFile(uint32_t flags, Inode& node, Tty& tty, uint32_t opened)
        : DeviceFile(flags, node), tty_(tty), opened_(opened) {}
    ~TerminalFile() override { tty_.close_file(); }

    Result<uint32_t> read_at(ByteSink& to, uint64_t) override {
        return read_through_buffer(
            to, [&](std::span<uint8_t> room) { return tty_.read(room, non_blocking(), opened_); });
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override {
        return write_through_buffer(from, [&](std::span<uint8_t> bytes) {
            return tty_.write(bytes, non_blocking(), opened_);
        });
    }
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override {
        return hung_up() ? Errno::io : tty_.ioctl(request, argument);
    }
    bool pollable() const override { return true; }
    uint32_t poll(PollTable* table) override {
        if (table) {
            table->watch(tty_.read_queue(), kPollIn | kPollHangUp);
            table->watch(tty_.write_queue(), kPollOut);
        }
        if (hung_up()) return kPollIn | kPollOut | kPollError | kPollHangUp;
        return (tty_.readable() ? kPollIn : 0) | (tty_.writable() ? kPollOut : 0);
    }

  private:
    bool hung_up() { return tty_.hang_ups() != opened_; }
    Tty& tty_;
    const uint32_t opened_;
};

constexpr uint32_t kOwnTerminal = device_number(kOwnTerminalMajor, 0);

Tty* find_terminal(uint32_t device) {
    if (device == kOwnTerminal) return terminal_of_caller();
    for (Tty* tty : terminals())
        if (tty->device_number() == device) return tty;
    return nullptr;
}

Result<Ref<File>> open_terminal(Inode& node, uint32_t, uint32_t flags) {
    Tty* tty = find_terminal(node.attributes().special_device);
    if (!tty) return Errno::nxio;
    return open_terminal_file(*tty, node, flags | (tty == &console_tty() ? kOpenNoTty : 0));
}

constinit CharacterDevice own_and_console{kOwnTerminalMajor, 0, 2, open_terminal};
constinit CharacterDevice others{kTerminalMajor, 0, 256, open_terminal};

}  // namespace

Result<Ref<File>> open_terminal_file(Tty& tty, Inode& node, uint32_t flags) {
    const uint32_t opened = TRY(tty.open_file());
    auto* file = new (std::nothrow) TerminalFile(flags, node, tty, opened);
    if (!file) {
        tty.close_file();
        return Errno::nomem;
    }
    tty.opened(flags & kOpenNoTty);
    return Ref<File>::adopt(file);
}

void terminal_devices_init() {
    register_character_device(own_and_console);
    register_character_device(others);
}
