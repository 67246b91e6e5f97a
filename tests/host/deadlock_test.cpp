// sources: kernel/deadlock/resource_table.cpp kernel/deadlock/analysis.cpp kernel/deadlock/recovery.cpp
// Deadlock strategies: the course note's banker and safe state, row by row; random states against
// brute force; a million random steps of the banker; each prevention never deadlocks.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include "kernel/deadlock/analysis.hpp"
#include "kernel/deadlock/cycles.hpp"
#include "kernel/deadlock/recovery.hpp"
#include "kernel/deadlock/strategies.hpp"

namespace {

using Row = std::vector<Units>;

struct Scene : ResourceTable {
    Scene(const Row& totals, uint32_t count) {
        for (Units total : totals) EXPECT_TRUE(add_type("R", total, false).is_ok());
        for (uint32_t p = 0; p < count; ++p) EXPECT_TRUE(add_party().is_ok());
    }
    void claim(uint32_t p, const Row& max) {
        for (uint32_t t = 0; t < types(); ++t) set_max(p, t, max[t]);
    }
    void want(uint32_t p, const Row& units) {
        for (uint32_t t = 0; t < types(); ++t) set_wanted(p, t, units[t]);
    }
    void give(uint32_t p, const Row& units) {
        want(p, units);
        grant(p);
    }
    Answer ask(const Strategy& s, uint32_t p, const Row& units) {
        want(p, units);
        Answer answer = s.decide(*this, p);
        if (answer == Answer::granted)
            grant(p);
        else if (answer == Answer::refused)
            clear_wanted(p);
        else
            party(p).waits = true;
        return answer;
    }
    Row row(Units (ResourceTable::*what)(uint32_t, uint32_t) const, uint32_t p) const {
        Row r;
        for (uint32_t t = 0; t < types(); ++t) r.push_back((this->*what)(p, t));
        return r;
    }
};

struct Noted final : SafetySteps {
    struct Step {
        uint32_t party;
        Row work;
        bool operator==(const Step&) const = default;
    };
    std::vector<Step> steps;
    void step(uint32_t party, std::span<const Units> work) override {
        steps.push_back({party, Row(work.begin(), work.end())});
    }
};

const Strategy& strategy(std::string_view name) {
    static Strategies all;
    return *all.find(name);
}

Scene note_state() {
    Scene s({10, 5, 7}, 5);
    const Row max[] = {{7, 5, 3}, {3, 2, 2}, {9, 0, 2}, {2, 2, 2}, {4, 3, 4}};
    const Row held[] = {{0, 1, 0}, {2, 0, 0}, {3, 0, 2}, {2, 1, 1}, {0, 0, 2}};
    for (uint32_t p = 0; p < 5; ++p) {
        s.claim(p, max[p]);
        s.give(p, held[p]);
    }
    return s;
}

TEST(Banker, note_rows) {
    Scene s = note_state();
    const Row need[] = {{7, 4, 3}, {1, 2, 2}, {6, 0, 0}, {0, 1, 1}, {4, 3, 2}};
    for (uint32_t p = 0; p < 5; ++p) EXPECT_EQ(s.row(&ResourceTable::need, p), need[p]);
    Noted noted;
    EXPECT_TRUE(is_safe(s, &noted));
    const std::vector<Noted::Step> wanted = {
        {1, {3, 3, 2}}, {3, {5, 3, 2}}, {4, {7, 4, 3}}, {0, {7, 4, 5}}, {2, {7, 5, 5}}};
    EXPECT_EQ(noted.steps, wanted);
}

TEST(Banker, note_requests) {
    Scene s = note_state();
    EXPECT_EQ(s.ask(strategy("banker"), 1, {1, 0, 2}), Answer::granted);
    EXPECT_EQ(s.ask(strategy("banker"), 4, {3, 3, 0}), Answer::unavailable);
    EXPECT_EQ(s.ask(strategy("banker"), 0, {0, 2, 0}), Answer::unsafe);
    EXPECT_EQ(s.ask(strategy("banker"), 3, {0, 2, 0}), Answer::refused);  // beyond its claim
}

TEST(Banker, note_safe_state) {
    Scene s({12}, 3);
    const Units max[] = {10, 4, 9}, held[] = {5, 2, 2};
    for (uint32_t p = 0; p < 3; ++p) {
        s.claim(p, {max[p]});
        s.give(p, {held[p]});
    }
    EXPECT_EQ(s.type(0).available, 3u);
    Noted noted;
    EXPECT_TRUE(is_safe(s, &noted));
    ASSERT_EQ(noted.steps.size(), 3u);
    EXPECT_EQ(noted.steps[0].party, 1u);
    EXPECT_EQ(noted.steps[1].party, 0u);
    EXPECT_EQ(noted.steps[2].party, 2u);
    EXPECT_EQ(s.ask(strategy("banker"), 2, {1}), Answer::unsafe);
    s.give(2, {1});
    EXPECT_FALSE(is_safe(s));
}

// Any order of the parties in which each gets what `ask` says and gives back what it holds.
bool some_order_works(const Scene& s, Units (ResourceTable::*ask)(uint32_t, uint32_t) const) {
    std::vector<uint32_t> order(s.parties());
    std::iota(order.begin(), order.end(), 0);
    do {
        Row free;
        for (uint32_t t = 0; t < s.types(); ++t) free.push_back(s.type(t).available);
        bool all = true;
        for (uint32_t p : order) {
            for (uint32_t t = 0; t < s.types(); ++t) all &= (s.*ask)(p, t) <= free[t];
            if (!all) break;
            for (uint32_t t = 0; t < s.types(); ++t) free[t] += s.held(p, t);
        }
        if (all) return true;
    } while (std::next_permutation(order.begin(), order.end()));
    return false;
}

TEST(Analysis, thousand_random_states_against_brute_force) {
    std::mt19937 random(1);
    uint32_t safe = 0, reducible = 0;
    for (int round = 0; round < 1000; ++round) {
        const uint32_t types = 1 + random() % 3, parties = 2 + random() % 4;
        Row totals;
        for (uint32_t t = 0; t < types; ++t) totals.push_back(1 + random() % 8);
        Scene s(totals, parties);
        for (uint32_t p = 0; p < parties; ++p) {
            Row max, held, wanted;
            for (uint32_t t = 0; t < types; ++t) {
                max.push_back(random() % (totals[t] + 1));
                held.push_back(random() % (std::min(max[t], s.type(t).available) + 1));
                wanted.push_back(random() % (max[t] - held[t] + 1));
            }
            s.claim(p, max);
            s.give(p, held);
            s.want(p, wanted);
        }
        EXPECT_EQ(is_safe(s), some_order_works(s, &ResourceTable::need));
        EXPECT_EQ(reduce(s) == 0, some_order_works(s, &ResourceTable::wanted));
        safe += is_safe(s);
        reducible += reduce(s) == 0;
    }
    EXPECT_GT(safe, 100u);
    EXPECT_LT(safe, 900u);
    EXPECT_LT(reducible, 1000u);
}

// Random requests and releases; waiters are asked again after each release. Returns the steps at
// which some set of parties was deadlocked.
uint64_t random_walk(const Strategy& how, uint64_t steps, bool check_safe, uint64_t* meals) {
    std::mt19937 random(7);
    const Row totals = {4, 3, 5};
    Scene s(totals, 5);
    for (uint32_t p = 0; p < 5; ++p) s.claim(p, {1 + p % 3, 1 + p % 2, 2 + p % 4});
    uint64_t stuck = 0;
    for (uint64_t step = 0; step < steps; ++step) {
        const uint32_t p = random() % 5;
        if (!s.party(p).waits && random() % 3) {
            Row units;
            for (uint32_t t = 0; t < 3; ++t)
                units.push_back(how.name() == "all-at-once" ? s.max(p, t)
                                                            : random() % (s.need(p, t) + 1));
            Answer answer = s.ask(how, p, units);
            if (answer == Answer::gives_back)
                for (uint32_t t = 0; t < 3; ++t) {
                    s.set_wanted(p, t, s.wanted(p, t) + s.held(p, t));
                    s.take_back(p, t, s.held(p, t));
                }
            *meals += answer == Answer::granted;
        } else if (!s.party(p).waits) {
            for (uint32_t t = 0; t < 3; ++t) s.take_back(p, t, s.held(p, t));
        }
        for (uint32_t q = 0; q < 5; ++q)
            if (s.party(q).waits && how.decide(s, q) == Answer::granted) s.grant(q);
        if (check_safe && !is_safe(s)) ADD_FAILURE() << "unsafe after step " << step;
        if (reduce(s)) {
            ++stuck;
            s.remove_party(choose_victim(s, VictimRule::cost).party);
            for (uint32_t q = 0; q < 5; ++q)
                if (!s.party(q).used) {
                    EXPECT_EQ(s.add_party().value(), q);
                    s.claim(q, {1 + q % 3, 1 + q % 2, 2 + q % 4});
                }
        }
        for (uint32_t t = 0; t < 3; ++t) {
            Units sum = s.type(t).available;
            for (uint32_t q = 0; q < 5; ++q) sum += s.held(q, t);
            if (sum != totals[t]) ADD_FAILURE() << "units lost after step " << step;
        }
    }
    return stuck;
}

TEST(Banker, a_million_steps_and_never_unsafe) {
    uint64_t grants = 0;
    EXPECT_EQ(random_walk(strategy("banker"), 1'000'000, true, &grants), 0u);
    EXPECT_GT(grants, 100'000u);
}

TEST(Strategies, prevention_never_deadlocks_and_none_does) {
    for (const char* name : {"all-at-once", "release-first", "preempt", "ordered"}) {
        uint64_t grants = 0;
        EXPECT_EQ(random_walk(strategy(name), 100'000, false, &grants), 0u) << name;
        EXPECT_GT(grants, 1'000u) << name;
    }
    uint64_t grants = 0;
    EXPECT_GT(random_walk(strategy("none"), 100'000, false, &grants), 100u);
    EXPECT_EQ(Strategies::index_of("bankers"), std::nullopt);
    EXPECT_TRUE(strategy("detect").detects());
}

TEST(Recovery, cost_and_taking_away) {
    Scene s({1, 1}, 2);
    s.give(0, {1, 0});
    s.give(1, {0, 1});
    s.want(0, {0, 1});
    s.want(1, {1, 0});
    EXPECT_EQ(reduce(s), 2u);
    EXPECT_EQ(recovery_cost(s, 0), 2u);  // one unit, one grant
    s.party(0).times_victim = 1;
    EXPECT_EQ(choose_victim(s, VictimRule::cost).party, 1u);
    EXPECT_FALSE(choose_victim(s, VictimRule::cost).take_away);

    ResourceTable t;
    ASSERT_TRUE(t.add_type("cpu", 1, true).is_ok() && t.add_type("tape", 1, false).is_ok());
    ASSERT_TRUE(t.add_party().is_ok() && t.add_party().is_ok());
    for (uint32_t p = 0; p < 2; ++p) {
        t.set_wanted(p, p, 1);
        t.grant(p);
        t.set_wanted(p, 1 - p, 1);
    }
    EXPECT_EQ(reduce(t), 2u);
    Victim victim = choose_victim(t, VictimRule::cost);
    EXPECT_EQ(victim.party, 0u);
    EXPECT_TRUE(victim.take_away);
}

TEST(Recovery, each_rule_chooses_the_least_by_its_own_measure) {
    std::mt19937 random(5);
    for (int round = 0; round < 500; ++round) {
        const uint32_t parties = 2 + random() % 5;
        Scene s(Row(parties, 3), parties);
        std::vector<Units> units;
        for (uint32_t p = 0; p < parties; ++p) {  // a circle: each wants a unit of the next one's
            Row held(parties, 0), wanted(parties, 0);
            held[p] = 3;
            wanted[(p + 1) % parties] = 1;
            s.give(p, held);
            const Units back = random() % 3;
            s.take_back(p, p, back);
            s.set_wanted(p, (p + 1) % parties, 3);
            units.push_back(3 - back);
            s.party(p).nice = static_cast<int>(random() % 40) - 20;
        }
        ASSERT_EQ(reduce(s), parties);
        const uint32_t by_size = choose_victim(s, VictimRule::size).party;
        EXPECT_EQ(units[by_size], *std::ranges::min_element(units));
        EXPECT_EQ(choose_victim(s, VictimRule::age).party, parties - 1);
        const Victim low = choose_victim(s, VictimRule::priority);
        for (uint32_t p = 0; p < parties; ++p) EXPECT_LE(s.party(p).nice, s.party(low.party).nice);
    }
}

// Whether `who` gets what it wants in some order of events, when units are really used up: a party
// that goes on gives back what it holds, and makes `made` units of what it produces.
bool may_go_on(const Scene& s, uint32_t who, Row free, std::vector<bool> gone, Units made) {
    for (uint32_t p = 0; p < s.parties(); ++p) {
        if (gone[p]) continue;
        bool fits = true;
        for (uint32_t t = 0; t < s.types(); ++t) fits &= s.wanted(p, t) <= free[t];
        if (!fits) continue;
        if (p == who) return true;
        Row more = free;
        for (uint32_t t = 0; t < s.types(); ++t) {
            if (s.type(t).consumable) more[t] -= s.wanted(p, t);
            more[t] += s.held(p, t) + (s.produces(p, t) ? made : 0);
        }
        std::vector<bool> then = gone;
        then[p] = true;
        if (may_go_on(s, who, more, then, made)) return true;
    }
    return false;
}

TEST(Consumables, none_is_called_deadlocked_that_might_go_on) {
    std::mt19937 random(7);
    uint32_t stuck = 0, waited = 0;
    for (int round = 0; round < 2000; ++round) {
        const uint32_t parties = 2 + random() % 3;
        Scene s({2}, 0);
        for (const char* name : {"mail", "ink"})
            ASSERT_TRUE(s.add_type(name, random() % 2, false, 1, true).is_ok());
        for (uint32_t p = 0; p < parties; ++p) {
            ASSERT_TRUE(s.add_party().is_ok());
            s.give(p, {static_cast<Units>(random() % (s.type(0).available + 1)), 0, 0});
            for (uint32_t t = 1; t < 3; ++t)
                if (random() % 3 == 0) s.produce(p, t, 0);
            Row wanted(3, 0);
            wanted[random() % 3] = random() % 3;
            s.want(p, wanted);
        }
        Row free;
        for (uint32_t t = 0; t < 3; ++t) free.push_back(s.type(t).available);
        reduce(s);
        const std::vector<uint8_t> finish(s.finish().begin(), s.finish().end());
        for (uint32_t p = 0; p < parties; ++p) {
            waited += s.holds_any(p);
            stuck += !finish[p];
            if (finish[p]) continue;
            EXPECT_FALSE(may_go_on(s, p, free, std::vector<bool>(parties), 8)) << round;
        }
    }
    EXPECT_GT(stuck, 200u);
    EXPECT_GT(waited, 200u);
}

TEST(Consumables, a_unit_is_used_up) {
    Scene s({}, 2);
    ASSERT_TRUE(s.add_type("mail", 0, false, 1, true).is_ok());
    s.produce(0, 0, 3);
    s.want(1, {2});
    s.grant(1);
    EXPECT_EQ(s.type(0).available, 1u);
    EXPECT_FALSE(s.holds_any(1));
    s.remove_party(1);
    EXPECT_EQ(s.type(0).available, 1u);
}

struct TestEdge {
    int waiter, holder;
    bool in_cycle = false;
};

TEST(Cycles, random_graphs_against_reachability) {
    std::mt19937 random(3);
    uint32_t marked = 0, all = 0;
    for (int round = 0; round < 2000; ++round) {
        const int nodes = 1 + static_cast<int>(random() % 8);
        std::vector<TestEdge> edges(random() % 14);
        bool reach[8][8] = {};
        for (TestEdge& e : edges) {
            const int a = static_cast<int>(random()) % nodes,
                      b = static_cast<int>(random()) % nodes;
            e = {std::abs(a) * 100 + 7, std::abs(b) * 100 + 7};
            reach[e.waiter / 100][e.holder / 100] = true;
        }
        for (int k = 0; k < 8; ++k)
            for (int i = 0; i < 8; ++i)
                for (int j = 0; j < 8; ++j) reach[i][j] |= reach[i][k] && reach[k][j];
        ASSERT_TRUE(CycleFinder<TestEdge>::mark(edges).is_ok());
        for (const TestEdge& e : edges) {
            EXPECT_EQ(e.in_cycle, reach[e.holder / 100][e.waiter / 100]);
            marked += e.in_cycle;
            ++all;
        }
    }
    EXPECT_GT(marked, 1000u);
    EXPECT_LT(marked, all);
}

TEST(Cycles, long_chain_and_long_circle) {
    std::vector<TestEdge> edges;
    for (int i = 1; i < 200'000; ++i) edges.push_back({i, i + 1});
    ASSERT_TRUE(CycleFinder<TestEdge>::mark(edges).is_ok());
    EXPECT_FALSE(edges[0].in_cycle);
    edges.push_back({200'000, 1});
    ASSERT_TRUE(CycleFinder<TestEdge>::mark(edges).is_ok());
    for (const TestEdge& e : edges) ASSERT_TRUE(e.in_cycle);
}

TEST(Detection, needs_no_cycle_with_several_units) {
    Scene s({2}, 3);
    for (uint32_t p = 0; p < 2; ++p) s.give(p, {1});
    s.want(0, {1});
    EXPECT_EQ(reduce(s), 0u);  // party 1 can still give back
    s.want(1, {1});
    EXPECT_EQ(reduce(s), 2u);
    EXPECT_TRUE(s.finish()[2]);
}

}  // namespace
