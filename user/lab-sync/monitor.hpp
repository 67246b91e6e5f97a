// Monitors in both disciplines, of POSIX semaphores only. Whoever is inside is alone.
//   Hoare  signal() hands the monitor to the waiter at once; the signaller goes on before new ones
//   Mesa   signal() makes the waiter ready; it enters later, and has to look at its condition again
#pragma once

#include <semaphore.h>

enum class Discipline { hoare, mesa };

class Monitor {
  public:
    explicit Monitor(Discipline discipline) : discipline_(discipline) {
        sem_init(&entry_, 0, 1);
        sem_init(&urgent_, 0, 0);
    }
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    void enter() { take(entry_); }
    void leave() { sem_post(signallers_ > 0 ? &urgent_ : &entry_); }

    static void take(sem_t& semaphore) {
        while (sem_wait(&semaphore) != 0) {
        }
    }

  private:
    friend class Condition;
    const Discipline discipline_;
    sem_t entry_, urgent_;
    int signallers_ = 0;  // that gave the monitor away; changed only inside
};

class Condition {
  public:
    explicit Condition(Monitor& monitor) : monitor_(monitor) { sem_init(&queue_, 0, 0); }
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    // A Hoare waiter comes back into the monitor that the signaller gave it.
    void wait() {
        ++waiting_;
        monitor_.leave();
        Monitor::take(queue_);
        if (monitor_.discipline_ == Discipline::mesa)
            monitor_.enter();
        else
            --waiting_;
    }
    void signal() {
        if (waiting_ == 0) return;
        if (monitor_.discipline_ == Discipline::mesa) {
            --waiting_;
            sem_post(&queue_);
            return;
        }
        ++monitor_.signallers_;
        sem_post(&queue_);
        Monitor::take(monitor_.urgent_);
        --monitor_.signallers_;
    }

  private:
    Monitor& monitor_;
    sem_t queue_;
    int waiting_ = 0;
};
