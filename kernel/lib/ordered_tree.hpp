// OrderedTree: an intrusive AVL tree. Elements embed a TreeNode and are ordered by Key(element);
// insertion and removal never allocate, and everything is O(log n).
// A tree may keep a figure about each subtree in its root element: Refresh(element, left, right)
// recomputes it from the children's, and says whether it changed.
// Invariant: the heights of a node's subtrees differ by at most one.
// Locks: none; the owner guards it.
// Spec: Knuth, The Art of Computer Programming, vol. 3, 6.2.3 (balanced trees).
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "kernel/lib/verify.hpp"

struct TreeNode {
    TreeNode* parent = nullptr;
    TreeNode* child[2] = {};  // smaller, larger
    int32_t height = 0;       // 0: not in a tree

    bool linked() const { return height > 0; }
};

template <typename T, TreeNode T::*Member, auto Key, auto Refresh = nullptr>
class OrderedTree {
  public:
    using KeyType = std::remove_cvref_t<std::invoke_result_t<decltype(Key), const T&>>;

    constexpr OrderedTree() = default;
    OrderedTree(const OrderedTree&) = delete;
    OrderedTree& operator=(const OrderedTree&) = delete;

    bool empty() const { return !root_; }
    uint32_t size() const { return size_; }
    T* root() const { return element(root_); }
    T* first() const { return outermost(0); }
    T* last() const { return outermost(1); }
    static T* next(const T& item) { return neighbour(item, 1); }
    static T* previous(const T& item) { return neighbour(item, 0); }
    static T* smaller_child(const T& item) { return element((item.*Member).child[0]); }
    static T* larger_child(const T& item) { return element((item.*Member).child[1]); }

    // The last element with a key <= `key`, or null.
    T* find_not_above(const KeyType& key) const {
        T* found = nullptr;
        for (TreeNode* at = root_; at;) {
            const bool low = key_of(at) <= key;
            if (low) found = element(at);
            at = at->child[low];
        }
        return found;
    }
    // The first element with a key >= `key`, or null.
    T* find_not_below(const KeyType& key) const {
        T* found = nullptr;
        for (TreeNode* at = root_; at;) {
            const bool low = key_of(at) < key;
            if (!low) found = element(at);
            at = at->child[low];
        }
        return found;
    }

    // No element of the same key may be in the tree.
    void insert(T& item) {
        TreeNode* node = &(item.*Member);
        VERIFY(!node->linked());
        TreeNode* parent = nullptr;
        TreeNode** link = &root_;
        const KeyType key = std::invoke(Key, item);
        while (*link) {
            parent = *link;
            link = &parent->child[key_of(parent) < key];
        }
        node->parent = parent;
        node->child[0] = node->child[1] = nullptr;
        *link = node;
        ++size_;
        rebalance(node, node);
    }

    void remove(T& item) {
        TreeNode* node = &(item.*Member);
        VERIFY(node->linked());
        TreeNode* from;     // the lowest node whose subtree changed
        TreeNode* changed;  // the highest whose own place did
        if (node->child[0] && node->child[1]) {
            TreeNode* successor = node->child[1];
            while (successor->child[0]) successor = successor->child[0];
            from = successor->parent == node ? successor : successor->parent;
            replace(successor, successor->child[1]);
            for (int side : {0, 1}) {
                successor->child[side] = node->child[side];
                if (successor->child[side]) successor->child[side]->parent = successor;
            }
            replace(node, successor);
            changed = successor;
        } else {
            changed = from = node->parent;
            replace(node, node->child[node->child[0] == nullptr]);
        }
        *node = {};
        --size_;
        rebalance(from, changed);
    }

    // Takes all elements out, in no order; visit(element) may free it.
    template <typename F>
    void take_all(F&& visit) {
        TreeNode* at = std::exchange(root_, nullptr);
        size_ = 0;
        while (at) {
            if (TreeNode* below = at->child[at->child[0] == nullptr]) {
                at = below;
                continue;
            }
            TreeNode* parent = at->parent;
            if (parent) parent->child[parent->child[1] == at] = nullptr;
            *at = {};
            visit(*element(at));
            at = parent;
        }
    }

    // After a change of what Refresh reads from `item` itself. Its key must keep its place.
    void refresh(T& item) {
        for (TreeNode* at = &(item.*Member); at && update(at);) at = at->parent;
    }

  private:
    static T* element(TreeNode* node) {
        if (!node) return nullptr;
        const T* zero = nullptr;
        const auto offset =
            reinterpret_cast<const char*>(&(zero->*Member)) - reinterpret_cast<const char*>(zero);
        return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
    }
    static KeyType key_of(TreeNode* node) { return std::invoke(Key, *element(node)); }
    static int32_t height(const TreeNode* node) { return node ? node->height : 0; }

    T* outermost(int side) const {
        TreeNode* at = root_;
        while (at && at->child[side]) at = at->child[side];
        return element(at);
    }

    static T* neighbour(const T& item, int side) {
        const TreeNode* at = &(item.*Member);
        if (TreeNode* down = at->child[side]) {
            while (down->child[!side]) down = down->child[!side];
            return element(down);
        }
        while (at->parent && at->parent->child[side] == at) at = at->parent;
        return element(at->parent);
    }

    // From its children; whether anything is different now.
    static bool update(TreeNode* node) {
        const int32_t low = height(node->child[0]), high = height(node->child[1]);
        const int32_t tallest = 1 + (low < high ? high : low);
        bool changed = std::exchange(node->height, tallest) != tallest;
        if constexpr (!std::is_null_pointer_v<decltype(Refresh)>)
            changed |= Refresh(*element(node), element(node->child[0]), element(node->child[1]));
        return changed;
    }

    // `by` (or nothing) takes the place of `node` below its parent.
    void replace(TreeNode* node, TreeNode* by) {
        if (by) by->parent = node->parent;
        if (!node->parent)
            root_ = by;
        else
            node->parent->child[node->parent->child[1] == node] = by;
    }

    // The child on `side` rises above `node`; returns it.
    TreeNode* rotate(TreeNode* node, int side) {
        TreeNode* riser = node->child[side];
        replace(node, riser);
        node->child[side] = riser->child[!side];
        if (node->child[side]) node->child[side]->parent = node;
        riser->child[!side] = node;
        node->parent = riser;
        update(node);
        update(riser);
        return riser;
    }

    // Upwards from `node`, at least past `least` (if any), then until nothing changes any more.
    void rebalance(TreeNode* node, const TreeNode* least) {
        for (; node; node = node->parent) {
            bool changed = update(node);
            if (node == least) {
                least = nullptr;
                changed = true;
            }
            const int32_t lean = height(node->child[1]) - height(node->child[0]);
            if (lean < -1 || lean > 1) {
                const int heavy = lean > 0;
                TreeNode* child = node->child[heavy];
                if (height(child->child[!heavy]) > height(child->child[heavy]))
                    rotate(child, !heavy);
                node = rotate(node, heavy);
            } else if (!changed && !least) {
                return;
            }
        }
    }

    TreeNode* root_ = nullptr;
    uint32_t size_ = 0;
};
