// What a C library does of a system call, and how it makes fewer of them: the way into the kernel, the
// convention of errno, and characters that are gathered in a buffer.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <span>

namespace library {

// Makes system call `number`: the number goes to eax, the arguments to ebx, ecx, edx, esi, edi; INT 0x80;
// what eax holds then is the result, or an error number with a minus sign. The kernel changes no other
// register, and may change memory.
// Lab 2.1: stub { return -ENOSYS + 0 * (number + a + b + c + d + e); }
inline long enter_kernel(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
    long result;
    asm volatile("int $0x80"
                 : "=a"(result)
                 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                 : "memory");
    return result;
}

// What the function of the library returns: the kernel's result as it is; but if that is from -4095 to -1,
// it is an error: -1, with the error's number (without its sign) in errno. Nothing else is an error: an
// address may have its highest bit set.
// Lab 2.1: stub { return result; }
inline long returned(long result) {
    if (result >= 0 || result < -4095) return result;
    errno = static_cast<int>(-result);
    return -1;
}

enum class Buffering { none, line, full };

// Characters for a file, written by as few calls as its kind of buffering allows.
class Writer {
  public:
    Writer(int file, Buffering kind, std::span<char> buffer)
        : file_(file), kind_(kind), buffer_(buffer) {}

    // Adds one to the buffer (buffer_; used_ of it are). It is flushed when it is full; with
    // Buffering::line also behind '\n', with Buffering::none behind every character.
    // Lab 2.1: stub { write_out(&c, 1); }
    void put(char c) {
        buffer_[used_++] = c;
        const bool ends = kind_ == Buffering::none || (kind_ == Buffering::line && c == '\n');
        if (ends || used_ == buffer_.size()) flush();
    }

    // Writes what is in the buffer by one call, if there is anything, and empties it.
    // Lab 2.1: stub {}
    void flush() {
        if (used_) write_out(buffer_.data(), used_);
        used_ = 0;
    }

  private:
    void write_out(const char* from, size_t bytes) {
        static_cast<void>(!write(file_, from, bytes));
    }

    int file_;
    Buffering kind_;
    std::span<char> buffer_;
    size_t used_ = 0;
};

}  // namespace library
