// What the calls of POSIX timers, timer files and message queues are given.
// Spec: Linux i386: sigevent(7), timer_settime(2).
#pragma once

#include "kernel/syscall/system_call.hpp"

struct SignalEvent {  // the beginning of struct sigevent, which has 64 bytes
    uint32_t value;
    int32_t signal, way, thread;
};

template <typename T>
struct TimerTimes {  // struct itimerspec
    T interval, value;
};
