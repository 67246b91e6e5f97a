// Model checking of the pure cores: semaphores (record and AND), monitors of both disciplines, readers
// and writers (the futex protocol: model_futex_test.cpp). All interleavings of the atomic steps, up
// to the threads and rounds that each test states; and mistakes that the exploration must find.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/ipc/semaphore_array.hpp"
#include "kernel/sync/monitor_core.hpp"
#include "kernel/sync/semaphore_core.hpp"
#include "tests/host/support/explore.hpp"
#include "user/lab-sync/readers_writers.hpp"

namespace {

constexpr int kMost = 6;

// --- record semaphore: N threads, K rounds of P, inside, V

struct SemaphoreModel {
    int threads, rounds, value;
    SemaphoreCore<SmallQueue> core;
    int at[kMost] = {}, round[kMost] = {};  // 0 outside, 1 waits, 2 inside
    SmallQueue order;                       // of those that wait, as it must be

    SemaphoreModel(int threads, int rounds, int value)
        : threads(threads), rounds(rounds), value(value), core(value) {}
    bool done(int t) const { return round[t] == rounds; }
    bool step(int t) {
        if (at[t] == 1) return false;
        if (at[t] == 0) {
            at[t] = core.p(t + 1) ? 2 : 1;
            if (at[t] == 1) order.push(t + 1);
            return true;
        }
        at[t] = 0;
        ++round[t];
        if (int next = core.v()) {
            at[next - 1] = next == order.pop() ? 2 : 3;
        }
        return true;
    }
    const char* wrong() const {
        int inside = 0, waiting = 0;
        for (int t = 0; t < threads; ++t) {
            if (at[t] == 3) return "not the first in the queue";
            inside += at[t] == 2, waiting += at[t] == 1;
        }
        if (inside > value) return "too many inside";
        if (waiting && inside < value) return "a thread waits though there is room";
        if (core.value() != value - inside - waiting) return "the value";
        if (static_cast<int>(core.waiting()) != waiting) return "the queue";
        return nullptr;
    }
    std::string key() const {
        std::string key;
        for (int t = 0; t < threads; ++t) add_to(key, at[t], round[t]);
        order.add_to_key(key);
        return key;
    }
};

TEST(Model, record_semaphore) {
    for (int threads = 1; threads <= 5; ++threads)
        for (int value = 1; value <= 3; ++value) {
            const Explored e =
                all_of("record semaphore", SemaphoreModel(threads, 3, value), threads);
            EXPECT_TRUE(e.good()) << e.first_wrong;
        }
}

// --- System V sets as forks: five philosophers, two meals each

struct ForkModel {
    bool both_at_once;
    int forks[5] = {1, 1, 1, 1, 1}, at[5] = {}, meals[5] = {};  // at: how many forks it has

    bool done(int t) const { return meals[t] == 2; }
    bool operate(std::initializer_list<SemaphoreOperation> operations) {
        SemaphoreArray array;
        EXPECT_TRUE(array.resize(5).is_ok());
        for (uint32_t i = 0; i < 5; ++i) array[i].value = forks[i];
        auto tried = array.attempt({operations.begin(), operations.size()}, {1, 1}, {});
        EXPECT_TRUE(tried.is_ok());
        for (uint32_t i = 0; i < 5; ++i) forks[i] = array[i].value;
        return tried.value().done;
    }
    bool step(int t) {
        const auto left = static_cast<uint16_t>(t), right = static_cast<uint16_t>((t + 1) % 5);
        if (at[t] == 2) {
            ++meals[t];
            at[t] = 0;
            return operate({{left, 1, 0}, {right, 1, 0}});
        }
        if (both_at_once) {
            if (!operate({{left, -1, 0}, {right, -1, 0}})) return false;
            at[t] = 2;
            return true;
        }
        if (!operate({{at[t] ? right : left, -1, 0}})) return false;
        ++at[t];
        return true;
    }
    const char* wrong() const {
        for (int t = 0; t < 5; ++t) {
            const int next = (t + 1) % 5;
            if (at[t] == 2 && at[next] == 2) return "neighbours eat";
            const int users = (at[t] == 2) + (at[next] >= 1);  // of the fork between them
            if (users + forks[next] != 1) return "a fork is lost";
        }
        return nullptr;
    }
    std::string key() const {
        std::string key;
        for (int t = 0; t < 5; ++t) add_to(key, at[t], meals[t]);
        return key;
    }
};

TEST(Model, and_semaphore_never_deadlocks_and_naive_does) {
    const Explored both = all_of("AND semaphore", ForkModel{.both_at_once = true}, 5);
    EXPECT_TRUE(both.good()) << both.first_wrong;
    const Explored naive = explore(ForkModel{.both_at_once = false}, 5);
    EXPECT_EQ(naive.broken, 0u) << naive.first_wrong;
    EXPECT_GT(naive.deadlocks, 0u);
}

// --- monitors: producers and consumers over a buffer of one place; each step is a stay inside up to
// the next point at which the monitor may change hands

struct MonitorModel {
    Discipline discipline;
    bool looks_again;  // `while`, not `if`
    int pairs, rounds;
    MonitorCore<SmallQueue> core;
    SmallQueue conditions[2];  // not full, not empty
    enum At { outside, waits, inside, signalled };
    int at[kMost] = {}, after[kMost] = {},
        round[kMost] = {};  // after: where it is once it is woken
    bool was_waiting[kMost] = {};
    int used = 0;
    const char* broken = nullptr;

