// List, Vector, Result, Ref and Box: the types everything else is made of.
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "kernel/lib/list.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/lib/vector.hpp"

namespace {

struct Item {
    explicit Item(int v) : value(v) {}
    int value;
    ListNode node;
};
using Items = List<Item, &Item::node>;

std::vector<int> values(Items& list) {
    std::vector<int> out;
    for (Item& item : list) out.push_back(item.value);
    return out;
}

TEST(List, KeepsOrderAndUnlinksFromTheMiddle) {
    Items list;
    Item a(1), b(2), c(3);
    list.push_back(b);
    list.push_back(c);
    list.push_front(a);
    EXPECT_EQ(values(list), (std::vector{1, 2, 3}));
    EXPECT_EQ(list.next(a), &b);
    EXPECT_EQ(list.previous(a), nullptr);
    Items::remove(b);
    EXPECT_FALSE(Items::contains(b));
    EXPECT_EQ(values(list), (std::vector{1, 3}));
    EXPECT_EQ(list.pop_front(), &a);
    EXPECT_EQ(list.pop_front(), &c);
    EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(List, AnElementMayLeaveWhileIterating) {
    Items list;
    Item a(1), b(2), c(3);
    for (Item* item : {&a, &b, &c}) list.push_back(*item);
    for (Item& item : list)
        if (item.value != 2) Items::remove(item);
    EXPECT_EQ(values(list), std::vector{2});
}

TEST(List, SpliceMovesAll) {
    Items one, two;
    Item a(1), b(2);
    one.push_back(a);
    two.push_back(b);
    one.splice_back(two);
    EXPECT_EQ(values(one), (std::vector{1, 2}));
    EXPECT_TRUE(two.empty());
}

Result<int> half(int n) {
    if (n % 2) return Errno::inval;
    return n / 2;
}
Result<int> quarter(int n) {
    int h = TRY(half(n));
    return TRY(half(h));
}

TEST(Result, TryPassesErrorsUp) {
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_EQ(quarter(6).error(), Errno::inval);
    EXPECT_TRUE(quarter(5).is_error());
}

struct Counted : RefCounted {
    explicit Counted(int& alive) : alive_(alive) { ++alive_; }
    ~Counted() override { --alive_; }
    int& alive_;
};

TEST(Ref, LastReferenceDestroys) {
    int alive = 0;
    {
        Ref<Counted> a = make_ref<Counted>(alive).release_value();
        Ref<Counted> b = a;
        EXPECT_EQ(a->ref_count(), 2u);
        a = nullptr;
        EXPECT_EQ(alive, 1);
        Ref<Counted> c = std::move(b);
        EXPECT_FALSE(b);
        EXPECT_TRUE(c);
    }
    EXPECT_EQ(alive, 0);
}

TEST(Ref, SelfAssignmentIsHarmless) {
    int alive = 0;
    Ref<Counted> a = make_ref<Counted>(alive).release_value();
    a = *&a;
    EXPECT_EQ(alive, 1);
    a = nullptr;
    EXPECT_EQ(alive, 0);
}

TEST(Vector, GrowsAndMoves) {
    Vector<Box<int>> boxes;
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(boxes.push_back(make_box<int>(i).release_value()).is_ok());
    Vector<Box<int>> moved = std::move(boxes);
    EXPECT_EQ(boxes.size(), 0u);
    EXPECT_EQ(*moved[99], 99);
    ASSERT_TRUE(moved.resize(3).is_ok());
    EXPECT_EQ(moved.size(), 3u);
    EXPECT_EQ(moved.reserve(UINT32_MAX).error(), Errno::nomem);
}

}  // namespace

void verify_failed(const char* condition, const char* file, int line) {
    ADD_FAILURE_AT(file, line) << condition;
    abort();
}
