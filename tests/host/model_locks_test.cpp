// Model checking of the locks that lab-locks compares, with processors as they are: what a CPU stores
// waits in a buffer of its own before others see it (total store order), unless a fence or a locked
// instruction empties it. Exclusion and bounded waiting, and the mistakes that break them.
// Spec: Intel SDM vol. 3A, 8.2 (memory ordering); Peterson, "Myths about the mutual exclusion problem".
#include <gtest/gtest.h>

#include "tests/host/support/explore.hpp"

namespace {

// Words of memory behind two store buffers.
template <int words>
class Memory {
  public:
    int load(int cpu, int word) const {  // a CPU sees its own stores at once, the newest first
        for (int i = count_[cpu] - 1; i >= 0; --i)
            if (buffer_[cpu][i].word == word) return buffer_[cpu][i].value;
        return memory_[word];
    }
    void store(int cpu, int word, int value) { buffer_[cpu][count_[cpu]++] = {word, value}; }
    bool buffered(int cpu) const { return count_[cpu] > 0; }
    void drain_one(int cpu) {
        memory_[buffer_[cpu][0].word] = buffer_[cpu][0].value;
        for (int i = 1; i < count_[cpu]; ++i) buffer_[cpu][i - 1] = buffer_[cpu][i];
        --count_[cpu];
    }
    void drain(int cpu) {
        while (buffered(cpu)) drain_one(cpu);
    }
    void add_to_key(std::string& key) const {
        for (int word : memory_) add_to(key, word);
        for (int cpu = 0; cpu < 2; ++cpu) {
            for (int i = 0; i < count_[cpu]; ++i)
                add_to(key, buffer_[cpu][i].word, buffer_[cpu][i].value);
            key += '.';
        }
    }

  private:
    struct Store {
        int word, value;
    };
    int memory_[words] = {};
    Store buffer_[2][12] = {};  // more than any run of ours stores
    int count_[2] = {};
};

// Two threads, each on a CPU of its own; two more "threads" are the store buffers, which empty
// whenever they like.
struct PetersonModel {
    static constexpr int kTurn = 2, kRounds = 3;
    bool fence,
        turn_first;  // a fence between the stores and the loads; the stores the wrong way round
    enum At { first_store, second_store, fencing, look_at_flag, look_at_turn, inside };
    Memory<3> memory{};
    int at[2] = {}, round[2] = {}, passed[2] = {};

    bool done(int t) const { return t < 2 ? round[t] == kRounds : !memory.buffered(t - 2); }
    void store_flag(int t) { memory.store(t, t, 1); }
    void store_turn(int t) { memory.store(t, kTurn, 1 - t); }
    void enter(int t) {
        at[t] = inside;
        if (at[1 - t] > fencing && at[1 - t] != inside) ++passed[1 - t];  // after its doorway
        passed[t] = 0;
    }
    bool step(int t) {
        if (t >= 2) {
            if (!memory.buffered(t - 2)) return false;
            memory.drain_one(t - 2);
            return true;
        }
        switch (at[t]) {
            case first_store: turn_first ? store_turn(t) : store_flag(t); break;
            case second_store: turn_first ? store_flag(t) : store_turn(t); break;
            case fencing:
                if (fence) memory.drain(t);
                break;
            case look_at_flag:
                if (!memory.load(t, 1 - t)) return enter(t), true;
                break;
            case look_at_turn:
                if (memory.load(t, kTurn) == t) return enter(t), true;
                at[t] = look_at_flag;
                return true;
            default:
                memory.store(t, t, 0);
                at[t] = first_store;
                ++round[t];
                return true;
        }
        ++at[t];
        return true;
    }
    const char* wrong() const {
        if (at[0] == inside && at[1] == inside) return "two inside";
        if (fence && !turn_first && (passed[0] > 1 || passed[1] > 1)) return "passed twice";
        return nullptr;
    }
    std::string key() const {
        std::string key;
        for (int t = 0; t < 2; ++t) add_to(key, at[t], round[t], passed[t]);
        memory.add_to_key(key);
        return key;
    }
};

TEST(Model, peterson_needs_its_fence_and_its_order) {
    const Explored e = all_of("peterson", PetersonModel{true, false}, 4);
    EXPECT_TRUE(e.good()) << e.first_wrong;
    EXPECT_GT(explore(PetersonModel{false, false}, 4).broken, 0u);
    EXPECT_GT(explore(PetersonModel{true, true}, 4).broken, 0u);
}

// Locked instructions are atomic and see memory: here three threads, a step each.
struct TicketModel {
    int threads, rounds;
    bool tickets;  // else test-and-set
    enum At { outside, waits, inside };
    int next = 0, serving = 0, taken = 0;
    int at[4] = {}, round[4] = {}, mine[4] = {}, passed[4] = {};

    bool done(int t) const { return round[t] == rounds; }
    void enter(int t) {
        at[t] = inside;
        passed[t] = 0;
        for (int other = 0; other < threads; ++other) passed[other] += at[other] == waits;
    }
    bool step(int t) {
        switch (at[t]) {
            case outside:
                mine[t] = next;
                next += tickets;
                at[t] = waits;
                return true;
            case waits:
                if (tickets ? serving != mine[t] : taken != 0) return false;
                taken = 1;
                enter(t);
                return true;
            default:
                taken = 0;
                serving += tickets;
                at[t] = outside;
                ++round[t];
                return true;
        }
    }
    const char* wrong() const {
        int in = 0;
        for (int t = 0; t < threads; ++t) {
            in += at[t] == inside;
            if (passed[t] >= threads) return "overtaken without a bound";
        }
        return in > 1 ? "two inside" : nullptr;
    }
    std::string key() const {
        std::string key;
        for (int t = 0; t < threads; ++t)
            add_to(key, at[t], round[t], at[t] == outside ? 0 : mine[t], passed[t]);
        add_to(key, next, serving, taken);
        return key;
    }
};

TEST(Model, tickets_bound_the_wait_and_test_and_set_does_not) {
    for (int threads = 2; threads <= 4; ++threads) {
        const Explored e = all_of("ticket", TicketModel{threads, 3, true}, threads);
        EXPECT_TRUE(e.good()) << e.first_wrong;
    }
    const Explored e = explore(TicketModel{2, 3, false}, 2);
    EXPECT_EQ(e.first_wrong, "overtaken without a bound");
}

}  // namespace
