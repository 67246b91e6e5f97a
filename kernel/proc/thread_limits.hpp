// How many threads of programs there may be: of all users what memory allows (max_threads()), of
// one user RLIMIT_NPROC.
#pragma once

#include "kernel/proc/process_table.hpp"

uint32_t max_threads();

// One thread's place in the count. Its destructor gives it back, unless it is kept: then
// thread_left() does.
class ThreadSlot {
  public:
    ThreadSlot() = default;
    ThreadSlot(const ThreadSlot&) = delete;
    ThreadSlot& operator=(const ThreadSlot&) = delete;
    ~ThreadSlot() {
        if (taken_) thread_left();
    }
    Result<void> take(const Process& parent, bool new_process);  // EAGAIN: a limit is reached
    void take_first();                                           // init's: no limit
    void keep() { taken_ = false; }

  private:
    bool taken_ = false;
};
