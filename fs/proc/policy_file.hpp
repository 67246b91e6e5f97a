// The files of one kind of policies: one that lists their names, the current one in brackets, and takes
// one; and one for each of their tunables.
#pragma once

#include <utility>

#include "fs/proc/proc_entry.hpp"
#include "kernel/lib/policy_choice.hpp"

template <const PolicyChoice& choice>
constexpr ProcEntry policy_file(std::string_view name) {
    return {.name = name,
            .show = [](TextSink& to) { choice.show(to); },
            .store = [](std::string_view wanted) { return choice.set(wanted); }};
}

// `table`: the choice's tunables, as a TunableTable.
template <const PolicyChoice& choice, const auto& table>
constexpr auto tunable_files() {
    return []<size_t... i>(std::index_sequence<i...>) {
        return std::array<ProcEntry, sizeof...(i)>{ProcEntry{
            .name = table.all[i].name,
            .show =
                [](TextSink& to) {
                    show_tunable(to, choice.tunable(i));
                    to.put("\n");
                },
            .store = [](std::string_view text) { return choice.set_tunable(i, text); }}...};
    }
    (std::make_index_sequence<table.count>());
}
