// See strategy.hpp.
#include "kernel/deadlock/strategy.hpp"

#include "kernel/deadlock/analysis.hpp"

namespace {

Answer if_free(const ResourceTable& table, uint32_t p) {
    return table.wanted_available(p) ? Answer::granted : Answer::unavailable;
}

class None final : public Strategy {
  public:
    std::string_view name() const override { return "none"; }
    Answer decide(ResourceTable& table, uint32_t p) const override { return if_free(table, p); }
};

class AllAtOnce final : public Strategy {
  public:
    std::string_view name() const override { return "all-at-once"; }
    Answer decide(ResourceTable& table, uint32_t p) const override {
        for (uint32_t t = 0; t < table.types(); ++t)
            if (table.held(p, t) || table.wanted(p, t) != table.max(p, t)) return Answer::refused;
        return if_free(table, p);
    }
};

class ReleaseFirst final : public Strategy {
  public:
    std::string_view name() const override { return "release-first"; }
    Answer decide(ResourceTable& table, uint32_t p) const override {
        return table.holds_any(p) ? Answer::refused : if_free(table, p);
    }
};

class Preempt final : public Strategy {
  public:
    std::string_view name() const override { return "preempt"; }
    Answer decide(ResourceTable& table, uint32_t p) const override {
        if (table.wanted_available(p)) return Answer::granted;
        return table.holds_any(p) ? Answer::gives_back : Answer::unavailable;
    }
};

class Ordered final : public Strategy {
  public:
    std::string_view name() const override { return "ordered"; }
    Answer decide(ResourceTable& table, uint32_t p) const override {
        bool wanted_below = false;
        for (uint32_t t = 0; t < table.types(); ++t) {
            if (table.wanted(p, t)) wanted_below = true;
            if (table.held(p, t) && wanted_below) return Answer::refused;
        }
        return if_free(table, p);
    }
};

class Banker final : public Strategy {
  public:
    std::string_view name() const override { return "banker"; }
    Answer decide(ResourceTable& table, uint32_t p) const override {
        for (uint32_t t = 0; t < table.types(); ++t)
            if (table.wanted(p, t) > table.need(p, t)) return Answer::refused;
        if (!table.wanted_available(p)) return Answer::unavailable;
        return safe_after(table, p) ? Answer::granted : Answer::unsafe;
    }

  private:
    // Tries the grant: a claim is never raised by it, because need covers what is wanted.
    static bool safe_after(ResourceTable& table, uint32_t p) {
        table.try_grant(p);
        const bool safe = is_safe(table);
        table.undo_grant(p);
        return safe;
    }
};

class Detect final : public Strategy {
  public:
    std::string_view name() const override { return "detect"; }
    Answer decide(ResourceTable& table, uint32_t p) const override { return if_free(table, p); }
    bool detects() const override { return true; }
};

constexpr None none;
constexpr AllAtOnce all_at_once;
constexpr ReleaseFirst release_first;
constexpr Preempt preempt;
constexpr Ordered ordered;
constexpr Banker banker;
constexpr Detect detect;
constexpr const Strategy* kAll[kStrategies] = {&none,    &all_at_once, &release_first, &preempt,
                                               &ordered, &banker,      &detect};

}  // namespace

std::string_view answer_text(Answer answer) {
    switch (answer) {
        case Answer::granted: return "granted";
        case Answer::unavailable: return "waits: more than is available";
        case Answer::unsafe: return "denied for now: the state would be unsafe";
        case Answer::refused: return "refused: against the strategy's rules";
        case Answer::gives_back: return "waits: gave back what it held";
    }
    return "";
}

const Strategy& strategy(uint32_t index) { return *kAll[index]; }

const Strategy* find_strategy(std::string_view name) {
    for (const Strategy* s : kAll)
        if (s->name() == name) return s;
    return nullptr;
}
