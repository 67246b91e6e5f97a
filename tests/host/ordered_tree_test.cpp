// The AVL tree: order, balance and the figures kept about subtrees, under random use.
#include "kernel/lib/ordered_tree.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace {

struct Item {
    uint32_t key = 0;
    uint32_t subtree = 0;  // elements in it
    TreeNode node;
};
bool count(Item& item, Item* low, Item* high) {
    const uint32_t before = item.subtree;
    item.subtree = 1 + (low ? low->subtree : 0) + (high ? high->subtree : 0);
    return item.subtree != before;
}
using Tree = OrderedTree<Item, &Item::node, &Item::key, count>;

void check(const Item* item) {
    if (!item) return;
    const Item* low = Tree::smaller_child(*item);
    const Item* high = Tree::larger_child(*item);
    const int32_t low_height = low ? low->node.height : 0;
    const int32_t high_height = high ? high->node.height : 0;
    ASSERT_LE(std::abs(low_height - high_height), 1);
    ASSERT_EQ(item->subtree, 1 + (low ? low->subtree : 0) + (high ? high->subtree : 0));
    check(low);
    check(high);
}

TEST(OrderedTree, EmptyFindsNothing) {
    Tree tree;
    EXPECT_EQ(tree.first(), nullptr);
    EXPECT_EQ(tree.find_not_above(5), nullptr);
    EXPECT_EQ(tree.find_not_below(5), nullptr);
}

TEST(OrderedTree, AgreesWithAReference) {
    Tree tree;
    std::set<uint32_t> reference;
    std::vector<std::unique_ptr<Item>> items(500);
    std::mt19937 random(3);
    for (int step = 0; step < 20000; ++step) {
        const uint32_t key = random() % items.size();
        if (items[key]) {
            tree.remove(*items[key]);
            items[key].reset();
            reference.erase(key);
        } else {
            items[key] = std::make_unique<Item>();
            items[key]->key = key;
            tree.insert(*items[key]);
            reference.insert(key);
        }
        ASSERT_EQ(tree.size(), reference.size());
        const uint32_t probe = random() % items.size();
        auto at = reference.lower_bound(probe);
        const Item* found = tree.find_not_below(probe);
        ASSERT_EQ(found != nullptr, at != reference.end());
        if (found) {
            ASSERT_EQ(found->key, *at);
        }
        at = reference.upper_bound(probe);
        found = tree.find_not_above(probe);
        ASSERT_EQ(found != nullptr, at != reference.begin());
        if (found) {
            ASSERT_EQ(found->key, *std::prev(at));
        }
        if (step % 100 == 0) check(tree.root());
    }
    auto expected = reference.begin();
    for (Item* item = tree.first(); item; item = Tree::next(*item))
        ASSERT_EQ(item->key, *expected++);
    EXPECT_EQ(expected, reference.end());
    while (Item* item = tree.last()) tree.remove(*item);
}

TEST(OrderedTree, TakesAllOut) {
    Tree tree;
    std::set<Item*> left;
    for (uint32_t key = 0; key < 1000; ++key) {
        auto* item = new Item;
        item->key = key * 7919 % 1000;
        tree.insert(*item);
        left.insert(item);
    }
    tree.take_all([&](Item& item) {
        EXPECT_FALSE(item.node.linked());
        EXPECT_EQ(left.erase(&item), 1u);
        delete &item;
    });
    EXPECT_TRUE(tree.empty() && left.empty() && tree.size() == 0);
}

TEST(OrderedTree, StaysLowWhenFilledInOrder) {
    Tree tree;
    std::vector<Item> items(10000);
    for (uint32_t i = 0; i < items.size(); ++i) {
        items[i].key = i;
        tree.insert(items[i]);
    }
    EXPECT_LE(tree.root()->node.height, 1.45 * std::log2(items.size() + 2));
    check(tree.root());
    while (Item* item = tree.root()) tree.remove(*item);
}

}  // namespace
