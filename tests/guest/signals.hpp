// The few steps that every test of signals takes.
#pragma once
#include "tests/guest/check.hpp"

namespace signals {

inline volatile int runs_of[65];  // how often count() has handled each signal

inline void count(int signal) { runs_of[signal] = runs_of[signal] + 1; }

// Installs HANDLER, and starts to count anew.
inline void handle(int signal, void (*handler)(int), int flags = 0, int also_blocked = 0) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    if (also_blocked) sigaddset(&action.sa_mask, also_blocked);
    check::needs("sigaction", sigaction(signal, &action, nullptr));
    runs_of[signal] = 0;
}

inline sigset_t set_of(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

inline void block(int signal) {
    sigset_t set = set_of(signal);
    check::needs("sigprocmask", sigprocmask(SIG_BLOCK, &set, nullptr));
}

inline void unblock(int signal) {
    sigset_t set = set_of(signal);
    check::needs("sigprocmask", sigprocmask(SIG_UNBLOCK, &set, nullptr));
}

}  // namespace signals
