// Model checking of the futex protocol with a mutex on it: each access to the word, and each step of the
// kernel's (kernel/ipc/futex.hpp), is an atomic step of its own.
#include <gtest/gtest.h>

#include "tests/host/support/explore.hpp"

namespace {

constexpr int kMost = 4;

// The mutex: 0 free, 1 taken, 2 taken and waited for.
struct FutexModel {
    int threads, rounds;
    bool joins_first;  // the sleeper is on the bucket's list before it reads the word
    int word = 0;
    SmallQueue bucket;
    enum At { take, mark, join, read, sleep, inside, release, wake };
    int at[kMost] = {}, round[kMost] = {};
    bool woken[kMost] = {};

    bool done(int t) const { return round[t] == rounds; }
    void leave_bucket(int t) {
        SmallQueue rest;
        while (int who = bucket.pop())
            if (who != t + 1) rest.push(who);
        bucket = rest;
    }
    bool step(int t) {
        switch (at[t]) {
            case take:  // compare and exchange 0 -> 1
                if (word == 0) {
                    word = 1;
                    at[t] = inside;
                } else {
                    at[t] = mark;
                }
                return true;
            case mark: {  // exchange with 2
                const int was = word;
                word = 2;
                at[t] = was == 0 ? inside : joins_first ? join : read;
                return true;
            }
            case join:
                bucket.push(t + 1);
                woken[t] = false;
                at[t] = joins_first ? read : sleep;
                return true;
            case read:
                if (joins_first && woken[t]) {
                    at[t] = mark;
                } else if (word != 2) {
                    leave_bucket(t);
                    at[t] = mark;
                } else {
                    at[t] = joins_first ? sleep : join;
                }
                return true;
            case sleep:
                if (!woken[t]) return false;
                at[t] = mark;
                return true;
            case inside: at[t] = release; return true;
            case release: {  // exchange with 0
                const int was = word;
                word = 0;
                at[t] = was == 2 ? wake : take;
                round[t] += was != 2;
                return true;
            }
            default:
                if (int who = bucket.pop()) woken[who - 1] = true;
                at[t] = take;
                ++round[t];
                return true;
        }
    }
    const char* wrong() const {
        int in = 0;
        for (int t = 0; t < threads; ++t) in += at[t] == inside || at[t] == release;
        return in > 1 ? "two hold the mutex" : nullptr;
    }
    std::string key() const {
        std::string key;
        for (int t = 0; t < threads; ++t) add_to(key, at[t], round[t], woken[t] ? 1 : 0);
        bucket.add_to_key(key);
        add_to(key, word);
        return key;
    }
};

TEST(Model, futex_mutex_loses_no_wake_up) {
    for (int threads = 2; threads <= 4; ++threads) {
        const Explored e =
            all_of("futex mutex", FutexModel{threads, threads == 4 ? 1 : 3, true}, threads);
        EXPECT_TRUE(e.good()) << e.first_wrong << ", deadlocks " << e.deadlocks;
        EXPECT_GT(e.states, 50u);
    }
    // A sleeper that reads first and joins then misses a wake-up in between.
    EXPECT_GT(explore(FutexModel{2, 2, false}, 2).deadlocks, 0u);
}

}  // namespace
