// String: an owned, immutable run of bytes, made fallibly from a string_view.
#pragma once

#include <cstddef>
#include <string_view>

#include "kernel/lib/result.hpp"

class String {
  public:
    String() = default;
    static Result<String> from(std::string_view text) {
        String s;
        if (text.empty()) return s;
        s.data_ = new (std::nothrow) char[text.size()];
        if (!s.data_) return Errno::nomem;
        s.size_ = text.size();
        __builtin_memcpy(s.data_, text.data(), text.size());
        return s;
    }
    String(String&& other)
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    String& operator=(String&& other) {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~String() { delete[] data_; }
    std::string_view view() const { return {data_, size_}; }
    bool operator==(std::string_view other) const { return view() == other; }

  private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
};
