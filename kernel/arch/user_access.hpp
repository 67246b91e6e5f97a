// The only ways to touch user memory. Each checks that the range lies below kUserTop and survives
// a fault anywhere in it: a bad pointer is EFAULT, never a panic. They may fault pages in, so they
// may sleep, and each is a preemption point: no spin lock may be held.
#pragma once

#include <span>
#include <type_traits>

#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/result.hpp"

// A pointer that a program gave us: it cannot be dereferenced or compared, only copied through.
template <typename T>
class UserPtr {
  public:
    UserPtr() = default;
    explicit UserPtr(uint32_t address) : address_(address) {}
    VirtAddr address() const { return VirtAddr(address_); }
    explicit operator bool() const { return address_ != 0; }
    UserPtr operator+(uint32_t elements) const {
        return UserPtr(address_ + elements * static_cast<uint32_t>(sizeof(T)));
    }
    template <typename U>
    UserPtr<U> cast() const {
        return UserPtr<U>(address_);
    }

  private:
    uint32_t address_ = 0;
};
template <>
class UserPtr<void> {
  public:
    UserPtr() = default;
    explicit UserPtr(uint32_t address) : address_(address) {}
    VirtAddr address() const { return VirtAddr(address_); }
    explicit operator bool() const { return address_ != 0; }
    template <typename U>
    UserPtr<U> cast() const {
        return UserPtr<U>(address_);
    }

  private:
    uint32_t address_ = 0;
};

// All or nothing as far as the result tells; the number of bytes copied before a fault is lost.
Result<void> copy_from_user(void* to, VirtAddr from, uint32_t bytes);
Result<void> copy_to_user(VirtAddr to, const void* from, uint32_t bytes);
Result<void> clear_user(VirtAddr to, uint32_t bytes);

// As much as can be copied, for calls that report partial success: returns the bytes copied.
uint32_t copy_from_user_partly(void* to, VirtAddr from, uint32_t bytes);
uint32_t copy_to_user_partly(VirtAddr to, const void* from, uint32_t bytes);

// A string with its NUL into `to`; the length without NUL. ENAMETOOLONG if it doesn't fit.
Result<uint32_t> copy_string_from_user(std::span<char> to, VirtAddr from);

// Bytes that the CPUs have copied from and to programs so far (strings are not counted). Others
// count on meanwhile.
struct UserCopyTotals {
    uint64_t in = 0, out = 0;
};
UserCopyTotals user_copy_totals();

template <typename T>
Result<T> read_user(UserPtr<T> from) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::remove_const_t<T> value;
    TRY(copy_from_user(&value, from.address(), sizeof value));
    return value;
}
template <typename T>
Result<void> write_user(UserPtr<T> to, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return copy_to_user(to.address(), &value, sizeof value);
}

// Atomically: if the word is `expected` it becomes `desired`. What it was.
Result<uint32_t> exchange_user_if(UserPtr<uint32_t> at, uint32_t expected, uint32_t desired);
