// The pure parts of the system calls: who may become whom, futex word operations, times.
#include <gtest/gtest.h>

#include "kernel/syscall/futex_operation.hpp"
#include "kernel/syscall/identity_rules.hpp"
#include "kernel/syscall/time_types.hpp"

[[noreturn]] void verify_failed(const char*, const char*, int) { std::abort(); }
Result<void> copy_from_user(void*, VirtAddr, uint32_t) { return Errno::fault; }

namespace {

struct Four {
    uint32_t real, effective, saved, files;
    Ids ids(bool privileged = false) { return {real, effective, saved, files, privileged}; }
    bool operator==(const Four&) const = default;
};

bool refused(const Result<void>& result) {
    return result.is_error() && result.error() == Errno::perm;
}

TEST(IdentityRules, SetIdOfTheSuperuserIsForGood) {
    Four root{0, 0, 0, 0};
    EXPECT_TRUE(set_id(root.ids(true), 1000).is_ok());
    EXPECT_EQ(root, (Four{1000, 1000, 1000, 1000}));
    EXPECT_TRUE(refused(set_id(root.ids(), 0)));
}

TEST(IdentityRules, SetUserIdProgramMayGoBackAndForth) {
    Four program{1000, 0, 0, 0};
    EXPECT_TRUE(set_id(program.ids(), 1000).is_ok());
    EXPECT_EQ(program, (Four{1000, 1000, 0, 1000}));
    EXPECT_TRUE(set_id(program.ids(), 0).is_ok());
    EXPECT_EQ(program, (Four{1000, 0, 0, 0}));
    EXPECT_EQ(set_id(program.ids(), kKeep).error(), Errno::inval);
}

TEST(IdentityRules, RealAndEffectiveSwap) {
    Four program{1000, 1001, 1001, 1001};
    EXPECT_TRUE(set_real_effective(program.ids(), 1001, 1000).is_ok());
    EXPECT_EQ(program, (Four{1001, 1000, 1000, 1000}));
    EXPECT_TRUE(refused(set_real_effective(program.ids(), 7, kKeep)));
    EXPECT_TRUE(refused(set_real_effective(program.ids(), kKeep, 7)));
    EXPECT_TRUE(set_real_effective(program.ids(), kKeep, kKeep).is_ok());
    EXPECT_EQ(program, (Four{1001, 1000, 1000, 1000}));
}

TEST(IdentityRules, TheSavedIdIsNoRealIdForSetreuid) {
    Four program{1, 2, 3, 2};
    EXPECT_TRUE(refused(set_real_effective(program.ids(), 3, kKeep)));
    EXPECT_TRUE(set_real_effective(program.ids(), kKeep, 3).is_ok());
    EXPECT_EQ(program, (Four{1, 3, 3, 3}));
}

TEST(IdentityRules, AllThreeOrNone) {
    Four program{1, 2, 3, 2};
    EXPECT_TRUE(refused(set_all_three(program.ids(), 1, 2, 4)));
    EXPECT_EQ(program, (Four{1, 2, 3, 2}));
    EXPECT_TRUE(set_all_three(program.ids(), 3, 1, 2).is_ok());
    EXPECT_EQ(program, (Four{3, 1, 2, 1}));
    EXPECT_TRUE(set_all_three(program.ids(true), kKeep, 9, kKeep).is_ok());
    EXPECT_EQ(program, (Four{3, 9, 2, 9}));
}

TEST(IdentityRules, FilesIdTellsTheOldOne) {
    Four program{1, 2, 3, 2};
    EXPECT_EQ(set_files_id(program.ids(), 3), 2u);
    EXPECT_EQ(set_files_id(program.ids(), 8), 3u);
    EXPECT_EQ(set_files_id(program.ids(), kKeep), 3u);
}

constexpr uint32_t operation(uint32_t op, uint32_t operand, uint32_t compare, uint32_t with) {
    return op << 28 | compare << 24 | (operand & 0xfff) << 12 | (with & 0xfff);
}

TEST(FutexOperation, ChangesTheWord) {
    EXPECT_EQ(FutexWordOperation{operation(0, 5, 0, 0)}.apply(9).value(), 5u);
    EXPECT_EQ(FutexWordOperation{operation(1, 0xfff, 0, 0)}.apply(9).value(), 8u);  // -1
    EXPECT_EQ(FutexWordOperation{operation(2, 6, 0, 0)}.apply(9).value(), 15u);
    EXPECT_EQ(FutexWordOperation{operation(3, 1, 0, 0)}.apply(9).value(), 8u);
    EXPECT_EQ(FutexWordOperation{operation(4, 1, 0, 0)}.apply(9).value(), 8u);
    EXPECT_EQ(FutexWordOperation{operation(8 | 2, 4, 0, 0)}.apply(1).value(), 17u);  // 1 << 4
    EXPECT_EQ(FutexWordOperation{operation(5, 0, 0, 0)}.apply(1).error(), Errno::nosys);
}

TEST(FutexOperation, ComparesSigned) {
    EXPECT_TRUE(FutexWordOperation{operation(0, 0, 2, 0)}.holds_for(UINT32_MAX).value());  // -1 < 0
    EXPECT_TRUE(FutexWordOperation{operation(0, 0, 0, 0xfff)}.holds_for(UINT32_MAX).value());
    EXPECT_FALSE(FutexWordOperation{operation(0, 0, 4, 3)}.holds_for(3).value());
    EXPECT_TRUE(FutexWordOperation{operation(0, 0, 5, 3)}.holds_for(3).value());
    EXPECT_EQ(FutexWordOperation{operation(0, 0, 6, 0)}.holds_for(3).error(), Errno::nosys);
}

TEST(TimeTypes, RangesAreChecked) {
    EXPECT_EQ(nanoseconds_of(TimeSpec32{1, 5}).value(), Nanoseconds(1'000'000'005));
    EXPECT_EQ(nanoseconds_of(TimeSpec32{-1, 0}).error(), Errno::inval);
    EXPECT_EQ(nanoseconds_of(TimeSpec32{0, 1'000'000'000}).error(), Errno::inval);
    EXPECT_EQ(nanoseconds_of(TimeSpec32{0, -1}).error(), Errno::inval);
    EXPECT_EQ(nanoseconds_of(TimeVal32{2, 999'999}).value(), Nanoseconds(2'999'999'000));
    EXPECT_EQ(nanoseconds_of(TimeVal32{0, 1'000'000}).error(), Errno::inval);
    EXPECT_EQ(nanoseconds_of(TimeSpec64{INT64_MAX, 999'999'999, 0}).value(), kForever);
}

TEST(TimeTypes, TimesForPrograms) {
    auto spec = to_time<TimeSpec64>(Nanoseconds(7'000'000'123));
    EXPECT_EQ(spec.seconds, 7);
    EXPECT_EQ(spec.nanoseconds, 123);
    EXPECT_EQ(to_time<TimeVal32>(Nanoseconds(7'000'123'999)).microseconds, 123);
}

TEST(TimeTypes, DeadlinesNeverMeanNone) {
    EXPECT_EQ(deadline_after(Nanoseconds(0), Nanoseconds(0)), Nanoseconds(1));
    EXPECT_EQ(deadline_after(Nanoseconds(3), Nanoseconds(4)), Nanoseconds(7));
    EXPECT_EQ(deadline_after(Nanoseconds(3), kForever), kForever);
}

}  // namespace
