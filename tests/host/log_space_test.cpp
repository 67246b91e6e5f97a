// The ring of a journal as it is filled, and the words of mount that are about journals.
// sources: kernel/lib/format.cpp
#include "fs/journal/log_space.hpp"

#include <gtest/gtest.h>

#include <set>

#include "fs/journal/options.hpp"

namespace {

using namespace journal;

constexpr Format kFormat{1024, false, Checksums::none, 0};

TEST(LogSpace, ABlockIsTakenTwiceOnlyAfterItWasReleased) {
    LogSpace space(kFormat, {1, 11});
    std::set<uint32_t> taken;
    EXPECT_EQ(space.capacity(), 9u);
    while (space.free()) EXPECT_TRUE(taken.insert(space.take()).second);
    EXPECT_EQ(taken.size(), 9u);
    EXPECT_EQ(*taken.begin(), 1u);
    space.release();
    EXPECT_EQ(space.used(), 0u);
    EXPECT_EQ(space.head(), 10u);
    EXPECT_EQ(space.take(), 10u);  // the ring's last block, then its first
    EXPECT_EQ(space.take(), 1u);
    EXPECT_EQ(space.used(), 2u);
}

TEST(LogSpace, ATransactionFitsOnlyWithItsOwnBlocks) {
    LogSpace space(kFormat, {1, 101});
    EXPECT_EQ(space.blocks_for(1, 0), 3u);  // descriptor, block, commit
    EXPECT_EQ(space.blocks_for(0, 1), 2u);  // revoke, commit
    EXPECT_EQ(space.blocks_for(0, kFormat.most_revokes() + 1), 3u);
    EXPECT_EQ(space.blocks_for(LogSpace::kMostCopies + 1, 0), LogSpace::kMostCopies + 4);
    EXPECT_TRUE(space.fits(80, 0));
    EXPECT_FALSE(space.fits(99, 0));
    for (int i = 0; i < 97; ++i) space.take();
    EXPECT_FALSE(space.fits(1, 0));
    EXPECT_TRUE(space.fits(0, 1));
}

TEST(JournalOptions, WordsOfTheManual) {
    Options options;
    for (const char* word : {"defaults", "errors=remount-ro", "rw"})
        EXPECT_TRUE(apply(word, options)) << word;
    EXPECT_FALSE(options.given);
    for (const char* word : {"data=writeback", "commit=30", "barrier=0"})
        EXPECT_TRUE(apply(word, options)) << word;
    EXPECT_TRUE(options.given);
    EXPECT_EQ(options.data, DataMode::writeback);
    EXPECT_EQ(options.commit_seconds, 30u);
    EXPECT_FALSE(options.barriers);
    EXPECT_TRUE(apply("barrier", options) && options.barriers);
    EXPECT_TRUE(apply("nobarrier", options) && !options.barriers);
    EXPECT_TRUE(apply("commit=0", options));
    EXPECT_EQ(options.commit_seconds, 5u);
    for (const char* word :
         {"data=", "data=all", "commit=", "commit=x", "commit=99999", "barrier=2"})
        EXPECT_FALSE(apply(word, options)) << word;
}

}  // namespace
