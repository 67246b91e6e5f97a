// See tty.hpp. Reading waits for a line, writing for the wire; job control is in tty_job_control.cpp.
#include "drivers/tty.hpp"

#include <algorithm>

#include "kernel/sched/clock.hpp"

namespace {

// Interrupts are off while a chunk goes out: 64 bytes take 5.6 ms at 115200 baud.
constexpr uint32_t kChunk = 64;
constexpr uint64_t kDecisecond = 100'000'000;

// Gathers what the line discipline puts out piecemeal.
class Wire final : public TextSink {
  public:
    Wire(Tty::Output output, uint32_t unit) : output_(output), unit_(unit) {}
    ~Wire() { flush(); }
    void put(std::string_view text) override {
        for (char c : text) {
            if (used_ == sizeof buffer_) flush();
            buffer_[used_++] = static_cast<uint8_t>(c);
        }
    }

  private:
    void flush() {
        if (used_) output_(unit_, {buffer_, used_});
        used_ = 0;
    }
    Tty::Output output_;
    uint32_t unit_;
    uint8_t buffer_[2 * kChunk];
    uint32_t used_ = 0;
};

}  // namespace

Result<uint32_t> Tty::read(std::span<uint8_t> to, bool non_blocking, uint32_t opened) {
    if (to.empty()) return 0u;
    TRY(check_foreground(kBackgroundRead));
    LockGuard guard(lock_);
    Woken woken = Woken::condition;
    if (hang_ups_ != opened) return 0u;
    if (!non_blocking) {
        woken = wait_for_input(to.size(), opened);
        if (hang_ups_ != opened) return 0u;
    } else if (!line_.readable(1)) {
        const Termios& t = line_.settings();
        bool returns_at_once = !(t.local & termios::kCanonical) && !t.characters[termios::kMin] &&
                               !t.characters[termios::kTime];
        if (!returns_at_once) return Errno::again;
    }
    if (!line_.readable(1)) {
        if (woken == Woken::interrupted) return Errno::restart;
        return 0u;
    }
    const uint32_t got = line_.read(to);
    tell_other_end(input_read);
    return got;
}

// How many bytes a raw read() with that much room waits for.
uint32_t Tty::wanted_bytes(size_t room) const {
    uint32_t minimum = line_.settings().characters[termios::kMin];
    return static_cast<uint32_t>(std::min<size_t>(minimum, room));
}

// Spec: 11.1.6 (canonical) and 11.1.7 (cases A to D of MIN and TIME).
Woken Tty::wait_for_input(size_t room, uint32_t opened) {
    const Termios& t = line_.settings();
    auto enough = [&]() NO_LOCK_ANALYSIS {
        return hang_ups_ != opened || line_.readable(wanted_bytes(room));
    };
    WaitOptions options{.reason = "tty read"};
    uint64_t time = t.characters[termios::kTime] * kDecisecond;
    if (t.local & termios::kCanonical || time == 0) {
        bool poll = !(t.local & termios::kCanonical) && t.characters[termios::kMin] == 0;
        return poll ? Woken::timed_out : read_queue_.wait(lock_, enough, options);
    }
    if (t.characters[termios::kMin] > 0) {  // the clock starts with the first byte, and anew
        auto first = [&]() NO_LOCK_ANALYSIS { return hang_ups_ != opened || line_.readable(1); };
        Woken woken = read_queue_.wait(lock_, first, options);
        if (woken != Woken::condition) return woken;
    }
    for (;;) {
        uint32_t before = line_.available();
        auto more = [&]() NO_LOCK_ANALYSIS { return enough() || line_.available() != before; };
        options.deadline = monotonic_now() + time;
        Woken woken = read_queue_.wait(lock_, more, options);
        if (woken != Woken::condition || enough()) return woken;
    }
}

Result<uint32_t> Tty::write(std::span<const uint8_t> from, bool non_blocking, uint32_t opened) {
    bool stop_background;
    {
        LockGuard guard(lock_);
        stop_background = line_.settings().local & termios::kStopBackground;
    }
    if (stop_background) TRY(check_foreground(kBackgroundChange));
    uint32_t done = 0;
    while (done < from.size()) {
        Result<void> goes = wait_until_output_goes(non_blocking, opened);
        if (goes.is_error()) {
            if (done) return done;
            return goes.error();
        }
        LockGuard writer(write_lock_);
        done += transmit(from.subspan(done));
    }
    return done;
}

Result<void> Tty::wait_until_output_goes(bool non_blocking, uint32_t opened) {
    LockGuard guard(lock_);
    auto settled = [&]() NO_LOCK_ANALYSIS { return hang_ups_ != opened || output_goes(); };
    if (!settled() && non_blocking) return Errno::again;
    if (write_queue_.wait(lock_, settled, {.reason = "tty write"}) == Woken::interrupted)
        return Errno::restart;
    return hang_ups_ == opened ? Result<void>() : Errno::io;
}

// All of it, or what goes out before ^S is typed, or the other end has no room.
uint32_t Tty::transmit(std::span<const uint8_t> from) {
    uint32_t done = 0;
    while (done < from.size()) {
        LockGuard guard(lock_);
        if (!output_goes()) break;
        auto chunk = from.subspan(done, std::min<size_t>(kChunk, from.size() - done));
        Wire wire(output_, unit_);
        line_.transmit(chunk, wire);
        done += static_cast<uint32_t>(chunk.size());
    }
    return done;
}

void Tty::receive(std::span<const uint8_t> bytes) {
    LockGuard guard(lock_);
    receive_locked(bytes);
}

void Tty::receive_locked(std::span<const uint8_t> bytes) {
    const bool was_stopped = line_.output_stopped();
    {
        Wire wire(output_, unit_);
        for (uint8_t byte : bytes)
            if (int signal = line_.receive(byte, wire)) {
                unsent_signals_ |= 1u << signal;
                if (line_.settings().local & termios::kNoFlush) continue;
                tell_other_end(input_flushed);
                tell_other_end(output_flushed);
            }
    }
    if (line_.readable(1)) read_queue_.wake_all();
    if (!line_.output_stopped()) write_queue_.wake_all();
    if (line_.output_stopped() != was_stopped)
        tell_other_end(was_stopped ? output_started : output_stopped);
    if (unsent_signals_) signal_queue_.wake_all();
}

bool Tty::readable() {
    LockGuard guard(lock_);
    const Termios& t = line_.settings();
    return line_.readable(t.characters[termios::kTime] ? 1 : t.characters[termios::kMin]);
}

bool Tty::writable() {
    LockGuard guard(lock_);
    return output_goes();
}
