// The master's end as an open file, its ioctl calls, the devices, and vhangup(2).
// Locks: those of the terminal and of the table (devpts.hpp).
// Spec: pty(7), ioctl_tty(2), vhangup(2).
#include "fs/dev/device_files.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/devpts.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

enum Request : uint32_t {
    kFlush = 0x540B,              // TCFLSH
    kGetForeground = 0x540F,      // TIOCGPGRP
    kOutputQueue = 0x5411,        // TIOCOUTQ
    kInputQueue = 0x541B,         // FIONREAD
    kSetPacketMode = 0x5420,      // TIOCPKT
    kGetSession = 0x5429,         // TIOCGSID
    kGiveUpControlling = 0x5422,  // TIOCNOTTY
    kOpenPeer = 0x5441,           // TIOCGPTPEER
    kGetNumber = 0x80045430,      // TIOCGPTN
    kSetLock = 0x40045431,        // TIOCSPTLCK
    kSignal = 0x40045436,         // TIOCSIG
    kGetPacketMode = 0x80045438,  // TIOCGPKT
    kGetLock = 0x80045439,        // TIOCGPTLCK
};

template <typename T>
Result<int32_t> give(uint32_t to, T value) {
    TRY(write_user(UserPtr<T>(to), value));
    return 0;
}

// TIOCGPTPEER: the slave's end of this very master, whatever is mounted where. Where its name is found
// at /dev/pts, ttyname(3) finds it too.
Result<int32_t> open_peer(PseudoTerminal& terminal, uint32_t flags) {
    Ref<Inode> node = TRY(node_of_terminal(terminal));
    return install_opened(flags & kOpenCloseOnExec, [&]() -> Result<Ref<File>> {
        Ref<File> file = TRY(open_terminal_file(terminal, *node, flags));
        file->set_flags(flags & ~(kOpenNoTty | kOpenCloseOnExec));
        char text[24];
        Result<Path> path = resolve(context(), root_directory(context()),
                                    format_in(text, "/dev/pts/{}", terminal.number()), Follow::no);
        if (path.is_ok() &&
            inode_of(path.value()).attributes().special_device == terminal.device_number())
            file->set_path(path.release_value());
        return file;
    });
}

class MasterFile final : public DeviceFile {
  public:
    MasterFile(uint32_t flags, Inode& node, PseudoTerminal& terminal)
        : DeviceFile(flags, node), terminal_(terminal) {}
    ~MasterFile() override { release_pseudo_terminal(terminal_); }

    Result<uint32_t> read_at(ByteSink& to, uint64_t) override {
        return read_through_buffer(to, [&](std::span<uint8_t> room) {
            return terminal_.read_master(room, non_blocking());
        });
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override {
        return write_through_buffer(from, [&](std::span<uint8_t> bytes) {
            return terminal_.write_master(bytes, non_blocking());
        });
    }
    bool pollable() const override { return true; }
    uint32_t poll(PollTable* table) override {
        if (table) table->watch(terminal_.master_queue());
        return terminal_.ready_master();
    }
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override;

  private:
    PseudoTerminal& terminal_;
};

// What is not of the master alone is done as at the slave's end.
Result<int32_t> MasterFile::ioctl(uint32_t request, uint32_t argument) {
    switch (request) {
        case kGetNumber: return give(argument, terminal_.number());
        case kSetLock:
            terminal_.lock_slave(TRY(read_user(UserPtr<int32_t>(argument))) != 0);
            return 0;
        case kGetLock: return give(argument, int32_t{terminal_.slave_is_locked()});
        case kOpenPeer: return open_peer(terminal_, argument);
        case kSetPacketMode:
            terminal_.set_packet_mode(TRY(read_user(UserPtr<int32_t>(argument))) != 0);
            return 0;
        case kGetPacketMode: return give(argument, int32_t{terminal_.packet_mode()});
        case kSignal:
            if (argument != kSigInt && argument != kSigQuit && argument != kSigTstp)
                return Errno::inval;
            terminal_.send(static_cast<int>(argument));
            return 0;
        case kInputQueue: return give(argument, terminal_.waiting_output());
        case kOutputQueue: return give(argument, 0);
        case kFlush:  // what is output at one end is input at the other
            return terminal_.ioctl(request, argument < 2 ? 1 - argument : argument);
        case kGetForeground: return give(argument, terminal_.foreground_group());
        case kGetSession: {
            const int session = terminal_.session();
            return session ? give(argument, session) : Errno::notty;
        }
        case kGiveUpControlling: return Errno::notty;
        default: return terminal_.ioctl(request, argument);
    }
}

Result<Ref<File>> open_master(Inode& node, uint32_t, uint32_t flags) {
    PseudoTerminal* terminal = TRY(take_pseudo_terminal(context().credentials));
    Result<Ref<MasterFile>> file = make_ref<MasterFile>(flags, node, *terminal);
    if (file.is_error()) {
        release_pseudo_terminal(*terminal);
        return file.error();
    }
    return Ref<File>(file.release_value());
}

Result<Ref<File>> open_slave(Inode& node, uint32_t minor, uint32_t flags) {
    PseudoTerminal* terminal = pseudo_terminal(minor);
    if (!terminal) return Errno::io;
    return open_terminal_file(*terminal, node, flags);
}

constinit CharacterDevice masters{kOwnTerminalMajor, 2, 1, open_master};
constinit CharacterDevice slaves{kSlaveMajor, 0, PseudoTerminal::kMost, open_slave};

void pty_devices_init() {
    register_character_device(masters);
    register_character_device(slaves);
}
AT_START_UP(pty_devices_init);

Result<void> sys_vhangup() {
    if (!context().credentials.may(Capability::sys_tty_config)) return Errno::perm;
    if (Tty* terminal = terminal_of_caller()) terminal->hang_up();
    return {};
}

constexpr SystemCall kTerminalCalls[] = {CALL(111, vhangup, sys_vhangup)};
SYSTEM_CALLS(kTerminalCalls);

}  // namespace
