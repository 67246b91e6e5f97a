// Placement: an allocator of memory of any size within areas that it is given: dynamic partitions.
// Pure: no lock, no allocation of its own; all book-keeping lies in the areas. The kernel's heap,
// lab-heap and the host tests run the same classes.
// Invariant: blocks are 16-byte aligned, disjoint, and never at the very start of an area; no two
// holes are neighbours (buddy: no two halves of a whole), but for those that quick fit keeps.
// Locks: none; the owner guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/lib/list.hpp"
#include "kernel/lib/policy_list.hpp"
#include "kernel/lib/types.hpp"

constexpr uint32_t kBlockAlignment = 16;
constexpr uint32_t round_to_block(size_t bytes) {
    return static_cast<uint32_t>((bytes + kBlockAlignment - 1) & ~(kBlockAlignment - 1));
}

// Which neighbours of a block that is given back were holes.
enum class Merge : uint8_t { below, above, both, none };

struct HeapFigures {
    uint32_t areas = 0, total = 0;                    // bytes of all areas
    uint32_t blocks = 0, used = 0, requested = 0;     // bytes in use, and asked for of those
    uint32_t holes = 0, free = 0, largest = 0;        // bytes, headers included
    uint64_t requests = 0, searched = 0, failed = 0;  // holes looked at; without a fitting hole
    uint32_t merges[4] = {};                          // by Merge

    // In thousandths: of the bytes in use, not asked for; of those free, not in the largest hole.
    uint32_t internal_fragmentation() const {
        return used ? static_cast<uint32_t>(1000ull * (used - requested) / used) : 0;
    }
    uint32_t external_fragmentation() const {
        return free ? static_cast<uint32_t>(1000ull * (free - largest) / free) : 0;
    }
};

struct HeapPiece {
    const void* start;  // of the block's memory, or the hole
    uint32_t bytes;     // header included
    bool hole;
};
class HeapVisitor {
  public:
    virtual void visit(const HeapPiece& piece) = 0;

  protected:
    ~HeapVisitor() = default;
};

struct HeapArea {
    void* start = nullptr;  // null: none
    uint32_t bytes = 0;
};

class TaggedHeap;

class Placement {
  public:
    constexpr Placement() = default;
    Placement(const Placement&) = delete;
    Placement& operator=(const Placement&) = delete;

    virtual std::string_view name() const = 0;
    // The area's start is aligned to its size, which is a power of two, of 64 bytes at least.
    virtual void add(void* start, uint32_t bytes) = 0;
    virtual void* take(uint32_t bytes) = 0;  // null: no hole is large enough
    virtual void give(void* memory) = 0;
    virtual uint32_t usable(const void* memory) const = 0;  // bytes from there on
    virtual HeapArea remove_empty_area() = 0;
    virtual void visit(HeapVisitor& visitor) = 0;          // area by area, in order of addresses
    virtual TaggedHeap* compactable() { return nullptr; }  // null: its blocks stay where they are

    HeapFigures figures() {
        HeapFigures result = counts_;
        struct Sum final : HeapVisitor {
            explicit Sum(HeapFigures& to) : f(to) {}
            HeapFigures& f;
            void visit(const HeapPiece& piece) override {
                if (!piece.hole) return;
                ++f.holes;
                f.free += piece.bytes;
                f.largest = piece.bytes > f.largest ? piece.bytes : f.largest;
            }
        } sum(result);
        visit(sum);
        return result;
    }
    const HeapFigures& counts() const { return counts_; }  // without the holes

  protected:
    ~Placement() = default;

    void count_area(uint32_t bytes) {
        ++counts_.areas;
        counts_.total += bytes;
    }
    void uncount_area(uint32_t bytes) {
        --counts_.areas;
        counts_.total -= bytes;
    }
    void count_block(uint32_t bytes, uint32_t requested) {
        ++counts_.blocks;
        counts_.used += bytes;
        counts_.requested += requested;
    }
    void uncount_block(uint32_t bytes, uint32_t requested) {
        --counts_.blocks;
        counts_.used -= bytes;
        counts_.requested -= requested;
    }
    void count_merge(bool below, bool above) {
        ++counts_.merges[static_cast<uint32_t>(above   ? below ? Merge::both : Merge::above
                                               : below ? Merge::below
                                                       : Merge::none)];
    }
    HeapFigures counts_{};
};
