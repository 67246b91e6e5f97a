// Formatting without allocation: see format.hpp for the language.
#include "kernel/lib/format.hpp"

namespace {

struct Spec {
    char fill = ' ';
    char align = 0;  // '<' or '>'; 0: text to the left, numbers to the right
    uint32_t width = 0;
    char type = 0;
};

Spec parse_spec(std::string_view text) {
    Spec spec;
    size_t i = 0;
    if (i < text.size() && (text[i] == '<' || text[i] == '>')) spec.align = text[i++];
    if (i < text.size() && text[i] == '0') spec.fill = text[i++];
    while (i < text.size() && text[i] >= '0' && text[i] <= '9')
        spec.width = spec.width * 10 + static_cast<uint32_t>(text[i++] - '0');
    if (i < text.size()) spec.type = text[i];
    return spec;
}

void put_padding(TextSink& sink, char fill, size_t count) {
    constexpr std::string_view kBlanks = "                ", kZeros = "0000000000000000";
    const std::string_view some = fill == '0' ? kZeros : kBlanks;
    for (; count > some.size(); count -= some.size()) sink.put(some);
    if (count) sink.put(some.substr(0, count));
}

// Zero fill goes between the sign and the digits, blanks before the sign.
void put_aligned(TextSink& sink, const Spec& spec, std::string_view sign, std::string_view body,
                 bool number) {
    size_t length = sign.size() + body.size();
    if (!sign.size() && spec.width <= length) return sink.put(body);
    size_t padding = spec.width > length ? spec.width - length : 0;
    bool left = spec.align == '<' || (spec.align == 0 && !number);
    if (number && spec.fill == '0' && spec.align == 0) {
        sink.put(sign);
        put_padding(sink, '0', padding);
        sink.put(body);
        return;
    }
    if (!left) put_padding(sink, ' ', padding);
    sink.put(sign);
    sink.put(body);
    if (left) put_padding(sink, ' ', padding);
}

void put_number(TextSink& sink, const Spec& spec, uint64_t value, bool is_signed) {
    std::string_view sign = "";
    if (is_signed && static_cast<int64_t>(value) < 0) {
        sign = "-";
        value = 0 - value;
    }
    const char* digits = spec.type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    uint32_t base = spec.type == 'x' || spec.type == 'X' ? 16 : spec.type == 'o' ? 8 : 10;
    char buffer[24];
    char* at = buffer + sizeof buffer;
    if (value >> 32) {
        do {
            *--at = digits[value % base];
            value /= base;
        } while (value >> 32);
    }
    // The common case needs no 64-bit division, which is a library call on this machine.
    auto low = static_cast<uint32_t>(value);
    if (low || at == buffer + sizeof buffer) {
        do {
            *--at = digits[low % base];
            low /= base;
        } while (low);
    }
    const bool zeros = spec.fill == '0' && !spec.align && sign.empty();
    const char* const end = buffer + sizeof buffer;
    while (zeros && at > buffer && at + spec.width > end) *--at = '0';
    put_aligned(sink, spec, sign, {at, static_cast<size_t>(buffer + sizeof buffer - at)}, true);
}

void put_argument(TextSink& sink, const Spec& spec, const FormatArgument& argument) {
    using Kind = FormatArgument::Kind;
    switch (argument.kind) {
        case Kind::signed_integer:
        case Kind::unsigned_integer:
            if (spec.type == 'c') {
                char c = static_cast<char>(argument.number);
                return put_aligned(sink, spec, "", {&c, 1}, false);
            }
            return put_number(sink, spec, argument.number, argument.kind == Kind::signed_integer);
        case Kind::character: {
            char c = static_cast<char>(argument.number);
            if (spec.type == 'd' || spec.type == 'x')
                return put_number(sink, spec, argument.number, false);
            return put_aligned(sink, spec, "", {&c, 1}, false);
        }
        case Kind::boolean:
            return put_aligned(sink, spec, "", argument.number ? "true" : "false", false);
        case Kind::text: return put_aligned(sink, spec, "", argument.text, false);
        case Kind::pointer:
            sink.put("0x");
            return put_number(sink, {'0', 0, 8, 'x'}, argument.number, false);
    }
}

}  // namespace

void BufferSink::put(std::string_view text) {
    if (wanted_ < buffer_.size()) {
        size_t room = buffer_.size() - wanted_;
        __builtin_memcpy(buffer_.data() + wanted_, text.data(),
                         text.size() < room ? text.size() : room);
    }
    wanted_ += text.size();
}

void format_arguments(TextSink& sink, std::string_view format,
                      std::span<const FormatArgument> arguments) {
    size_t next = 0;
    while (!format.empty()) {
        size_t brace = 0;
        while (brace < format.size() && format[brace] != '{' && format[brace] != '}') ++brace;
        if (brace) sink.put(format.substr(0, brace));
        if (brace == format.size()) return;
        format.remove_prefix(brace);
        if (format.size() >= 2 && format[0] == format[1]) {
            sink.put(format.substr(0, 1));
            format.remove_prefix(2);
            continue;
        }
        size_t close = 1;
        while (close < format.size() && format[close] != '}') ++close;
        if (close == format.size()) return sink.put(format);
        std::string_view inside = format.substr(1, close - 1);
        format.remove_prefix(close + 1);
        if (next >= arguments.size()) {
            sink.put("{?}");
            continue;
        }
        Spec spec;
        if (inside.size() > 1 && inside[0] == ':') spec = parse_spec(inside.substr(1));
        put_argument(sink, spec, arguments[next++]);
    }
}

bool parse_number(std::string_view text, uint64_t& out) {
    uint32_t base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0') {
        base = 8;
    }
    if (text.empty()) return false;
    uint64_t value = 0;
    for (char c : text) {
        uint32_t digit = c >= '0' && c <= '9'   ? static_cast<uint32_t>(c - '0')
                         : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A') + 10
                                                : 99;
        if (digit >= base || value > (UINT64_MAX - digit) / base) return false;
        value = value * base + digit;
    }
    out = value;
    return true;
}
