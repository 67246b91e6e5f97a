// RecordLocks: who has locked which bytes of one file: the ranges of fcntl's locks, read or write.
// Pure: host-tested.
// Invariant: ranges of one owner don't overlap, and touching ones of the same kind are one; a write
// lock overlaps no other owner's lock.
// Looking for an overlap is O(log n) beside those of other kinds that overlap too.
// Locks: none; file_locks.cpp's, which sleeps. Spec: fcntl(2), "Advisory record locking".
#pragma once

#include <algorithm>
#include <utility>

#include "kernel/lib/ordered_tree.hpp"
#include "kernel/lib/preemption.hpp"
#include "kernel/lib/result.hpp"

constexpr uint64_t kLockToEnd = INT64_MAX;  // the last byte of all

struct LockRange {
    const void* owner = nullptr;
    int pid = 0;  // as F_GETLK tells it
    bool write = false;
    uint64_t first = 0, last = kLockToEnd;
};

// One range, in a tree by its first byte; owners may share that.
struct HeldLock {
    TreeNode node;
    LockRange range;
    uint64_t furthest = 0;  // the largest `last` from here down

    auto key() const { return std::pair(range.first, reinterpret_cast<uintptr_t>(range.owner)); }
    static bool refresh(HeldLock& held, const HeldLock* lower, const HeldLock* higher) {
        uint64_t furthest = held.range.last;
        if (lower) furthest = std::max(furthest, lower->furthest);
        if (higher) furthest = std::max(furthest, higher->furthest);
        return std::exchange(held.furthest, furthest) != furthest;
    }
};

class RecordLocks {
  public:
    RecordLocks() = default;
    ~RecordLocks() {
        held_.take_all([](HeldLock& held) { delete &held; });
    }

    bool empty() const { return held_.empty(); }
    // A lock of another owner that is in the way; the lowest one. Null: none.
    const LockRange* conflict(const LockRange& wanted) const {
        const HeldLock* lowest = find(wanted.first, wanted.last, [&](const HeldLock& held) {
            return is_in_the_way(held.range, wanted);
        });
        return lowest ? &lowest->range : nullptr;
    }
    template <typename F>
    void for_each_conflict(const LockRange& wanted, F&& see) const {
        find(wanted.first, wanted.last, [&](const HeldLock& held) {
            if (is_in_the_way(held.range, wanted)) see(held.range);
            return false;
        });
    }
    // Unlocks the range, and locks it as `wanted` says if `lock`. Nothing is in the way. ENOMEM, and
    // then nothing has changed.
    Result<void> set(const LockRange& wanted, bool lock) {
        HeldLock* fresh = lock ? new (std::nothrow) HeldLock : nullptr;
        HeldLock* spare =
            new (std::nothrow) HeldLock;  // for the upper part of a range that is split
        if (!spare || (lock && !fresh)) {
            delete fresh;
            delete spare;
            return Errno::nomem;
        }
        cut_out(wanted, spare);
        delete spare;
        if (lock) add(wanted, fresh);
        return {};
    }
    // Everything of one owner; whether there was something.
    bool drop(const void* owner) {
        bool any = false;
        for (HeldLock *held = held_.first(), *next; held; held = next) {
            preemption_point();
            next = Tree::next(*held);
            if (held->range.owner != owner) continue;
            held_.remove(*held);
            delete held;
            any = true;
        }
        return any;
    }
    template <typename F>
    void for_each(F&& see) const {
        for (const HeldLock* h = held_.first(); h; h = Tree::next(*h)) see(h->range);
    }

  private:
    using Tree = OrderedTree<HeldLock, &HeldLock::node, &HeldLock::key, &HeldLock::refresh>;

    static bool is_in_the_way(const LockRange& held, const LockRange& wanted) {
        return held.owner != wanted.owner && (held.write || wanted.write);
    }
    // The lowest range that has a byte in common with these, and of which is_it() is true.
    template <typename F>
    HeldLock* find(uint64_t first, uint64_t last, F&& is_it) const {
        return find_below(held_.root(), first, last, is_it);
    }
    template <typename F>
    static HeldLock* find_below(HeldLock* at, uint64_t first, uint64_t last, F& is_it) {
        if (!at || at->furthest < first) return nullptr;
        if (HeldLock* found = find_below(Tree::smaller_child(*at), first, last, is_it))
            return found;
        if (at->range.first > last) return nullptr;
        if (at->range.last >= first && is_it(*at)) return at;
        return find_below(Tree::larger_child(*at), first, last, is_it);
    }
    // `spare` becomes null if it was needed.
    void cut_out(const LockRange& hole, HeldLock*& spare) {
        const auto own = [&](const HeldLock& held) { return held.range.owner == hole.owner; };
        while (HeldLock* held = find(hole.first, hole.last, own)) {
            LockRange& r = held->range;
            const bool below = r.first < hole.first;
            const bool above = r.last > hole.last;
            held_.remove(*held);
            if (below && above) {
                spare->range = r;
                spare->range.first = hole.last + 1;
                held_.insert(*std::exchange(spare, nullptr));
            }
            if (below)
                r.last = hole.first - 1;
            else if (above)
                r.first = hole.last + 1;
            if (below || above)
                held_.insert(*held);
            else
                delete held;
        }
    }
    void add(LockRange range, HeldLock* fresh) {
        const auto same_kind = [&](const HeldLock& held) {
            return held.range.owner == range.owner && held.range.write == range.write;
        };
        while (HeldLock* held =
                   find(range.first ? range.first - 1 : 0,
                        range.last == kLockToEnd ? kLockToEnd : range.last + 1, same_kind)) {
            range.first = std::min(range.first, held->range.first);
            range.last = std::max(range.last, held->range.last);
            held_.remove(*held);
            delete held;
        }
        fresh->range = range;
        held_.insert(*fresh);
    }

    Tree held_;
};
