// PseudoTerminal: a line discipline with two ends. At the slave's end programs read and write as at any
// terminal (it is a Tty); at the master's end, where a machine has a keyboard and a screen, another
// program writes what is typed and reads what is shown.
//
//      tmux, script, sshd              sh, vi, ...
//        |            ^                ^        |
//        | write      | read      read |        | write
//        v            |                |        v
//      master ---- output ring <-------|-- output processing
//        |            ^ echo           |        |
//        '---> receive(): editing, signals      |
//              `------------ line ring -'       |
//                      LineDiscipline  <--------'
//
// Invariant: a terminal is taken from the table when its master opens, and free again when no file of
// either end is left; the object lives for ever, so that the pointer in a process never dangles.
// Locks: the Tty's `lock_` guards all state here; the table's lock (rank pseudo_terminals) comes before.
// Spec: pty(7), ioctl_tty(2).
#pragma once

#include "drivers/tty.hpp"
#include "fs/attributes.hpp"
#include "fs/io.hpp"

constexpr uint32_t kSlaveMajor = 136;

class PseudoTerminal final : public Tty {
  public:
    static constexpr uint32_t kMost = 256;  // Linux has 4096; here each keeps 14 KiB
    explicit PseudoTerminal(uint32_t number);
    uint32_t number() const { return unit_number_; }

    // --- the slave's end
    Result<uint32_t> open_file() override;  // EIO: locked, or without a master
    void close_file() override;

    // --- the master's end. EAGAIN, EIO (read: every slave is closed), restart.
    void open_master();
    void close_master();  // hangs up
    Result<uint32_t> read_master(std::span<uint8_t> to, bool non_blocking);
    Result<uint32_t> write_master(std::span<const uint8_t> from, bool non_blocking);
    uint32_t ready_master();  // kPoll... bits
    WaitQueue& master_queue() { return master_queue_; }
    uint32_t waiting_output();
    void lock_slave(bool locked);
    bool slave_is_locked();
    void set_packet_mode(bool on);
    bool packet_mode();
    void send(int signal);  // to the foreground
    bool has_files();
    bool has_master();

    Attributes attributes;  // of its name in devpts; guarded by the table's lock

  private:
    static constexpr uint32_t kRing = 8192, kEnough = kRing / 2;  // the rest is for echo

    bool output_has_room() const override REQUIRES(lock_) { return shown_ - read_ < kEnough; }
    void tell_other_end(News news) override REQUIRES(lock_);
    void show(std::span<const uint8_t> bytes) REQUIRES(lock_);
    bool slave_is_gone() const REQUIRES(lock_) { return slave_was_open_ && !slaves_; }
    static void show_on(uint32_t number, std::span<const uint8_t> bytes);

    const uint32_t unit_number_;
    uint8_t ring_[kRing] GUARDED_BY(lock_);
    uint32_t shown_ GUARDED_BY(lock_) = 0, read_ GUARDED_BY(lock_) = 0;  // run freely
    uint32_t slaves_ GUARDED_BY(lock_) = 0;  // open files, dead ones too
    uint8_t news_ GUARDED_BY(lock_) = 0;     // of packet mode
    bool packet_mode_ GUARDED_BY(lock_) = false;
    bool master_ GUARDED_BY(lock_) = false;
    bool locked_ GUARDED_BY(lock_) = true;
    bool slave_was_open_ GUARDED_BY(lock_) = false;
    WaitQueue master_queue_;  // those who read or write at the master's end
};

// --- the table (devpts.cpp)
PseudoTerminal* pseudo_terminal(uint32_t number);  // null: there was never such a one
