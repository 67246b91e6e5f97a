// N:M: user threads over a few kernel threads. Switches stay in user space, several CPUs are used,
// and as many may block in calls as there are kernel threads before the rest has to wait.
// They run until they yield, wait or end. Kernel threads with nothing to do sleep (a futex, by way
// of the C library's condition variables).
#pragma once

#include "user/lab-threads/context.hpp"

namespace many_to_many {

struct Thread;

bool start(int kernel_threads);
void finish();  // all user threads have been joined

Thread* create(user_threads::Body body, void* argument);  // null without memory
void yield();                                             // of a user thread
void join(Thread* thread);                                // by a user thread or any other; frees it

}  // namespace many_to_many
