// Memory divided into partitions, in whole units and without headers, as textbooks calculate: one
// partition, fixed ones, or dynamic ones by six rules. Pure; the tests run it without a kernel.
// Invariant: pieces are in order of addresses and cover the memory; two holes are neighbours only in
// fixed partitions, as buddies of different pairs, and where quick fit keeps them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

enum class Scheme : uint8_t {
    single,
    fixed,
    first_fit,
    next_fit,
    best_fit,
    worst_fit,
    quick_fit,
    buddy
};
constexpr std::string_view kSchemes[] = {"single",   "fixed",     "first-fit", "next-fit",
                                         "best-fit", "worst-fit", "quick-fit", "buddy"};

struct Piece {
    uint32_t start, size;
    uint32_t wanted = 0;     // what its program asked for
    std::string owner = "";  // empty: a hole
    bool hole() const { return owner.empty(); }
};

struct Fragmentation {
    uint32_t used = 0, wanted = 0;  // of partitions that are given out
    uint32_t holes = 0, free = 0, largest = 0;
    uint32_t internal() const { return used - wanted; }
    bool in_pieces = false;  // dynamic partitions: a free unit may lie in a hole too small to use
    uint32_t external() const { return in_pieces ? free - largest : 0; }
};

class Memory {
  public:
    // `fixed`: the sizes of fixed partitions, whose sum is at most `units`.
    Memory(Scheme scheme, uint32_t units, const std::vector<uint32_t>& fixed);

    bool take(const std::string& owner, uint32_t units);  // false: no hole is large enough
    // Which neighbours were holes and became one with it: 0 none, 1 below, 2 above, 3 both. For
    // buddies: how many pairs were joined.
    uint32_t give(const std::string& owner);
    bool has(const std::string& owner) const;
    bool compact();  // programs move down; false: these partitions stay where they are

    Fragmentation fragmentation() const;
    const std::vector<Piece>& pieces() const { return pieces_; }
    uint64_t searched() const { return searched_; }  // holes looked at so far

  private:
    size_t choose(uint32_t units);
    bool dynamic() const { return scheme_ > Scheme::fixed; }
    void join(size_t index);  // with the piece above it
    void join_all_holes();
    uint32_t join_buddies(size_t index);

    Scheme scheme_;
    std::vector<Piece> pieces_;
    uint32_t hand_ = 0;  // next fit: the address from where to search
    uint64_t searched_ = 0;
};
