// Text formatting with the placeholders of std::format: {} {:d} {:x} {:08x} {:>8} {:<8} {:c} {:o}.
// Types: integers (64-bit too), bool, char, const char*, string_view, pointers, Strong<>.
// No floating point. A placeholder without an argument prints "{?}"; surplus arguments are ignored.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "kernel/lib/types.hpp"

// Where formatted text goes. `put` must not fail: a full sink drops and remembers it itself.
class TextSink {
  public:
    virtual void put(std::string_view text) = 0;

  protected:
    ~TextSink() = default;
};

// Fills a caller's buffer; keeps counting past its end, so that `wanted` tells what was needed.
class BufferSink final : public TextSink {
  public:
    explicit constexpr BufferSink(std::span<char> buffer) : buffer_(buffer) {}
    void put(std::string_view text) override;
    std::string_view view() const {
        return {buffer_.data(), wanted_ < buffer_.size() ? wanted_ : buffer_.size()};
    }
    size_t wanted() const { return wanted_; }

  private:
    std::span<char> buffer_;
    size_t wanted_ = 0;
};

struct FormatArgument {
    enum class Kind : uint8_t {
        signed_integer,
        unsigned_integer,
        character,
        text,
        pointer,
        boolean
    };
    Kind kind;
    uint64_t number = 0;
    std::string_view text{};
};

template <typename T>
constexpr FormatArgument format_argument(const T& value) {
    using Kind = FormatArgument::Kind;
    if constexpr (std::is_same_v<T, bool>)
        return {Kind::boolean, value};
    else if constexpr (std::is_same_v<T, char>)
        return {Kind::character, static_cast<unsigned char>(value)};
    else if constexpr (std::is_enum_v<T>)
        return format_argument(static_cast<std::underlying_type_t<T>>(value));
    else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
        return {Kind::signed_integer, static_cast<uint64_t>(static_cast<int64_t>(value))};
    else if constexpr (std::is_integral_v<T>)
        return {Kind::unsigned_integer, static_cast<uint64_t>(value)};
    else if constexpr (std::is_convertible_v<const T&, std::string_view>)
        return {Kind::text, 0, std::string_view(value)};
    else if constexpr (std::is_pointer_v<T>)
        return {Kind::pointer, reinterpret_cast<uintptr_t>(value)};
    else if constexpr (requires { value.view(); })
        return {Kind::text, 0, value.view()};
    else if constexpr (requires { value.relaxed(); })
        return format_argument(value.relaxed());
    else
        return format_argument(value.raw());
}

void format_arguments(TextSink& sink, std::string_view format,
                      std::span<const FormatArgument> arguments);

template <typename... Args>
void format_to(TextSink& sink, std::string_view format, const Args&... args) {
    if constexpr (sizeof...(args) == 0) {
        format_arguments(sink, format, {});
    } else {
        const FormatArgument arguments[] = {format_argument(args)...};
        format_arguments(sink, format, arguments);
    }
}

template <typename... Args>
std::string_view format_in(std::span<char> buffer, std::string_view format, const Args&... args) {
    BufferSink sink(buffer);
    format_to(sink, format, args...);
    return sink.view();
}

// Decimal (or 0x hexadecimal, 0 octal) number that fills all of `text`; no sign.
bool parse_number(std::string_view text, uint64_t& out);