    MonitorModel(Discipline discipline, bool looks_again, int pairs, int rounds)
        : discipline(discipline),
          looks_again(looks_again),
          pairs(pairs),
          rounds(rounds),
          core(discipline) {}
    bool done(int t) const { return round[t] == rounds; }
    bool produces(int t) const { return t % 2 == 0; }
    void hand_to(int who) {
        if (who) at[who - 1] = after[who - 1];
    }
    bool must_wait(int t) const { return produces(t) ? used == 1 : used == 0; }
    void use(int t) {
        if (must_wait(t)) broken = "over-full, or used empty";
        used += produces(t) ? 1 : -1;
    }
    bool step(int t) {
        switch (at[t]) {
            case outside:
                after[t] = inside;
                at[t] = core.enter(t + 1) ? inside : waits;
                return true;
            case inside:
                if (must_wait(t) && (looks_again || !was_waiting[t])) {
                    if (was_waiting[t] && discipline == Discipline::hoare)
                        broken = "a Hoare waiter finds its condition false";
                    was_waiting[t] = true;
                    at[t] = waits;
                    after[t] = inside;
                    hand_to(core.wait(conditions[produces(t) ? 0 : 1], t + 1));
                    return true;
                }
                was_waiting[t] = false;
                use(t);
                after[t] = signalled;
                at[t] = signalled;
                if (int next = core.signal(conditions[produces(t) ? 1 : 0], t + 1)) {
                    at[t] = waits;
                    hand_to(next);
                }
                return true;
            case signalled:
                at[t] = outside;
                ++round[t];
                hand_to(core.leave());
                return true;
            default: return false;
        }
    }
    const char* wrong() const {
        if (broken) return broken;
        int in = 0;
        for (int t = 0; t < 2 * pairs; ++t) in += at[t] == inside || at[t] == signalled;
        if (in > 1) return "two inside";
        if (in != (core.busy() ? 1 : 0)) return "nobody inside a busy monitor";
        return nullptr;
    }
    std::string key() const {
        std::string key;
        for (int t = 0; t < 2 * pairs; ++t)
            add_to(key, at[t], after[t], round[t], was_waiting[t] ? 1 : 0);
        for (const SmallQueue& queue : conditions) queue.add_to_key(key);
        core.entry().add_to_key(key);
        core.urgent().add_to_key(key);
        add_to(key, used + 4, broken ? 1 : 0);
        return key;
    }
};

TEST(Model, monitors_in_both_disciplines) {
    for (Discipline d : {Discipline::hoare, Discipline::mesa})
        for (int pairs = 1; pairs <= 2; ++pairs) {
            const Explored e = all_of("monitor", MonitorModel(d, true, pairs, 3), 2 * pairs);
            EXPECT_TRUE(e.good()) << e.first_wrong << " pairs " << pairs;
            EXPECT_GT(e.states, 20u);
        }
}

TEST(Model, if_for_while_fails_only_under_mesa) {
    EXPECT_TRUE(explore(MonitorModel(Discipline::hoare, false, 2, 3), 4).good());
    EXPECT_GT(explore(MonitorModel(Discipline::mesa, false, 2, 3), 4).broken, 0u);
}

// --- readers and writers: three readers, two writers, two visits each

struct VisitModel {
    Preference preference;
    ReadersWriters rule;
    enum At { outside, waits, inside };
    int at[5] = {}, visits[5] = {}, passed[5] = {};  // passed: entries of others since it waits
    SmallQueue order;                                // of arrival, of those that wait
    int most_passed = 0;

    explicit VisitModel(Preference p) : preference(p), rule(p) {}
    static bool writes(int t) { return t >= 3; }
    bool done(int t) const { return visits[t] == 2; }
    void entered(int t) {
        at[t] = inside;
        for (int other = 0; other < 5; ++other)
            if (at[other] == waits && preference == Preference::fair)
                most_passed = std::max(most_passed, ++passed[other]);
        SmallQueue rest;
        while (int who = order.pop())
            if (who != t + 1) rest.push(who);
        order = rest;
    }
    bool step(int t) {
        if (at[t] == waits) return false;
        if (at[t] == outside) {
            passed[t] = 0;
            if (rule.arrive(t, writes(t))) {
                entered(t);
            } else {
                at[t] = waits;
                order.push(t + 1);
            }
            return true;
        }
        at[t] = outside;
        ++visits[t];
        rule.leave(writes(t), [this](int who) { entered(who); });
        return true;
    }
    const char* wrong() const {
        int readers = 0, writers = 0, waiting = 0;
        bool writer_waits = false;
        for (int t = 0; t < 5; ++t) {
            if (at[t] == inside) ++(writes(t) ? writers : readers);
            waiting += at[t] == waits;
            writer_waits |= at[t] == waits && writes(t);
        }
        if (writers > 1 || (writers && readers)) return "a writer is not alone";
        if (readers != rule.readers() || writers != rule.writers()) return "the counts";
        if (waiting && !readers && !writers) return "all wait";
        if (preference == Preference::readers && waiting && !writer_waits && !writers)
            return "a reader waits for no writer inside";
        // Each other one at most once: they were there before.
        if (preference == Preference::fair && most_passed > 4) return "the bound of waiting";
        return nullptr;
    }
    std::string key() const {
        std::string key;
        for (int t = 0; t < 5; ++t) add_to(key, at[t], visits[t], passed[t]);
        order.add_to_key(key);
        return key;
    }
};

TEST(Model, readers_and_writers) {
    for (Preference p : {Preference::readers, Preference::writers, Preference::fair}) {
        const Explored e = all_of("readers and writers", VisitModel(p), 5);
        EXPECT_TRUE(e.good()) << e.first_wrong;
        EXPECT_GT(e.states, 5'000u);
    }
}

}  // namespace
