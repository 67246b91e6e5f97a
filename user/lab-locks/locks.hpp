// The locks of the textbooks, over the same interface. A lock's promise about waiting begins at its
// doorway (the ticket is drawn, the flag is up); there it calls arrived().
#pragma once

#include <pthread.h>

#include <atomic>

constexpr int kMostThreads = 4;

extern std::atomic<bool> give_up;  // ends loops that would never end
void arrived(int me);
inline void relax() { asm volatile("pause"); }

class Lock {
  public:
    virtual ~Lock() = default;
    virtual void lock(int me) = 0;
    virtual void unlock(int me) = 0;
    virtual int threads() const { return kMostThreads; }
    virtual bool may_sleep_inside() const { return true; }
};

// cli and sti, which a program may use after iopl(3). Nobody waits: on one CPU nobody else runs.
class InterruptsOff : public Lock {
  public:
    void lock(int me) override {
        asm volatile("cli" ::: "memory");
        arrived(me);
    }
    void unlock(int) override { asm volatile("sti" ::: "memory"); }
    bool may_sleep_inside() const override { return false; }
};

// BTS with the bus locked: the old bit tells whether another one was there.
class TestAndSet : public Lock {
  public:
    // Returns when the caller alone is inside. Says arrived(me) first.
    // Lab 7.1: stub { arrived(me); }
    void lock(int me) override {
        arrived(me);
        while (test_and_set()) relax();
    }
    // Lets the next one in.
    // Lab 7.1: stub {}
    void unlock(int) override { __atomic_store_n(&taken_, 0, __ATOMIC_RELEASE); }

  private:
    // Sets taken_, and says whether it was set before: in one step that nothing can split.
    // Lab 7.1: stub { const bool was = taken_ != 0; taken_ = 1; return was; }
    bool test_and_set() {
        bool was;
        asm volatile("lock btsl $0, %0" : "+m"(taken_), "=@ccc"(was)::"memory");
        return was;
    }
    unsigned taken_ = 0;
};

class Swap : public Lock {
  public:
    // Returns when the caller alone is inside. Says arrived(me) first.
    // Lab 7.2: stub { arrived(me); }
    void lock(int me) override {
        arrived(me);
        for (unsigned key = 1;;) {
            asm volatile("xchgl %0, %1" : "+r"(key), "+m"(taken_)::"memory");
            if (!key) return;
            relax();
        }
    }
    // Lets the next one in.
    // Lab 7.2: stub {}
    void unlock(int) override { __atomic_store_n(&taken_, 0, __ATOMIC_RELEASE); }

  private:
    unsigned taken_ = 0;
};

class Ticket : public Lock {
  public:
    void lock(int me) override {
        const unsigned mine = next_++;
        arrived(me);
        while (serving_ != mine) relax();
    }
    void unlock(int) override { serving_.store(serving_ + 1, std::memory_order_release); }

  private:
    std::atomic<unsigned> next_ = 0, serving_ = 0;
};

// For two: I want to, but it is your turn.
class Peterson : public Lock {
  public:
    void lock(int me) override {
        wants_[me] = true;
        turn_ = 1 - me;
        arrived(me);
        while (wants_[1 - me] && turn_ == 1 - me) relax();
    }
    void unlock(int me) override { wants_[me] = false; }
    int threads() const override { return 2; }

  private:
    std::atomic<bool> wants_[2] = {};
    std::atomic<int> turn_ = 0;
};

// For two, in turns: the one that had it has to wait until the other one had it, too.
class Turns : public Lock {
  public:
    void lock(int me) override {
        arrived(me);
        while (turn_ != me && !give_up) relax();
    }
    void unlock(int me) override { turn_ = 1 - me; }
    int threads() const override { return 2; }

  private:
    std::atomic<int> turn_ = 0;
};

// The C library's: sleeps by futex.
class Blocking : public Lock {
  public:
    void lock(int me) override {
        arrived(me);
        pthread_mutex_lock(&mutex_);
    }
    void unlock(int) override { pthread_mutex_unlock(&mutex_); }

  private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};
