// A policy that can be chosen by name while the system runs: how /proc/sys shows and sets it. Who
// has policies (the scheduler) installs one.
#pragma once

#include <cstdint>
#include <string_view>

struct PolicyChoice {
    uint32_t count = 0;
    std::string_view (*name)(uint32_t which) = nullptr;
    uint32_t (*current)() = nullptr;
    void (*choose)(uint32_t which) = nullptr;
};
void install_scheduler_choice(const PolicyChoice& choice);
