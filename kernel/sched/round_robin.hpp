// The dispatcher's first policy: round robin with the default quantum.
#pragma once

#include "kernel/sched/policies/round_robin.hpp"

inline constexpr SchedTunables kDefaultTunables;

class RoundRobin final : public RoundRobinPolicy {
  public:
    explicit constexpr RoundRobin(uint32_t) : RoundRobinPolicy(kDefaultTunables) {}
};
