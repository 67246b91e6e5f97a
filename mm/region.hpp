// Regions: what should be where in the user half of an address space. A RegionMap knows which
// ranges are taken, finds room, splits and merges. It knows nothing of what is mapped right now.
// Pure: host-tested.
// Invariant: regions are page-aligned, not empty, don't overlap; neighbours that could be one are.
// Locks: none; the address space guards it.
#pragma once

#include <optional>

#include "kernel/lib/ordered_tree.hpp"
#include "kernel/lib/types.hpp"
#include "mm/pager.hpp"

constexpr uint32_t kProtRead = 1, kProtWrite = 2, kProtExecute = 4;

// Kept free below a region that grows down, so that an overflow hits nothing else.
constexpr uint32_t kStackGuardGap = 256 * kPageSize;

enum class RegionLabel : uint8_t { none, heap, stack };
// mlock(2): its pages stay in memory; with on_fault, they are not brought in ahead of use.
enum class RegionLock : uint8_t { none, on_fault, whole };
// madvise(2): what a child of fork(2) has there.
enum class OnFork : uint8_t { same, nothing, zeros };

struct RegionAttributes {
    uint32_t protection = 0;  // kProt*
    bool shared = false;
    bool may_write = true;
    bool grows_down = false;
    RegionLock lock = RegionLock::none;
    OnFork on_fork = OnFork::same;
    AccessPattern pattern = AccessPattern::normal;
    bool unreserved = false;  // MAP_NORESERVE: not counted as promised
    RegionLabel label = RegionLabel::none;
    Ref<Pager> pager{};        // null: anonymous
    Ref<OpenObject> opener{};  // of a shared file

    bool operator==(const RegionAttributes&) const = default;
    // Each of its pages may come to need a frame or a slot of its own.
    bool commits() const { return !unreserved && is_data(); }
    bool is_data() const { return !shared && protection & kProtWrite; }
    bool locked() const { return lock != RegionLock::none; }
};

struct Region {
    VirtAddr start{0}, end{0};
    RegionAttributes attributes{};
    uint32_t page_offset = 0;  // of the first page in the pager's object

    TreeNode node{};
    VirtAddr gap_start{0};     // where the region below ends
    uint32_t largest_gap = 0;  // bytes; of all gaps below the regions of this subtree
    Region* next_removed = nullptr;

    uint32_t bytes() const { return end - start; }
    bool contains(VirtAddr address) const { return address >= start && address < end; }
    uint32_t pager_index(VirtAddr page) const {
        return page_offset + (page.raw() >> kPageShift) - (start.raw() >> kPageShift);
    }
    VirtAddr gap_end() const;  // start, less the guard gap
    uint32_t gap() const { return gap_end() - gap_start; }
};

class RegionMap {
  public:
    RegionMap() = default;
    ~RegionMap();
    // For fork: locks are not inherited, nor what is nothing there.
    Result<void> copy_from(const RegionMap& other);

    Region* find(VirtAddr address);             // the region that contains it
    Region* find_from(VirtAddr address) const;  // the first that ends above it
    Region* next(const Region& region) const { return Tree::next(region); }
    Region* previous(const Region& region) const { return Tree::previous(region); }
    bool is_free(VirtAddr start, VirtAddr end) const;  // guard gaps count as taken
    // Where the first hole in the range begins; its end if there is none.
    VirtAddr covered_until(VirtAddr start, VirtAddr end) const;
    bool is_covered(VirtAddr start, VirtAddr end) const {
        return start >= end || covered_until(start, end) == end;
    }
    // How many more regions there may be when [start, end) differs from what is around it.
    uint32_t cuts(VirtAddr start, VirtAddr end) const;
    // The highest free range of so many bytes within [floor, limit).
    std::optional<VirtAddr> find_gap(uint32_t bytes, VirtAddr floor, VirtAddr limit) const;

    // The range must not overlap another region. ENOMEM.
    Result<void> insert(VirtAddr start, VirtAddr end, const RegionAttributes& attributes,
                        uint32_t page_offset);
    // What lies in [start, end) goes; regions that reach out of it are cut. ENOMEM.
    Result<void> remove(VirtAddr start, VirtAddr end);
    // These four: ENOMEM, and then nothing has changed.
    Result<void> protect(VirtAddr start, VirtAddr end, uint32_t protection);
    Result<void> set_lock(VirtAddr start, VirtAddr end, RegionLock lock);
    Result<void> set_on_fork(VirtAddr start, VirtAddr end, OnFork on_fork);
    Result<void> set_pattern(VirtAddr start, VirtAddr end, AccessPattern pattern);
    void set_start(Region& region, VirtAddr start);  // the new range must be free
    void set_end(Region& region, VirtAddr end);

    uint32_t pages() const { return pages_; }
    uint32_t committed() const { return committed_; }  // pages of regions that commit
    uint32_t data() const { return data_; }            // private writable ones, no stacks
    uint32_t count() const { return tree_.size(); }

    // Removed regions wait here, because dropping their pagers may need locks that come before the
    // address space's: the owner takes them out, unlocks, and then destroys them.
    Region* take_removed();
    static void destroy(Region* removed);

  private:
    static bool refresh_gap(Region& region, Region* below, Region* above);
    using Tree = OrderedTree<Region, &Region::node, &Region::start, refresh_gap>;

    void link(Region& region);
    void discard(Region& region);
    void gap_changed(Region* region, VirtAddr gap_start);
    bool can_follow(const Region& low, const Region& high) const;
    bool merge_with_next(Region& region);
    Result<void> split(VirtAddr at);
    void count(const Region& region, bool added);
    template <typename F>
    Result<void> change(VirtAddr start, VirtAddr end, F&& apply);

    Tree tree_;
    Region* recent_ = nullptr;  // found last
    Region* removed_ = nullptr;
    uint32_t pages_ = 0, committed_ = 0, data_ = 0;
};
