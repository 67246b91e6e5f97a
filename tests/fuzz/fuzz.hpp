// A fuzz target: a parser of bytes that others wrote, given bytes that make no sense. What is wrong aborts, or
// the sanitizers say so. Run by libFuzzer (scripts/fuzz) or by driver.cpp.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

using Input = std::vector<uint8_t>;

// Inputs that make sense, to begin with.
std::vector<Input> fuzz_seeds();

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count);

#define FUZZ_CHECK(condition)                                                            \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                \
        }                                                                                \
    } while (false)

// The input, from its start on; zeros behind its end.
class InputReader {
  public:
    InputReader(const uint8_t* bytes, size_t count) : left_(bytes, count) {}
    bool empty() const { return left_.empty(); }
    std::span<const uint8_t> rest() const { return left_; }
    template <typename T>
    T next() {
        T value{};
        const size_t count = left_.size() < sizeof value ? left_.size() : sizeof value;
        if (count) std::memcpy(&value, left_.data(), count);
        left_ = left_.subspan(count);
        return value;
    }

  private:
    std::span<const uint8_t> left_;
};
