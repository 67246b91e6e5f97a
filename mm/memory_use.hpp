// What /proc and others see of an address space: its regions, how much of them is in memory, and
// the entries that the MMU finds.
#pragma once

#include "kernel/arch/page_walk.hpp"
#include "mm/address_space.hpp"

struct RegionUse {  // pages
    uint32_t resident = 0, shared_clean = 0, shared_dirty = 0, private_clean = 0, private_dirty = 0,
             referenced = 0, anonymous = 0, swapped = 0;
    uint32_t share_bytes = 0;  // each page's part, if all who have it share the cost
    uint32_t dirty_share_bytes = 0;
};
struct RegionInfo {  // for /proc/<pid>/maps and smaps
    VirtAddr start, end;
    uint32_t protection, flags;
    const Pager* pager;
    uint32_t page_offset;
    const char* label;  // "[heap]", "[stack]" or ""
    bool locked, may_write;
    OnFork on_fork;
    RegionUse use;  // if the visitor wants it
};
class RegionVisitor {
  public:
    virtual void visit(const RegionInfo& region) = 0;
    virtual bool wants_use() const { return false; }

  protected:
    ~RegionVisitor() = default;
};
void visit_regions(AddressSpace& of, RegionVisitor& visitor);
template <typename F>
void for_each_region(AddressSpace& of, F&& see) {
    struct Visitor final : RegionVisitor {
        explicit Visitor(F& see) : see(see) {}
        void visit(const RegionInfo& region) override { see(region); }
        F& see;
    } visitor(see);
    visit_regions(of, visitor);
}

struct MemoryUse {  // in pages
    uint32_t total, resident, data, stack, text, libraries, swapped, working_set, locked;
    uint32_t of_files, shared;           // of those resident
    uint32_t tables;                     // page tables
    uint32_t peak_total, peak_resident;  // since the program began
    VirtAddr text_start, text_end;       // of the first region that may be executed
};
MemoryUse memory_use(AddressSpace& of);

struct PagingUse {
    uint32_t faults[8];              // that were served, by FaultSource
    uint32_t frames, most, swapped;  // private pages: in memory, at most there, in swap
    uint32_t working_set, suspensions;
};
PagingUse paging_use(AddressSpace& of);

struct TableUse {  // in pages
    uint32_t tables, locked;
};
TableUse table_use(AddressSpace& of);

PageWalk walk_tables(AddressSpace& of, VirtAddr address);  // any address, of the kernel's half too
