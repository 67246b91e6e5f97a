// Atomic<T>: a word that several CPUs, or an interrupt handler, change without a lock. `load` sees all
// that was written before the `store` whose value it got; the `relaxed` ones promise the word alone,
// and so do a plain read and a plain assignment.
// What reads and writes in one step orders all before it and after it: i386 has no weaker kind.
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
    operator T() const { return relaxed(); }
    void store(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELEASE); }
    void store_relaxed(T value) { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }
    void operator=(T value) { store_relaxed(value); }
    T exchange(T value) { return __atomic_exchange_n(&value_, value, __ATOMIC_SEQ_CST); }
    // The value before, and after.
    T fetch_add(T more) { return __atomic_fetch_add(&value_, more, __ATOMIC_SEQ_CST); }
    T add(T more) { return __atomic_add_fetch(&value_, more, __ATOMIC_SEQ_CST); }
    T subtract(T less) { return __atomic_sub_fetch(&value_, less, __ATOMIC_SEQ_CST); }
    void set_bits(T bits) { __atomic_or_fetch(&value_, bits, __ATOMIC_SEQ_CST); }
    void clear_bits(T bits) { __atomic_and_fetch(&value_, ~bits, __ATOMIC_SEQ_CST); }
    // Becomes `wanted` if it is `expected`; else `expected` becomes what it is.
    bool replace(T& expected, T wanted) {
        return __atomic_compare_exchange_n(&value_, &expected, wanted, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
    // For destructors: nobody else can reach it any more.
    constexpr T last_value() const { return value_; }

  private:
    T value_{};
};

// Everything before it is seen by all CPUs before anything after it, reads included.
inline void full_fence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
