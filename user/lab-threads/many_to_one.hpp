// N:1: threads that the kernel knows nothing of. All share the one kernel thread that made them, so
// no lock is needed, a switch is a function call, and one that blocks in a call blocks them all.
// They run until they yield, wait or end.
#pragma once

#include "user/lab-threads/context.hpp"

namespace many_to_one {

struct Thread;

Thread* create(user_threads::Body body, void* argument);  // null without memory
void yield();
void join(Thread* thread);  // frees it

class Semaphore {
  public:
    explicit Semaphore(int count) : count_(count) {}
    void wait();
    void post();

  private:
    int count_;
    Thread* first_ = nullptr;  // waiting, in their order
    Thread* last_ = nullptr;
};

}  // namespace many_to_one
