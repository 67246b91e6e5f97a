// PolicySlot: room in an object (a thread, a page) for what the policy in charge keeps about it, as a
// struct of the policy's own. When another policy takes over, it begins with emplace().
// Locks: none; the object's owner guards it.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

template <size_t kBytes>
class PolicySlot {
  public:
    template <typename T>
    T& emplace() {
        check<T>();
        return *new (bytes_) T();
    }
    template <typename T>
    T& as() {
        check<T>();
        return *std::launder(reinterpret_cast<T*>(bytes_));
    }
    template <typename T>
    const T& as() const {
        check<T>();
        return *std::launder(reinterpret_cast<const T*>(bytes_));
    }

  private:
    template <typename T>
    static constexpr void check() {
        static_assert(sizeof(T) <= kBytes, "the slot is too small: make it larger where it stands");
        static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
        static_assert(alignof(T) <= alignof(std::max_align_t));
    }
    alignas(kBytes >= 8 ? 8 : kBytes) std::byte bytes_[kBytes] = {};
};
