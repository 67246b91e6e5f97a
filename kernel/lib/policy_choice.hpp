// PolicyChoice: one kind of policies as users see it. The same names are taken on the kernel's command
// line (option=NAME) and by a file in /proc, which shows all of them, the current one in brackets.
#pragma once

#include <span>

#include "kernel/lib/format.hpp"
#include "kernel/lib/result.hpp"

struct PolicyChoice {
    std::string_view option;
    std::span<const std::string_view> names;
    uint32_t (*current)();
    void (*choose)(uint32_t which);

    void show(TextSink& to) const { show_names(to, names, current()); }
    // EINVAL, and nothing changed: there is none of that name.
    Result<void> set(std::string_view name) const {
        for (uint32_t i = 0; i < names.size(); ++i)
            if (names[i] == name) return choose(i), Result<void>();
        return Errno::inval;
    }

    // "fcfs [rr] mlfq"
    static void show_names(TextSink& to, std::span<const std::string_view> names,
                           uint32_t current) {
        for (uint32_t i = 0; i < names.size(); ++i)
            format_to(to, i == current ? "{}[{}]" : "{}{}", i ? " " : "", names[i]);
        to.put("\n");
    }
};
