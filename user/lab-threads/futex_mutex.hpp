// A mutex for kernel threads: one word in user space. While nobody wants what another has, no system call is
// made; who has to wait sleeps in the kernel, which finds the sleepers by the word's address.
// Invariant: the word is 0 exactly if no thread is inside; if a thread sleeps it is 2, or the thread is being
// woken. Spec: futex(2); Drepper, "Futexes Are Tricky" (2011).
#pragma once

#include <atomic>

// Sleeps if the word is (still) `value`, until a wake; returns at once if it is another. Wakes so many.
void futex_wait(std::atomic<int>& word, int value);
void futex_wake(std::atomic<int>& word, int threads);

class FutexMutex {
  public:
    // Returns when the caller alone is inside.
    // Lab 4.2: stub {}
    void lock() {
        int was = 0;
        if (word_.compare_exchange_strong(was, kTaken)) return;
        // From here on others have to know that one may sleep.
        while (word_.exchange(kDisputed) != kFree) futex_wait(word_, kDisputed);
    }
    // Lets one in that waits, if any does.
    // Lab 4.2: stub {}
    void unlock() {
        if (word_.exchange(kFree) == kDisputed) futex_wake(word_, 1);
    }
    bool is_taken() const { return word_ != kFree; }

  private:
    static constexpr int kFree = 0, kTaken = 1, kDisputed = 2;
    std::atomic<int> word_ = kFree;
};
