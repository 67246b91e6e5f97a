// UserPages: the user half of a page directory: which frames are mapped right now. It owns one
// reference to each frame in it. A page table lives as long as it has entries.
// Invariant: a table's frame_info.table_entries is the number of its entries that hold a frame.
// Locks: the address space's.
#pragma once

#include <algorithm>
#include <span>

#include "kernel/arch/page_table.hpp"
#include "kernel/lib/preemption.hpp"
#include "kernel/lib/result.hpp"
#include "mm/frames.hpp"

class UserPages {
  public:
    UserPages() = default;
    UserPages(const UserPages&) = delete;
    UserPages& operator=(const UserPages&) = delete;
    ~UserPages();  // everything was cleared
    Result<void> init();
    bool made() const { return directory_; }

    PhysAddr directory() const { return to_physical(directory_); }
    PageEntry* find(VirtAddr page) const;          // null: there is no table
    Result<PageEntry*> slot(VirtAddr page);        // makes the table if need be
    void fill(PageEntry* empty, PageEntry entry);  // takes over the reference to the frame
    // The same for several slots of one table at once, by frames of a pager; 0: leave that slot.
    void fill_from_file(PageEntry* slots, std::span<const Frame> frames, uint32_t flags);
    void replace(VirtAddr page, PageEntry* slot, PageEntry entry);  // drops the old frame

    // The same between a slot of swap and a frame; `slot` holds the other before.
    void fill_swapped(PageEntry* slot, PageEntry entry);
    void replace_by_swap(VirtAddr page, PageEntry* slot, PageEntry entry);  // drops the frame

    void clear(VirtAddr start, VirtAddr end);  // unmaps, drops frames, frees empty tables
    // What the entries allow becomes no more than that. A later fault may give rights back.
    enum class Rights : uint8_t { none, read };
    void restrict(VirtAddr start, VirtAddr end, Rights rights);
    // `child` gets the same frames. Copy on write: neither may write from now on; the caller
    // flushes this space's TLB entries if `changed`.
    Result<void> share(UserPages& child, VirtAddr start, VirtAddr end, bool copy_on_write,
                       bool& changed);
    Result<void> make_tables(VirtAddr start, VirtAddr end);
    void move(VirtAddr from, VirtAddr to, uint32_t bytes);  // tables at `to` exist

    // visit(address, entry) for each entry that holds a frame or names a slot.
    template <typename F>
    void for_each(VirtAddr start, VirtAddr end, F&& visit) {
        for_each_table(start, end, [&](VirtAddr at, VirtAddr stop, PageTable& table) {
            for (; at < stop; at += kPageSize)
                if (PageEntry& entry = table.entries[table_index(at)]; entry.raw) visit(at, entry);
        });
    }

    uint32_t tables() const { return tables_; }
    uint32_t swapped() const { return swapped_; }
    uint32_t resident() const { return resident_; }  // pages
    uint32_t peak() const { return std::max(peak_, resident_); }
    uint32_t own_resident() const { return resident_ - file_resident_; }
    uint32_t file_resident() const { return file_resident_; }  // of them, a pager's frames

  private:
    class Release;
    PageTable* table(uint32_t index) const;
    // visit(address, stop, table) for each table that exists: the part of the range in it.
    template <typename F>
    void for_each_table(VirtAddr start, VirtAddr end, F&& visit) {
        while (start < end) {
            const VirtAddr border((start.raw() | (kTableSpan - 1)) + 1);
            const VirtAddr stop = border < end ? border : end;
            if (PageTable* found = table(directory_index(start))) visit(start, stop, *found);
            start = stop;
            preemption_point();
        }
    }
    static uint16_t& entries_in_use(const void* table) {
        return frame_info(frame_of(to_physical(table))).table_entries;
    }
    // The table that a slot lies in: tables are page-aligned.
    static const void* table_of(const PageEntry* slot) {
        return reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(slot) &
                                             ~uintptr_t{kPageMask});
    }
    void count(PageEntry entry, int32_t change);
    uint32_t clear_entries(Release& release, VirtAddr at, VirtAddr stop, PageTable& table);

    PageTable* directory_ = nullptr;
    uint32_t tables_ = 0;
    void note_peak() { peak_ = peak(); }  // before resident_ shrinks
    uint32_t resident_ = 0, file_resident_ = 0, swapped_ = 0, peak_ = 0;
};
