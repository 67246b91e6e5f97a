// Monitors in both disciplines, made of semaphores alone.
//   Hoare  signal() hands the monitor to the waiter at once; the signaller goes on before new ones
//   Mesa   signal() makes the waiter ready; it enters later, and has to look at its condition again
// Invariant of a monitor: at most one is inside.
#pragma once

#include "user/lab-sync/semaphore.hpp"

enum class Discipline { hoare, mesa };

class Monitor {
  public:
    explicit Monitor(Discipline discipline) : discipline_(discipline) {}
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    void enter() { entry_.p(); }
    void leave() { (signallers_ > 0 ? urgent_ : entry_).v(); }
    Discipline discipline() const { return discipline_; }

  private:
    friend class Condition;
    const Discipline discipline_;
    Semaphore entry_{1}, urgent_;
    int signallers_ = 0;  // that gave the monitor away; changed only inside
};

// Inside the monitor while it lives.
class Inside {
  public:
    explicit Inside(Monitor& monitor) : monitor_(monitor) { monitor_.enter(); }
    ~Inside() { monitor_.leave(); }

  private:
    Monitor& monitor_;
};

class Condition {
  public:
    explicit Condition(Monitor& monitor) : monitor_(monitor) {}
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    // A Hoare waiter comes back into the monitor that the signaller gave it.
    void wait() {
        wait([] {});
    }
    // `outside` is what a Mesa waiter does between being made ready and being inside again.
    template <typename F>
    void wait(F&& outside) {
        ++waiting_;
        monitor_.leave();
        queue_.p();
        if (monitor_.discipline_ == Discipline::mesa) {
            outside();
            monitor_.enter();
        } else {
            --waiting_;
        }
    }
    void signal() {
        if (waiting_ == 0) return;
        if (monitor_.discipline_ == Discipline::mesa) {
            --waiting_;
            queue_.v();
            return;
        }
        ++monitor_.signallers_;
        queue_.v();
        monitor_.urgent_.p();
        --monitor_.signallers_;
    }
    // Waits until `holds`; whether it held each time that a Hoare waiter came back.
    template <typename F>
    bool wait_until(F&& holds) {
        bool handed_over = true;
        while (!holds()) {
            wait();
            handed_over &= monitor_.discipline_ == Discipline::mesa || holds();
        }
        return handed_over;
    }

  private:
    Monitor& monitor_;
    Semaphore queue_;
    int waiting_ = 0;
};
