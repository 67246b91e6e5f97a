// The line discipline's editing of a line in canonical mode, and all that goes to the wire.
#include <algorithm>

#include "drivers/line_discipline.hpp"

using namespace termios;

namespace {

constexpr uint32_t kTabWidth = 8;
constexpr std::string_view kRubOut = "\b \b";

bool is_control(uint8_t byte) { return byte < 0x20 || byte == 0x7F; }
bool is_word(uint8_t byte) {
    return byte >= 0x80 || byte == '_' || (byte >= '0' && byte <= '9') ||
           ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}
std::string_view text_of(const uint8_t* bytes, size_t count) {
    return {reinterpret_cast<const char*>(bytes), count};
}

}  // namespace

// True: the byte was an editing command.
bool LineDiscipline::edit(uint8_t byte, TextSink& wire) {
    bool extended = local(kExtended);
    if (is(byte, kErase))
        erase_character(wire);
    else if (is(byte, kKill))
        erase_line(wire);
    else if (extended && is(byte, kWordErase))
        erase_word(wire);
    else if (extended && is(byte, kReprint) && local(kEcho))
        reprint(wire);
    else if (extended && is(byte, kLiteralNext)) {
        literal_next_ = true;
        if (head_ == line_end_) line_column_ = column_;
        if (local(kEcho) && local(kEchoControl)) wire.put("^\b");
    } else {
        return false;
    }
    return true;
}

void LineDiscipline::erase_character(TextSink& wire) {
    if (head_ == line_end_) return;
    if (local(kEcho) && !local(kEchoErase)) echo(settings_.characters[kErase], wire);
    take_back(wire);
}

void LineDiscipline::erase_word(TextSink& wire) {
    while (head_ != line_end_ && !is_word(at(head_ - 1))) take_back(wire);
    while (head_ != line_end_ && is_word(at(head_ - 1))) take_back(wire);
}

void LineDiscipline::erase_line(TextSink& wire) {
    if (local(kEcho) && !(local(kEchoKillErase) && local(kEchoErase))) {
        head_ = line_end_;
        echo(settings_.characters[kKill], wire);
        if (local(kEchoKill)) transmit_byte('\n', wire);
        return;
    }
    while (head_ != line_end_) take_back(wire);
}

// Drops the line's last character, all bytes of it, and wipes what its echo showed.
void LineDiscipline::take_back(TextSink& wire) {
    uint8_t byte;
    do {
        byte = at(--head_);
    } while (is_continuation(byte) && head_ != line_end_);
    if (!local(kEcho) || !local(kEchoErase)) return;
    if (byte != '\t') {
        uint32_t width = echoed_width(byte, 0);
        column_ -= std::min(column_, width);
        while (width--) wire.put(kRubOut);
        return;
    }
    // How wide a tab was depends on all that came before it on the line.
    uint32_t column = line_column_;
    for (uint32_t i = line_end_; i != head_; ++i) column += echoed_width(at(i), column);
    for (; column_ > column; --column_) wire.put("\b");
}

void LineDiscipline::reprint(TextSink& wire) {
    echo(settings_.characters[kReprint], wire);
    transmit_byte('\n', wire);
    line_column_ = column_;
    for (uint32_t i = line_end_; i != head_; ++i) echo(at(i), wire);
}

uint32_t LineDiscipline::echoed_width(uint8_t byte, uint32_t column) const {
    if (byte == '\t') return kTabWidth - column % kTabWidth;
    if (is_control(byte)) return local(kEchoControl) ? 2 : 0;
    return is_continuation(byte) ? 0 : 1;
}

void LineDiscipline::echo(uint8_t byte, TextSink& wire) {
    if (local(kEchoControl) && is_control(byte) && byte != '\t' &&
        !(byte == '\n' && !canonical())) {
        char shown[2] = {'^', static_cast<char>(byte ^ 0x40)};
        wire.put({shown, 2});
        column_ += 2;
    } else {
        transmit_byte(byte, wire);
    }
}

void LineDiscipline::transmit(std::span<const uint8_t> bytes, TextSink& wire) {
    if (!(settings_.output & kProcessOutput)) return wire.put(text_of(bytes.data(), bytes.size()));
    for (size_t i = 0; i < bytes.size();) {
        size_t plain = i;  // the fast way: a run that needs no processing
        while (plain < bytes.size() && !is_control(bytes[plain])) {
            column_ += !is_continuation(bytes[plain]);
            ++plain;
        }
        if (plain != i) wire.put(text_of(&bytes[i], plain - i));
        if (plain < bytes.size()) transmit_byte(bytes[plain++], wire);
        i = plain;
    }
}

void LineDiscipline::transmit_byte(uint8_t byte, TextSink& wire) {
    uint32_t output = settings_.output & kProcessOutput ? settings_.output : 0;
    if (byte == '\r' && output & kNoCrAtStart && column_ == 0) return;
    if (byte == '\r' && output & kOutCrToNl) byte = '\n';
    if (byte == '\n') {
        if (output & kOutNlToCrNl) {
            column_ = 0;
            return wire.put("\r\n");
        }
        if (output & kNlReturns) column_ = 0;
    } else if (byte == '\r') {
        column_ = 0;
    } else if (byte == '\b') {
        if (column_) --column_;
    } else if (byte == '\t') {
        uint32_t width = kTabWidth - column_ % kTabWidth;
        column_ += width;
        if ((output & kTabMask) == kExpandTabs)
            return wire.put(std::string_view("        ", width));
    } else if (!is_control(byte) && !is_continuation(byte)) {
        ++column_;
    }
    wire.put(text_of(&byte, 1));
}
