// See line_discipline.hpp. From received bytes to lines and signals; editing is in line_editing.cpp.
#include "drivers/line_discipline.hpp"

#include <algorithm>

// Receiving, reading and settings. Editing and echo are in line_editing.cpp.

using namespace termios;

void LineDiscipline::reset() {
    settings_ = kDefault;
    head_ = tail_ = line_end_ = column_ = line_column_ = 0;
    literal_next_ = stopped_ = false;
    std::fill(std::begin(delimiter_), std::end(delimiter_), 0);
}

void LineDiscipline::set_settings(const Termios& settings) {
    bool was_canonical = canonical();
    settings_ = settings;
    literal_next_ = false;
    if (!input(kStartStop)) stopped_ = false;
    if (was_canonical == canonical()) return;
    // What is there stays readable: on the way to canonical mode it counts as one line.
    std::fill(std::begin(delimiter_), std::end(delimiter_), 0);
    line_end_ = canonical() ? head_ : tail_;
    if (canonical() && count()) mark(head_ - 1, true);
}

int LineDiscipline::receive(uint8_t byte, TextSink& wire) {
    if (input(kStrip)) byte &= 0x7F;
    if (literal_next_) {
        literal_next_ = false;
        if (local(kEcho)) echo(byte, wire);
        store(byte, false, wire);
        return 0;
    }
    if (receive_start_stop(byte)) return 0;
    if (int signal = signal_for(byte)) {
        if (!local(kNoFlush)) flush_input();
        stopped_ = false;
        if (local(kEcho)) echo(byte, wire);
        return signal;
    }
    if (byte == '\r') {
        if (input(kIgnoreCr)) return 0;
        if (input(kCrToNl)) byte = '\n';
    } else if (byte == '\n' && input(kNlToCr)) {
        byte = '\r';
    }
    if (canonical() && (edit(byte, wire) || end_line(byte, wire))) return 0;
    if (local(kEcho)) {
        if (canonical() && head_ == line_end_) line_column_ = column_;
        echo(byte, wire);
    }
    store(byte, false, wire);
    return 0;
}

// True: the byte was flow control.
bool LineDiscipline::receive_start_stop(uint8_t byte) {
    if (!input(kStartStop)) return false;
    if (is(byte, kStop) && !stopped_) {
        stopped_ = true;
        return true;
    }
    if (is(byte, kStart) || is(byte, kStop)) {  // one character may be both: then it toggles
        if (is(byte, kStart)) stopped_ = false;
        return true;
    }
    if (input(kStartByAny)) stopped_ = false;
    return false;
}

int LineDiscipline::signal_for(uint8_t byte) const {
    if (!local(kSignals)) return 0;
    if (is(byte, kIntr)) return kSignalInterrupt;
    if (is(byte, kQuit)) return kSignalQuit;
    if (is(byte, kSusp)) return kSignalStop;
    return 0;
}

// True: the byte ended a line.
bool LineDiscipline::end_line(uint8_t byte, TextSink& wire) {
    if (byte == '\n') {
        if (local(kEcho) || local(kEchoNl)) transmit_byte('\n', wire);
    } else if (is(byte, kEol) || (is(byte, kEol2) && local(kExtended))) {
        if (local(kEcho)) echo(byte, wire);
    } else if (is(byte, kEof)) {
        byte = kDisabled;
    } else {
        return false;
    }
    store(byte, true, wire);
    return true;
}

// The last place is kept for a delimiter, so that an overlong line can still be ended.
void LineDiscipline::store(uint8_t byte, bool delimiter, TextSink& wire) {
    uint32_t limit = canonical() && !delimiter ? kCapacity - 1 : kCapacity;
    if (count() >= limit) {
        if (input(kBellIfFull)) wire.put("\a");
        return;
    }
    at(head_) = byte;
    mark(head_, delimiter);
    ++head_;
    if (delimiter) line_end_ = head_;
}

uint32_t LineDiscipline::read(std::span<uint8_t> to) {
    uint32_t done = 0;
    uint32_t end = canonical() ? line_end_ : head_;
    while (tail_ != end && done < to.size()) {
        bool last = canonical() && marked(tail_);
        uint8_t byte = at(tail_);
        ++tail_;
        if (!last || byte != kDisabled) to[done++] = byte;
        if (last) return done;
    }
    // Exactly a buffer full before an end of file: the program shall not see that as a second one.
    if (canonical() && done && tail_ != end && marked(tail_) && at(tail_) == kDisabled) ++tail_;
    return done;
}

bool LineDiscipline::readable(uint32_t minimum) const {
    if (canonical()) return line_end_ != tail_;
    return count() >= std::max(minimum, 1u);
}

uint32_t LineDiscipline::available() const {
    if (!canonical()) return count();
    uint32_t bytes = line_end_ - tail_;
    for (uint32_t i = tail_; i != line_end_; ++i)
        if (marked(i) && at(i) == kDisabled) --bytes;
    return bytes;
}

void LineDiscipline::flush_input() {
    tail_ = line_end_ = head_;
    literal_next_ = false;
    line_column_ = column_;
}
