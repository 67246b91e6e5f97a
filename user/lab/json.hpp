// What a lab program prints with --json: one object a run, on one line, of the shape
//   {"lab": NAME, "input": {what it was asked to do, random input spelled out},
//    "rows": [{a row of the table}, ...], and whatever concerns the whole beside them}
// Fractions are strings ("9/4"); what is not known is null.
#pragma once

#include <concepts>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

struct Decimal {  // a number with so many places
    double value;
    int places;
};
struct Raw {  // a value that is JSON already
    std::string text;
};

inline std::string json(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        if (static_cast<unsigned char>(c) >= ' ') quoted += c;
    }
    return quoted + '"';
}
inline std::string json(const char* text) { return json(std::string_view(text)); }
inline std::string json(const std::string& text) { return json(std::string_view(text)); }
inline std::string json(bool value) { return value ? "true" : "false"; }
inline std::string json(std::nullptr_t) { return "null"; }
inline std::string json(const Raw& value) { return value.text; }
template <std::integral T>
std::string json(T value) {
    return std::to_string(value);
}
inline std::string json(Decimal number) {
    char text[64];
    return snprintf(text, sizeof text, "%.*f", number.places, number.value), text;
}
template <typename T>
std::string json(const std::vector<T>& values) {
    std::string text;
    for (const T& value : values) text += (text.empty() ? "" : ", ") + json(value);
    return "[" + text + "]";
}

class Object {
  public:
    Object() = default;
    template <typename T>
    Object& add(std::string_view key, const T& value) {
        text_ += (text_.empty() ? "" : ", ") + json(key) + ": " + json(value);
        return *this;
    }
    std::string text() const { return "{" + text_ + "}"; }
    void print() const { puts(text().c_str()); }

  private:
    std::string text_;
};
inline std::string json(const Object& object) { return object.text(); }

}  // namespace lab
