// The line discipline: what lies between a terminal's wires and its programs. Bytes received are
// mapped, edited into lines, echoed, or become signals; bytes written get their line ends.
// Pure: bytes and settings in; echo, signals and lines out. The Tty around it does the waiting.
// Invariant: tail <= line_end <= head <= tail + kCapacity; in canonical mode a program sees only
// what lies before line_end. A delimiter is marked; a marked NUL is an end of file, not data.
// Locks: none; the Tty's.
// Spec: POSIX.1-2017 11.1.5-11.1.9, 11.2; termios(3).
#pragma once

#include <algorithm>
#include <span>

#include "drivers/termios.hpp"
#include "kernel/lib/format.hpp"

class LineDiscipline {
  public:
    static constexpr uint32_t kCapacity = 4096;
    // Signals that input may ask for.
    static constexpr int kSignalInterrupt = 2, kSignalQuit = 3, kSignalStop = 20;

    constexpr LineDiscipline() = default;
    void reset();  // as fresh

    const Termios& settings() const { return settings_; }
    void set_settings(const Termios& settings);

    // One byte from the wire. Echo goes to `wire`. Returns the signal it stands for, or 0.
    int receive(uint8_t byte, TextSink& wire);
    // Bytes of a program's, to the wire.
    void transmit(std::span<const uint8_t> bytes, TextSink& wire);

    // What a read() gets: up to a line, or whatever is there; 0 bytes at an end of file.
    // Only when readable(): in canonical mode a line is complete, else `minimum` bytes are there.
    uint32_t read(std::span<uint8_t> to);
    bool readable(uint32_t minimum) const;
    uint32_t available() const;  // FIONREAD
    // How many bytes receive() takes without losing one: of a line that is too long only its end
    // counts, so while there is none to read, all.
    uint32_t room() const {
        if (canonical() && line_end_ == tail_) return kCapacity;
        const uint32_t most = canonical() ? kCapacity - 1 : kCapacity;
        return most - std::min(count(), most);
    }

    bool output_stopped() const { return stopped_; }
    void stop_output(bool stop) { stopped_ = stop; }
    void flush_input();

  private:
    bool local(uint32_t flag) const { return settings_.local & flag; }
    bool input(uint32_t flag) const { return settings_.input & flag; }
    bool is(uint8_t byte, termios::Character which) const {
        return byte == settings_.characters[which] && byte != termios::kDisabled;
    }
    bool canonical() const { return local(termios::kCanonical); }
    uint32_t count() const { return head_ - tail_; }
    uint8_t& at(uint32_t position) { return buffer_[position % kCapacity]; }
    uint8_t at(uint32_t position) const { return buffer_[position % kCapacity]; }
    bool marked(uint32_t position) const {
        position %= kCapacity;
        return delimiter_[position / 32] >> position % 32 & 1;
    }
    void mark(uint32_t position, bool on) {
        position %= kCapacity;
        uint32_t bit = 1u << position % 32;
        delimiter_[position / 32] = (delimiter_[position / 32] & ~bit) | (on ? bit : 0);
    }

    int signal_for(uint8_t byte) const;
    bool receive_start_stop(uint8_t byte);
    bool edit(uint8_t byte, TextSink& wire);
    bool end_line(uint8_t byte, TextSink& wire);
    void store(uint8_t byte, bool delimiter, TextSink& wire);
    void erase_character(TextSink& wire);
    void erase_word(TextSink& wire);
    void erase_line(TextSink& wire);
    void take_back(TextSink& wire);
    void reprint(TextSink& wire);

    void echo(uint8_t byte, TextSink& wire);
    void transmit_byte(uint8_t byte, TextSink& wire);
    uint32_t echoed_width(uint8_t byte, uint32_t column) const;
    bool is_continuation(uint8_t byte) const {
        return input(termios::kUtf8) && (byte & 0xC0) == 0x80;
    }

    Termios settings_ = termios::kDefault;
    uint32_t head_ = 0, tail_ = 0, line_end_ = 0;  // run freely; modulo kCapacity in the buffer
    uint32_t column_ = 0;                          // of the cursor, as far as we know it
    uint32_t line_column_ = 0;                     // where the line being edited began
    bool literal_next_ = false;
    bool stopped_ = false;
    uint8_t buffer_[kCapacity]{};
    uint32_t delimiter_[kCapacity / 32]{};
};
