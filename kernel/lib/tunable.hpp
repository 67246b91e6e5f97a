// Tunable: a figure of a policy that can be set at boot and while the system runs. A policy keeps its
// own in a struct Tunables, which has no other members. A name that ends in _us means microseconds.
// Invariant: at least one value, and each between `least` and `most`.
// Locks: none; the policy's owner guards it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

constexpr uint32_t kMaxMicroseconds = 1'000'000'000;

struct Tunable {
    static constexpr uint32_t kMostValues = 8;

    std::string_view name;     // of its file in /proc, and of the boot option
    std::string_view meaning;  // in one line
    uint32_t least = 0, most = kMaxMicroseconds;
    uint32_t max_count = 1, count = 1;
    uint32_t values[kMostValues] = {};

    constexpr uint32_t value(uint32_t index = 0) const { return values[index]; }
    constexpr uint64_t ns(uint32_t index = 0) const { return values[index] * 1000ull; }
    // False, and nothing changed: too few or too many values, or one is out of range.
    constexpr bool set(std::span<const uint32_t> fresh) {
        if (fresh.empty() || fresh.size() > max_count) return false;
        for (uint32_t one : fresh)
            if (one < least || one > most) return false;
        count = 0;
        for (uint32_t one : fresh) values[count++] = one;
        return true;
    }
};

// The members of a struct that has only Tunables.
template <typename T>
constexpr auto tunables_in(T& holder) {
    constexpr size_t kCount = sizeof(T) / sizeof(Tunable);
    static_assert(sizeof(T) % sizeof(Tunable) == 0 && kCount >= 1 && kCount <= 3);
    if constexpr (kCount == 1) {
        auto& [a] = holder;
        return std::array{&a};
    } else if constexpr (kCount == 2) {
        auto& [a, b] = holder;
        return std::array{&a, &b};
    } else {
        auto& [a, b, c] = holder;
        return std::array{&a, &b, &c};
    }
}

// Tunables by name, each name once.
template <size_t kMost>
struct TunableTable {
    std::array<Tunable, kMost> all{};
    uint32_t count = 0;

    constexpr std::span<const Tunable> span() const { return {all.data(), count}; }
    constexpr Tunable* find(std::string_view name) {
        for (uint32_t i = 0; i < count; ++i)
            if (all[i].name == name) return &all[i];
        return nullptr;
    }
    constexpr void add(const Tunable& tunable) {
        if (!find(tunable.name)) all[count++] = tunable;
    }
};
// Those of structs that have only Tunables, with their defaults.
template <typename... Holders>
constexpr auto default_tunables() {
    TunableTable<(sizeof(Holders) + ... + 0) / sizeof(Tunable)> table;
    auto add = [&](auto holder) {
        for (const Tunable* one : tunables_in(holder)) table.add(*one);
    };
    (add(Holders{}), ...);
    return table;
}
template <size_t N, size_t M>
constexpr auto join_tunables(const TunableTable<N>& a, const TunableTable<M>& b) {
    TunableTable<N + M> table;
    for (const Tunable& one : a.span()) table.add(one);
    for (const Tunable& one : b.span()) table.add(one);
    return table;
}
