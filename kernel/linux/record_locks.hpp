// RecordLocks: who has locked which bytes of one file: the ranges of fcntl's locks, read or write.
// Pure: host-tested.
// Invariant: ranges of one owner don't overlap, and touching ones of the same kind are one; a write
// lock overlaps no other owner's lock.
// Locks: none; file_locks.cpp's. Spec: fcntl(2), "Advisory record locking".
#pragma once

#include <algorithm>

#include "kernel/lib/list.hpp"
#include "kernel/lib/result.hpp"

constexpr uint64_t kLockToEnd = INT64_MAX;  // the last byte of all

struct LockRange {
    const void* owner = nullptr;
    int pid = 0;  // as F_GETLK tells it
    bool write = false;
    uint64_t first = 0, last = kLockToEnd;
};

class RecordLocks {
  public:
    RecordLocks() = default;
    ~RecordLocks() {
        while (Held* held = held_.pop_front()) delete held;
    }

    bool empty() const { return held_.empty(); }
    // A lock of another owner that is in the way; the lowest one. Null: none.
    const LockRange* conflict(const LockRange& wanted) const {
        const LockRange* lowest = nullptr;
        for_each_conflict(wanted, [&](const LockRange& range) {
            if (!lowest || range.first < lowest->first) lowest = &range;
        });
        return lowest;
    }
    template <typename F>
    void for_each_conflict(const LockRange& wanted, F&& see) const {
        for (const Held* h = held_.front(); h; h = held_.next(*h))
            if (h->range.owner != wanted.owner && overlap(h->range, wanted) &&
                (h->range.write || wanted.write))
                see(h->range);
    }
    // Unlocks the range, and locks it as `wanted` says if `lock`. Nothing is in the way. ENOMEM, and
    // then nothing has changed.
    Result<void> set(const LockRange& wanted, bool lock) {
        Held* fresh = lock ? new (std::nothrow) Held : nullptr;
        Held* spare = new (std::nothrow) Held;  // for the upper part of a range that is split
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
        for (Held& held : held_) {
            if (held.range.owner != owner) continue;
            List<Held, &Held::node>::remove(held);
            delete &held;
            any = true;
        }
        return any;
    }
    template <typename F>
    void for_each(F&& see) const {
        for (const Held* h = held_.front(); h; h = held_.next(*h)) see(h->range);
    }

  private:
    struct Held {
        ListNode node;
        LockRange range;
    };
    static bool overlap(const LockRange& a, const LockRange& b) {
        return a.first <= b.last && b.first <= a.last;
    }
    // `spare` becomes null if it was needed.
    void cut_out(const LockRange& hole, Held*& spare) {
        for (Held& held : held_) {
            LockRange& r = held.range;
            if (r.owner != hole.owner || !overlap(r, hole)) continue;
            const bool below = r.first<hole.first, above = r.last> hole.last;
            if (below && above) {
                spare->range = r;
                spare->range.first = hole.last + 1;
                r.last = hole.first - 1;
                held_.push_back(*std::exchange(spare, nullptr));
                return;
            }
            if (below) r.last = hole.first - 1;
            if (above) r.first = hole.last + 1;
            if (below || above) continue;
            List<Held, &Held::node>::remove(held);
            delete &held;
        }
    }
    void add(LockRange range, Held* fresh) {
        for (Held& held : held_) {
            const LockRange& r = held.range;
            const bool touches =
                r.first <= (range.last == kLockToEnd ? kLockToEnd : range.last + 1) &&
                range.first <= (r.last == kLockToEnd ? kLockToEnd : r.last + 1);
            if (r.owner != range.owner || r.write != range.write || !touches) continue;
            range.first = std::min(range.first, r.first);
            range.last = std::max(range.last, r.last);
            List<Held, &Held::node>::remove(held);
            delete &held;
        }
        fresh->range = range;
        held_.push_back(*fresh);
    }

    List<Held, &Held::node> held_;
};
