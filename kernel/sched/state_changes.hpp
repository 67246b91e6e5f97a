// The changes of a thread's state. set_state() (thread_control.cpp) makes each of them.
//
//                start                  is chosen                 ends
//      created ---------> ready <==========================> running ------> terminated
//                         |   ^     turn over, preempted        |
//                 suspend |   | wake                            | waits for an event
//                         v   +------------------------------+  v
//                   suspended_ready                          blocked
//                         ^                                  |    ^
//                         | wake                     suspend |    | resume
//                         +------- suspended_blocked <-------+----+
//
// Besides: suspended_ready becomes ready when it is resumed. One that runs and is to be suspended goes to
// suspended_ready or suspended_blocked, in one step, when it gives up the CPU.
#pragma once

#include "kernel/sched/thread_state.hpp"

// Whether there is a change from the one to the other, as drawn and said above.
// Lab 3.1: stub { (void)from; (void)to; return true; }
constexpr bool is_legal_change(ThreadState from, ThreadState to) {
    using enum ThreadState;
    switch (from) {
        case created: return to == ready;
        case ready: return to == running || to == suspended_ready;
        case running: return to != created && to != running;
        case blocked: return to == ready || to == suspended_blocked;
        case suspended_ready: return to == ready;
        case suspended_blocked: return to == blocked || to == suspended_ready;
        case terminated: return false;
    }
    return false;
}

// The event that a thread in this state waits for has come: its state then. One that waits for none
// keeps its state.
// Lab 3.1: stub { const bool waits = state == ThreadState::blocked || state == ThreadState::suspended_blocked; return waits ? ThreadState::ready : state; }
constexpr ThreadState state_after_wake(ThreadState state) {
    if (state == ThreadState::blocked) return ThreadState::ready;
    if (state == ThreadState::suspended_blocked) return ThreadState::suspended_ready;
    return state;
}

// Another one suspends the thread. One that runs keeps its state until it gives up the CPU; one that is
// suspended already, or has not begun, or has ended, for ever.
// Lab 3.1: stub { return state; }
constexpr ThreadState state_after_suspend(ThreadState state) {
    if (state == ThreadState::ready) return ThreadState::suspended_ready;
    if (state == ThreadState::blocked) return ThreadState::suspended_blocked;
    return state;
}

// Another one resumes the thread; one that is not suspended keeps its state.
// Lab 3.1: stub { const bool rests = state == ThreadState::suspended_ready || state == ThreadState::suspended_blocked; return rests ? ThreadState::ready : state; }
constexpr ThreadState state_after_resume(ThreadState state) {
    if (state == ThreadState::suspended_ready) return ThreadState::ready;
    if (state == ThreadState::suspended_blocked) return ThreadState::blocked;
    return state;
}
