// PolicyChoice: one kind of policies as users see it. The same names are taken on the kernel's command
// line (option=NAME) and by a file in /proc, which shows all of them, the current one in brackets; and
// so are the policies' tunables (prefix.TUNABLE=VALUE, and a file each).
// Locks: none here; the functions take their owner's.
#pragma once

#include "kernel/lib/atomic.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/policy_list.hpp"
#include "kernel/lib/result.hpp"

// Its values, with commas between them.
inline void show_tunable(TextSink& to, const Tunable& tunable) {
    for (uint32_t i = 0; i < tunable.count; ++i)
        format_to(to, "{}{}", i ? "," : "", tunable.value(i));
}
// The same, or blanks for commas. EINVAL, and nothing changed: no list of numbers, too many, or one is
// out of range.
inline Result<void> parse_tunable(std::string_view text, Tunable& to) {
    uint32_t values[Tunable::kMostValues], count = 0;
    while (!text.empty()) {
        const size_t end = text.find_first_of(", \t");
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (word.empty()) continue;
        uint64_t number;
        if (count == Tunable::kMostValues || !parse_number(word, number) || number > UINT32_MAX)
            return Errno::inval;
        values[count++] = static_cast<uint32_t>(number);
    }
    if (!to.set({values, count})) return Errno::inval;
    return {};
}

struct PolicyChoice {
    std::string_view option;
    std::span<const std::string_view> names;
    uint32_t (*current)();
    void (*choose)(uint32_t which);
    std::string_view prefix = "";                  // of its tunables on the command line
    std::span<const Tunable> tunables = {};        // with their defaults
    Tunable (*tunable)(uint32_t which) = nullptr;  // as it is now
    void (*tune)(const Tunable& fresh) = nullptr;  // the one of that name

    void show(TextSink& to) const { show_names(to, names, current()); }
    // EINVAL, and nothing changed: there is none of that name.
    Result<void> set(std::string_view name) const {
        for (uint32_t i = 0; i < names.size(); ++i)
            if (names[i] == name) return choose(i), Result<void>();
        return Errno::inval;
    }
    Result<void> set_tunable(uint32_t which, std::string_view text) const {
        Tunable fresh = tunables[which];
        TRY(parse_tunable(text, fresh));
        tune(fresh);
        return {};
    }
    // A line each: name, values, limits, meaning.
    void show_tunables(TextSink& to) const {
        for (uint32_t i = 0; i < tunables.size(); ++i) {
            const Tunable now = tunable(i);
            format_to(to, "{} ", now.name);
            show_tunable(to, now);
            format_to(to, " ({} to {}): {}\n", now.least, now.most, now.meaning);
        }
    }

    // "fcfs [rr] mlfq"
    static void show_names(TextSink& to, std::span<const std::string_view> names,
                           uint32_t current) {
        for (uint32_t i = 0; i < names.size(); ++i)
            format_to(to, i == current ? "{}[{}]" : "{}{}", i ? " " : "", names[i]);
        to.put("\n");
    }
};

template <typename List>
inline constexpr auto kTunablesOf = List::default_tunables();

// A list with the chosen policy, where one instance serves the whole kernel and keeps nothing that has
// to move to the next one. The choice is one word: a reader has the old policy or the new one.
template <typename List, typename Default>
class ChosenPolicy {
  public:
    constexpr ChosenPolicy() = default;
    auto& operator*() { return policies_.at(index()); }
    auto* operator->() { return &**this; }
    uint32_t index() const { return chosen_.relaxed(); }
    template <typename Policy>
    bool is() const {
        return index() == List::template kIndexOf<Policy>;
    }
    void choose(uint32_t which) { chosen_.store_relaxed(which); }
    List& policies() { return policies_; }

    template <ChosenPolicy& self>
    static constexpr PolicyChoice choice(std::string_view option, std::string_view prefix) {
        return {option,
                List::kNames,
                [] { return self.index(); },
                [](uint32_t which) { self.choose(which); },
                prefix,
                kTunablesOf<List>.span(),
                [](uint32_t which) {
                    return *self.policies_.tunable(kTunablesOf<List>.all[which].name);
                },
                [](const Tunable& fresh) { self.policies_.set_tunable(fresh); }};
    }

  private:
    List policies_{};
    Atomic<uint32_t> chosen_ = List::template kIndexOf<Default>;
};
