// Atomic<T>: a word that several CPUs, or an interrupt handler, change without a lock. Each function
// says what it promises beside that: `load` and `exchange` see all that was written before the
// `store` or `exchange` whose value they got; the `relaxed` ones promise the word alone.
// Words of 64 bits need a lock: an i686 would use the x87 for them.
#pragma once

#include <cstdint>

template <typename T>
class Atomic {
    static_assert(sizeof(T) <= sizeof(void*));

  public:
    constexpr Atomic() = default;
    constexpr Atomic(T value) : value_(value) {}
    Atomic(const Atomic&) = delete;
    Atomic& operator=(const Atomic&) = delete;

    T load() const { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }
    T relaxed() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
    void store(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELEASE); }
    void store_relaxed(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }
    T exchange(T value) { return __atomic_exchange_n(&value_, value, __ATOMIC_ACQ_REL); }
    // The values before, and after. These order what was written before them; nothing more.
    T fetch_add(T more) { return __atomic_fetch_add(&value_, more, __ATOMIC_RELEASE); }
    T add(T more) { return __atomic_add_fetch(&value_, more, __ATOMIC_RELEASE); }
    // The value after; the last of all sees what the others did.
    T subtract(T less) { return __atomic_sub_fetch(&value_, less, __ATOMIC_ACQ_REL); }
    // Becomes `wanted` if it is `expected`; else `expected` becomes what it is.
    bool replace(T& expected, T wanted) {
        return __atomic_compare_exchange_n(&value_, &expected, wanted, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE);
    }
    // For destructors: nobody else can reach it any more.
    constexpr T last_value() const { return value_; }

  private:
    T value_{};
};
