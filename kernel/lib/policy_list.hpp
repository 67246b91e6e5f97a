// PolicyList: the policies of one kind, such as schedulers. Each is a class derived from Interface with
//     static constexpr std::string_view kName      its name: at boot, in /proc, in labs and tests
//     struct Tunables { Tunable ...; } tunables;   its figures, if it has any
// Names, choice, files in /proc and tests follow from the list. A new policy is a new file beside the
// others and a word in the list: the build makes all.hpp, which includes every file of the folder.
// An object of the list holds one instance of each policy. Interface may have Tunables that all share:
//     struct SharedTunables { Tunable ...; } shared;
// Locks: none; the owner guards it.
#pragma once

#include <optional>
#include <tuple>

#include "kernel/lib/tunable.hpp"

// A policy that knows its own name.
template <typename Policy>
class Named final : public Policy {
  public:
    using Policy::Policy;
    std::string_view name() const override { return Policy::kName; }
};

template <typename Interface, typename... Policies>
class PolicyList {
    template <typename Policy>
    static constexpr size_t kTunables = []() -> size_t {
        if constexpr (requires { typename Policy::Tunables; })
            return sizeof(typename Policy::Tunables) / sizeof(Tunable);
        return 0;
    }();
    static constexpr size_t kShared = []() -> size_t {
        if constexpr (requires { typename Interface::SharedTunables; })
            return sizeof(typename Interface::SharedTunables) / sizeof(Tunable);
        return 0;
    }();

  public:
    // The list with more at its end, for where they make sense.
    template <typename... More>
    using With = PolicyList<Interface, Policies..., More...>;

    static constexpr uint32_t kCount = sizeof...(Policies);
    static constexpr std::string_view kNames[kCount] = {Policies::kName...};

    constexpr PolicyList() = default;
    PolicyList(const PolicyList&) = delete;
    PolicyList& operator=(const PolicyList&) = delete;

    static constexpr std::optional<uint32_t> index_of(std::string_view name) {
        for (uint32_t i = 0; i < kCount; ++i)
            if (kNames[i] == name) return i;
        return std::nullopt;
    }
    template <typename Policy>
    static constexpr uint32_t kIndexOf = *index_of(Policy::kName);

    Interface& at(uint32_t index) { return kAt[index](*this); }
    Interface* find(std::string_view name) {
        const std::optional<uint32_t> index = index_of(name);
        return index ? &at(*index) : nullptr;
    }
    template <typename Policy>
    constexpr Policy& get() {
        return std::get<Named<Policy>>(all_);
    }

    // The shared ones, then each policy's, with their defaults.
    static constexpr auto default_tunables() {
        TunableTable<(kShared + ... + kTunables<Policies>)> table;
        if constexpr (kShared) add<typename Interface::SharedTunables>(table);
        (add_of<Policies>(table), ...);
        return table;
    }
    // False: no such name, or out of range.
    bool set_tunable(std::string_view name, std::span<const uint32_t> values) {
        bool done = false;
        for_each_tunable([&](Tunable& tunable) {
            if (tunable.name == name) done = tunable.set(values);
        });
        return done;
    }
    bool set_tunable(const Tunable& like) {
        return set_tunable(like.name, {like.values, like.count});
    }
    const Tunable* tunable(std::string_view name) {
        const Tunable* found = nullptr;
        for_each_tunable([&](Tunable& tunable) {
            if (tunable.name == name) found = &tunable;
        });
        return found;
    }
    template <typename... Others>
    void copy_tunables(PolicyList<Interface, Others...>& from) {
        (copy(get<Others>(), from.template get<Others>()), ...);
    }
    template <typename F>
    void for_each_tunable(F&& f) {
        (visit(get<Policies>(), f), ...);
    }

  private:
    template <typename Holder>
    static constexpr void add(auto& table) {
        Holder defaults{};
        for (const Tunable* one : tunables_in(defaults)) table.add(*one);
    }
    template <typename Policy>
    static constexpr void add_of(auto& table) {
        if constexpr (kTunables<Policy>) add<typename Policy::Tunables>(table);
    }
    template <typename Policy>
    static void copy(Policy& to, const Policy& from) {
        if constexpr (requires { to.shared; }) to.shared = from.shared;
        if constexpr (requires { to.tunables; }) to.tunables = from.tunables;
    }
    template <typename Policy, typename F>
    static void visit(Policy& policy, F&& f) {
        if constexpr (requires { policy.shared; })
            for (Tunable* one : tunables_in(policy.shared)) f(*one);
        if constexpr (requires { policy.tunables; })
            for (Tunable* one : tunables_in(policy.tunables)) f(*one);
    }

    using At = Interface& (*)(PolicyList&);
    static constexpr At kAt[kCount] = {
        [](PolicyList& list) -> Interface& { return list.template get<Policies>(); }...};

    std::tuple<Named<Policies>...> all_{};
};
