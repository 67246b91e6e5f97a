// Buddy: runs of 2^k units, aligned to their size. A free run that finds its buddy (the other half
// of the run of twice the size) free joins it; a run too large for a request is split.
// Pure: units are elements of the caller's array, and hold the free lists' links.
// Invariant: no two free buddies of one size; every free run is on the list of its order.
// Locks: none; the owner guards it.
// Spec: Knuth, The Art of Computer Programming, vol. 1, 2.5 (buddy system).
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include "kernel/lib/list.hpp"

// What the allocator needs of a unit.
template <typename T>
concept BuddyUnit = requires(T& unit) {
    { unit.order } -> std::convertible_to<uint32_t>;
    { unit.free } -> std::convertible_to<bool>;  // a free run starts here
    requires std::same_as<decltype(T::node), ListNode>;
};

template <BuddyUnit Unit, uint32_t kOrders>
class Buddy {
  public:
    constexpr Buddy() = default;

    // Units [first, end) of `units`, none of them free yet. Both are multiples of the largest run,
    // or `end` is where the array ends.
    void init(Unit* units, uint32_t first, uint32_t end) {
        units_ = units;
        first_ = first;
        end_ = end;
    }

    // The range becomes free, as the fewest runs that cover it.
    void add(uint32_t first, uint32_t end) {
        VERIFY(first >= first_ && end <= end_);
        while (first < end) {
            uint32_t order = 0;
            while (order + 1 < kOrders && !(first & ((2u << order) - 1)) &&
                   first + (2u << order) <= end)
                ++order;
            free(first, order);
            first += 1u << order;
        }
    }

    // The index of the first unit of a run of 2^order.
    std::optional<uint32_t> allocate(uint32_t order) {
        uint32_t found = order;
        while (found < kOrders && lists_[found].empty()) ++found;
        if (found >= kOrders) return std::nullopt;
        Unit& unit = *lists_[found].pop_front();
        unit.free = false;
        --runs_[found];
        const auto index = static_cast<uint32_t>(&unit - units_);
        while (found > order) {
            --found;
            put(index + (1u << found), found);  // the upper half stays free
        }
        unit.order = static_cast<decltype(unit.order)>(order);
        free_units_ -= 1u << order;
        return index;
    }

    void free(uint32_t index, uint32_t order) {
        VERIFY(order < kOrders && !(index & ((1u << order) - 1)));
        VERIFY(index >= first_ && index + (1u << order) <= end_ && !units_[index].free);
        free_units_ += 1u << order;
        while (order + 1 < kOrders) {
            const uint32_t buddy = index ^ (1u << order);
            if (buddy < first_ || buddy + (1u << order) > end_) break;
            if (!units_[buddy].free || units_[buddy].order != order) break;
            units_[buddy].node.unlink();
            units_[buddy].free = false;
            --runs_[order];
            index &= ~(1u << order);
            ++order;
        }
        put(index, order);
    }

    // All that is free in [first, end) is so no more: visit(first unit, order) for each run. The range
    // is a whole run, or one of several whole ones.
    template <typename F>
    void withdraw(uint32_t first, uint32_t end, F&& visit) {
        for (uint32_t i = first; i < end;) {
            Unit& unit = units_[i];
            if (!unit.free || i + (1u << unit.order) > end) {
                ++i;
                continue;
            }
            unit.node.unlink();
            unit.free = false;
            --runs_[unit.order];
            free_units_ -= 1u << unit.order;
            visit(i, static_cast<uint32_t>(unit.order));
            i += 1u << unit.order;
        }
    }

    uint32_t free_units() const { return free_units_; }
    uint32_t free_runs(uint32_t order) const { return runs_[order]; }
    bool covers(uint32_t index) const { return index >= first_ && index < end_; }

  private:
    void put(uint32_t index, uint32_t order) {
        Unit& unit = units_[index];
        unit.order = static_cast<decltype(unit.order)>(order);
        unit.free = true;
        lists_[order].push_front(unit);
        ++runs_[order];
    }

    Unit* units_ = nullptr;
    uint32_t first_ = 0, end_ = 0;
    uint32_t free_units_ = 0;
    uint32_t runs_[kOrders] = {};
    List<Unit, &Unit::node> lists_[kOrders];
};
