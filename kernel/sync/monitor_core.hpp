// The rules of a monitor in either discipline, without threads: who is inside, and who gets it next.
//   Hoare  signal hands the monitor to the waiter; the signaller waits in a queue of its own (urgent)
//          that goes before the entry, so what it made true still holds when the waiter goes on
//   Mesa   signal puts the waiter at the end of the entry's queue; those before it may change things
// Invariant: one is inside, unless nobody waits at the entry or as a signaller.
// Pure: monitor.hpp gives it a lock and threads, tests/host/model_test.cpp tries all interleavings.
// A Queue is that of semaphore_core.hpp. Spec: Hoare, "Monitors" (CACM 17, 1974); Lampson and Redell,
// "Experience with Processes and Monitors in Mesa" (CACM 23, 1980).
#pragma once

enum class Discipline : unsigned char { hoare, mesa };

template <typename Queue>
class MonitorCore {
  public:
    using Entry = typename Queue::Entry;
    explicit constexpr MonitorCore(Discipline discipline) : discipline_(discipline) {}

    // Whether `who` is inside now; else it waits at the entry until it is handed the monitor.
    // Lab 8.4: stub { (void)who; return busy_ = true; }
    bool enter(Entry who) {
        if (!busy_) return busy_ = true;
        entry_.push(who);
        return false;
    }
    // The thread that is inside now: one of those that signalled, else the first at the entry; null: none,
    // and the monitor is free.
    // Lab 8.4: stub { busy_ = false; return Entry{}; }
    Entry leave() {
        if (urgent_.size()) return urgent_.pop();
        if (entry_.size()) return entry_.pop();
        busy_ = false;
        return Entry{};
    }
    // `who` waits at the condition, and so is not inside. The thread that is inside now; null: none.
    // Lab 8.4: stub { (void)condition; return who; }
    Entry wait(Queue& condition, Entry who) {
        condition.push(who);
        return leave();
    }
    // Takes the first that waits at the condition out, if there is one. The thread that is inside now instead
    // of `who`, which waits as a signaller; null: `who` goes on.
    // Lab 8.4: stub { (void)condition; (void)who; return Entry{}; }
    Entry signal(Queue& condition, Entry who) {
        if (!condition.size()) return Entry{};
        const Entry waiter = condition.pop();
        if (discipline_ == Discipline::mesa) {
            entry_.push(waiter);
            return Entry{};
        }
        urgent_.push(who);
        return waiter;
    }
    bool busy() const { return busy_; }
    const Queue& entry() const { return entry_; }
    const Queue& urgent() const { return urgent_; }

  private:
    Discipline discipline_;
    bool busy_ = false;
    Queue entry_, urgent_;
};
