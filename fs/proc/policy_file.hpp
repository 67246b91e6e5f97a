// The file of one kind of policies: it lists their names, the current one in brackets, and takes one.
#pragma once

#include "fs/proc/proc_entry.hpp"
#include "kernel/lib/policy_choice.hpp"

template <const PolicyChoice& choice>
constexpr ProcEntry policy_file(std::string_view name) {
    return {.name = name,
            .show = [](TextSink& to) { choice.show(to); },
            .store = [](std::string_view wanted) { return choice.set(wanted); }};
}
