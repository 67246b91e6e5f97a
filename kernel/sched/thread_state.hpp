// The states of a thread; which changes there are among them is said in state_changes.hpp.
#pragma once

#include <cstdint>

enum class ThreadState : uint8_t {
    created,
    ready,
    running,
    blocked,
    suspended_ready,
    suspended_blocked,
    terminated,
};
constexpr uint32_t kThreadStates = 7;
