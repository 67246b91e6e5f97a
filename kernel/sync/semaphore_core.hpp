// The rules of the record semaphore, without threads: a value that may go below zero, where it says
// how many wait, and those who wait in the order in which they came.
// Invariant: value < 0 exactly if threads wait, and then -value do.
// Pure: semaphore.hpp gives it a lock and threads, tests/host/model_test.cpp tries all interleavings.
// A Queue has push(entry), pop() (a null entry if it is empty) and size(). Spec: Dijkstra, EWD 123.
#pragma once

template <typename Queue>
class SemaphoreCore {
  public:
    using Entry = typename Queue::Entry;
    explicit constexpr SemaphoreCore(int value) : value_(value) {}

    // Whether it may go on; else it is in the queue.
    // Lab 7.3: stub { (void)who; --value_; return true; }
    bool p(Entry who) {
        if (--value_ >= 0) return true;
        queue_.push(who);
        return false;
    }
    // The waiter that goes on because of it; null: none waited.
    // Lab 7.3: stub { ++value_; return Entry{}; }
    Entry v() { return ++value_ <= 0 ? queue_.pop() : Entry{}; }

    int value() const { return value_; }
    unsigned waiting() const { return queue_.size(); }

  private:
    int value_;
    Queue queue_;
};
