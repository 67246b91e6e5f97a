// Vector<T>: a growable array whose growth may fail with ENOMEM. For types that can be moved.
// Locks: none; the owner guards it.
#pragma once

#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "kernel/lib/result.hpp"

template <typename T>
class Vector {
  public:
    Vector() = default;
    Vector(Vector&& other)
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    Vector& operator=(Vector&& other) {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    Vector(const Vector&) = delete;
    Vector& operator=(const Vector&) = delete;
    ~Vector() {
        clear();
        ::operator delete(data_);
    }

    uint32_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T* data() { return data_; }
    const T* data() const { return data_; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    std::span<T> span() { return {data_, size_}; }
    std::span<const T> span() const { return {data_, size_}; }
    T& operator[](uint32_t i) {
        VERIFY(i < size_);
        return data_[i];
    }
    const T& operator[](uint32_t i) const {
        VERIFY(i < size_);
        return data_[i];
    }
    T& back() { return (*this)[size_ - 1]; }

    Result<void> reserve(uint32_t capacity) {
        if (capacity <= capacity_) return {};
        if (capacity > UINT32_MAX / sizeof(T) / 2) return Errno::nomem;
        T* fresh = static_cast<T*>(::operator new(capacity * sizeof(T), std::nothrow));
        if (!fresh) return Errno::nomem;
        if constexpr (std::is_trivially_copyable_v<T>) {
            if (size_) __builtin_memcpy(fresh, data_, size_ * sizeof(T));
        } else {
            for (uint32_t i = 0; i < size_; ++i) {
                new (&fresh[i]) T(std::move(data_[i]));
                data_[i].~T();
            }
        }
        ::operator delete(data_);
        data_ = fresh;
        capacity_ = capacity;
        return {};
    }
    Result<void> push_back(T value) {
        if (size_ == capacity_) TRY(reserve(capacity_ ? capacity_ * 2 : 4));
        new (&data_[size_++]) T(std::move(value));
        return {};
    }
    // Copies of trivial elements; the capacity at least doubles, so that n of them cost O(n).
    Result<void> append(std::span<const T> more) requires std::is_trivially_copyable_v<T> {
        const uint32_t size = size_ + static_cast<uint32_t>(more.size());
        if (size > capacity_) TRY(reserve(size > capacity_ * 2 ? size : capacity_ * 2));
        if (!more.empty()) __builtin_memcpy(data_ + size_, more.data(), more.size_bytes());
        size_ = size;
        return {};
    }
    Result<void> resize(uint32_t size) {
        TRY(reserve(size));
        while (size_ > size) pop_back();
        while (size_ < size) new (&data_[size_++]) T();
        return {};
    }
    void pop_back() {
        VERIFY(size_ > 0);
        data_[--size_].~T();
    }
    void clear() {
        while (size_) pop_back();
    }

  private:
    T* data_ = nullptr;
    uint32_t size_ = 0;
    uint32_t capacity_ = 0;
};
