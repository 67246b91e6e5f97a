// See pseudo_terminal.hpp. Every wait and every byte of both ends; names are in devpts.cpp.
#include "kernel/linux/pseudo_terminal.hpp"

#include <algorithm>

#include "fs/file.hpp"

PseudoTerminal::PseudoTerminal(uint32_t number)
    : Tty("pts", ::device_number(kSlaveMajor, number), show_on, number), unit_number_(number) {}

// --- the slave's end

Result<uint32_t> PseudoTerminal::open_file() {
    LockGuard guard(lock_);
    if (locked_ || !master_) return Errno::io;
    ++slaves_;
    slave_was_open_ = true;
    return hang_ups_;
}

void PseudoTerminal::close_file() {
    LockGuard guard(lock_);
    if (--slaves_ == 0) master_queue_.wake_all();
}

// What the slave's end shows: a program's output, and the echo. Echo beyond the ring is lost, as on Linux.
void PseudoTerminal::show(std::span<const uint8_t> bytes) {
    if (!master_) return;
    for (uint8_t byte : bytes) {
        if (shown_ - read_ == kRing) break;
        ring_[shown_++ % kRing] = byte;
    }
    master_queue_.wake_all();
}

// Called with its lock held.
void PseudoTerminal::show_on(uint32_t number, std::span<const uint8_t> bytes) NO_LOCK_ANALYSIS {
    pseudo_terminal(number)->show(bytes);
}

void PseudoTerminal::tell_other_end(News news) {
    if (news == output_flushed) read_ = shown_;
    if (packet_mode_) {
        // A state and its opposite: the last one counts.
        constexpr uint8_t kStates = output_stopped | output_started,
                          kFlow = flow_control_off | flow_control_on;
        if (news & kStates) news_ &= static_cast<uint8_t>(~kStates);
        if (news & kFlow) news_ &= static_cast<uint8_t>(~kFlow);
        news_ |= news;
    }
    master_queue_.wake_all();
}

// --- the master's end

void PseudoTerminal::open_master() {
    LockGuard guard(lock_);
    line_.reset();
    Termios settings = termios::kDefault;
    settings.control &= ~termios::kHangUpOnClose;
    line_.set_settings(settings);
    input_speed_ = output_speed_ = 0;
    window_ = {};
    session_ = foreground_ = 0;
    unsent_signals_ = 0;
    shown_ = read_ = 0;
    news_ = 0;
    packet_mode_ = slave_was_open_ = false;
    master_ = locked_ = true;
}

void PseudoTerminal::close_master() {
    {
        LockGuard guard(lock_);
        master_ = false;
        shown_ = read_;
    }
    hang_up();
}

Result<uint32_t> PseudoTerminal::read_master(std::span<uint8_t> to, bool non_blocking) {
    if (to.empty()) return 0u;
    LockGuard guard(lock_);
    auto ready = [&]() NO_LOCK_ANALYSIS { return news_ || shown_ != read_ || slave_is_gone(); };
    if (!ready() && non_blocking) return Errno::again;
    if (master_queue_.wait(lock_, ready, {.reason = "pty read"}) == Woken::interrupted)
        return Errno::restart;
    uint32_t done = 0;
    if (packet_mode_) {
        to[done++] = news_;
        if (std::exchange(news_, 0)) return done;
    }
    if (shown_ == read_ && slave_is_gone()) return Errno::io;
    while (done < to.size() && shown_ != read_) to[done++] = ring_[read_++ % kRing];
    if (output_has_room()) write_queue_.wake_all();
    return done;
}

Result<uint32_t> PseudoTerminal::write_master(std::span<const uint8_t> from, bool non_blocking) {
    constexpr size_t kChunk = 256;  // with interrupts off
    uint32_t done = 0;
    while (done < from.size()) {
        Result<void> settled;
        {
            LockGuard guard(lock_);
            auto room = [&]() NO_LOCK_ANALYSIS { return line_.room() != 0; };
            if (!room() && non_blocking) {
                settled = Errno::again;
            } else if (master_queue_.wait(lock_, room, {.reason = "pty write"}) !=
                       Woken::condition) {
                settled = Errno::restart;
            } else {
                const size_t bytes = std::min<size_t>({from.size() - done, line_.room(), kChunk});
                receive_locked(from.subspan(done, bytes));
                done += static_cast<uint32_t>(bytes);
            }
        }
        if (settled.is_error()) return done ? Result(done) : settled.error();
        send_waiting_signals();
    }
    return done;
}

uint32_t PseudoTerminal::ready_master() {
    LockGuard guard(lock_);
    return (shown_ != read_ || news_ ? kPollIn : 0) | (news_ ? kPollPriority : 0) |
           (line_.room() ? kPollOut : 0) | (slave_is_gone() ? kPollHangUp : 0);
}

uint32_t PseudoTerminal::waiting_output() {
    LockGuard guard(lock_);
    return shown_ - read_;
}

void PseudoTerminal::lock_slave(bool locked) {
    LockGuard guard(lock_);
    locked_ = locked;
}
bool PseudoTerminal::slave_is_locked() {
    LockGuard guard(lock_);
    return locked_;
}
void PseudoTerminal::set_packet_mode(bool on) {
    LockGuard guard(lock_);
    if (on != packet_mode_) news_ = 0;
    packet_mode_ = on;
}
bool PseudoTerminal::packet_mode() {
    LockGuard guard(lock_);
    return packet_mode_;
}

void PseudoTerminal::send(int signal) {
    {
        LockGuard guard(lock_);
        unsent_signals_ |= 1u << signal;
    }
    send_waiting_signals();
}

bool PseudoTerminal::has_master() {
    LockGuard guard(lock_);
    return master_;
}
bool PseudoTerminal::has_files() {
    LockGuard guard(lock_);
    return master_ || slaves_;
}
