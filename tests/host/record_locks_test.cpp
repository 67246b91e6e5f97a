// Ranges of record locks against a byte array: a million random locks and unlocks.
#include "kernel/linux/record_locks.hpp"

#include <gtest/gtest.h>

#include <random>

namespace {

constexpr int kBytes = 24, kOwners = 3;

TEST(RecordLocks, agree_with_a_byte_array) {
    std::mt19937 random(2);
    RecordLocks locks;
    char state[kOwners][kBytes] = {};  // 0, r, w
    int owners[kOwners];
    for (int step = 0; step < 200'000; ++step) {
        const int who = random() % kOwners;
        LockRange range{.owner = &owners[who], .write = random() % 2 == 0};
        range.first = random() % kBytes;
        range.last = range.first + random() % (kBytes - range.first);
        if (random() % 50 == 0) {
            locks.drop(range.owner);
            for (char& byte : state[who]) byte = 0;
        }
        int in_the_way = -1;
        for (int byte = kBytes; byte-- > 0;)
            for (int other = 0; other < kOwners; ++other)
                if (other != who && byte >= int(range.first) && byte <= int(range.last) &&
                    state[other][byte] && (range.write || state[other][byte] == 'w'))
                    in_the_way = byte;
        const LockRange* blocker = locks.conflict(range);
        ASSERT_EQ(blocker != nullptr, in_the_way >= 0) << step;
        const bool unlock = random() % 3 == 0;
        if (blocker && !unlock) continue;
        ASSERT_TRUE(locks.set(range, !unlock).is_ok());
        for (uint64_t byte = range.first; byte <= range.last; ++byte)
            state[who][byte] = unlock ? 0 : range.write ? 'w' : 'r';
        locks.for_each([&](const LockRange& r) {
            for (uint64_t byte = r.first; byte <= r.last; ++byte)
                ASSERT_EQ(state[static_cast<const int*>(r.owner) - owners][byte],
                          r.write ? 'w' : 'r');
        });
    }
}

TEST(RecordLocks, neighbours_merge_and_reach_the_end) {
    RecordLocks locks;
    int owner;
    ASSERT_TRUE(locks.set({.owner = &owner, .write = true, .first = 0, .last = 9}, true).is_ok());
    ASSERT_TRUE(locks.set({.owner = &owner, .write = true, .first = 10}, true).is_ok());
    int count = 0;
    locks.for_each([&](const LockRange& r) {
        ++count;
        EXPECT_EQ(r.first, 0u);
        EXPECT_EQ(r.last, kLockToEnd);
    });
    EXPECT_EQ(count, 1);
    EXPECT_TRUE(locks.drop(&owner));
    EXPECT_TRUE(locks.empty());
}

}  // namespace
