// Who is told of an error of writing back, and how often.
#include "fs/error_sequence.hpp"

#include <gtest/gtest.h>

namespace {

Errno told(ErrorSequence& errors, ErrorSequence::Told& who) {
    const Result<void> result = errors.tell(who);
    return result.is_ok() ? Errno{} : result.error();
}

TEST(ErrorSequence, EachOpenerOnce) {
    ErrorSequence errors;
    ErrorSequence::Told a = errors.opened(), b = errors.opened();
    EXPECT_EQ(told(errors, a), Errno{});
    errors.note(Errno::io);
    EXPECT_EQ(told(errors, a), Errno::io);
    EXPECT_EQ(told(errors, a), Errno{});
    EXPECT_EQ(told(errors, b), Errno::io);
    EXPECT_EQ(told(errors, b), Errno{});
}

TEST(ErrorSequence, WhoComesLater) {
    ErrorSequence errors;
    errors.note(Errno::io);
    ErrorSequence::Told first = errors.opened(), second = errors.opened();
    EXPECT_EQ(told(errors, first), Errno::io);  // nobody had been told
    ErrorSequence::Told third = errors.opened();
    EXPECT_EQ(told(errors, third), Errno{});
    EXPECT_EQ(told(errors, second), Errno::io);
}

TEST(ErrorSequence, SeveralAreOne) {
    ErrorSequence errors;
    ErrorSequence::Told a = errors.opened(), b = errors.opened();
    errors.note(Errno::io);
    errors.note(Errno::io);
    EXPECT_EQ(told(errors, a), Errno::io);
    EXPECT_EQ(told(errors, a), Errno{});
    errors.note(Errno::nospc);
    EXPECT_EQ(told(errors, a), Errno::nospc);
    EXPECT_EQ(told(errors, b), Errno::nospc);
    EXPECT_EQ(told(errors, b), Errno{});
}

TEST(ErrorSequence, TheSameAgainIsNews) {
    ErrorSequence errors;
    ErrorSequence::Told a = errors.opened();
    for (int i = 0; i < 3; ++i) {
        errors.note(Errno::io);
        EXPECT_EQ(told(errors, a), Errno::io);
        EXPECT_EQ(told(errors, a), Errno{});
    }
}

}  // namespace
