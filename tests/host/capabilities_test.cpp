// The rules of capabilities(7), one by one.
#include "fs/capabilities.hpp"

#include <gtest/gtest.h>

namespace {

constexpr uint64_t kAll = Capabilities::kAll, kKill = capability_bit(Capability::kill),
                   kChown = capability_bit(Capability::chown),
                   kPcap = capability_bit(Capability::setpcap);

TEST(Capabilities, LeavingUserZeroTakesAll) {
    Capabilities c;
    c.inheritable = c.ambient = kKill;
    c.users_changed(true, false, true, false);
    EXPECT_EQ(c.permitted, 0u);
    EXPECT_EQ(c.effective, 0u);
    EXPECT_EQ(c.ambient, 0u);
    EXPECT_EQ(c.inheritable, kKill);
}

TEST(Capabilities, KeepKeepsThePermittedOnes) {
    Capabilities c;
    c.keep = true;
    c.users_changed(true, false, true, false);
    EXPECT_EQ(c.permitted, kAll);
    EXPECT_EQ(c.effective, 0u);
    EXPECT_TRUE(c.set(kKill, kKill, 0).is_ok());
    EXPECT_TRUE(c.has(Capability::kill));
}

TEST(Capabilities, TheEffectiveUserBringsAndTakesTheEffectiveOnes) {
    Capabilities c;
    c.users_changed(true, true, true, false);  // seteuid(1)
    EXPECT_EQ(c.effective, 0u);
    EXPECT_EQ(c.permitted, kAll);
    c.users_changed(true, true, false, true);  // and back
    EXPECT_EQ(c.effective, kAll);
}

TEST(Capabilities, TheFileUserBringsAndTakesThoseOfFiles) {
    Capabilities c;
    c.file_user_changed(true, false);
    EXPECT_FALSE(c.has(Capability::chown));
    EXPECT_TRUE(c.has(Capability::kill));
    c.file_user_changed(false, true);
    EXPECT_EQ(c.effective, kAll);
}

TEST(Capabilities, SetOnlyLosesOrInherits) {
    Capabilities c;
    EXPECT_TRUE(c.set(kKill, kKill | kChown, kKill).is_ok());
    EXPECT_EQ(c.set(kKill, kAll, kKill).error(), Errno::perm);            // permitted grows
    EXPECT_EQ(c.set(kPcap, kKill | kChown, kKill).error(), Errno::perm);  // not permitted
    EXPECT_EQ(c.set(0, kKill, kPcap).error(), Errno::perm);               // nor to be inherited
    EXPECT_TRUE(c.set(kKill, kKill | kChown, kChown).is_ok());
    EXPECT_EQ(c.effective, kKill);
}

TEST(Capabilities, TheBoundBindsWhatIsInherited) {
    Capabilities c;
    c.bounding &= ~kKill;
    EXPECT_EQ(c.set(kAll, kAll, kKill).error(), Errno::perm);
    c.program_begins(true, true, false);
    EXPECT_EQ(c.permitted, kAll & ~kKill);
    EXPECT_EQ(c.effective, kAll & ~kKill);
}

TEST(Capabilities, AProgramBegins) {
    Capabilities user;
    user.users_changed(true, false, true, false);
    user.program_begins(false, false, false);
    EXPECT_EQ(user.permitted, 0u);
    Capabilities set_user_id = user;  // a program of user 0's with that bit
    set_user_id.program_begins(false, true, true);
    EXPECT_EQ(set_user_id.effective, kAll);
    Capabilities real;  // real user 0, effective another
    real.program_begins(true, false, true);
    EXPECT_EQ(real.permitted, kAll);
    EXPECT_EQ(real.effective, 0u);
}

TEST(Capabilities, AmbientOnesReachEachProgram) {
    Capabilities c;
    c.keep = true;
    c.users_changed(true, false, true, false);
    ASSERT_TRUE(c.set(kKill, kKill, kKill).is_ok());
    c.ambient = kKill;
    Capabilities set_id = c;
    c.program_begins(false, false, false);
    EXPECT_EQ(c.effective, kKill);
    EXPECT_FALSE(c.keep);
    set_id.program_begins(false, false, true);
    EXPECT_EQ(set_id.effective, 0u);
    ASSERT_TRUE(c.set(kKill, kKill, 0).is_ok());
    EXPECT_EQ(c.ambient, 0u);  // only what may be inherited
}

}  // namespace
