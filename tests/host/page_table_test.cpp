// Page-table entries and the walk, on tables in host memory.
#include "kernel/arch/page_walk.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace {

struct Tables {
    std::vector<std::unique_ptr<PageTable>> tables;
    Frame add() {
        tables.push_back(std::make_unique<PageTable>());
        return Frame(static_cast<uint32_t>(tables.size() - 1));
    }
    PageTable& operator()(Frame frame) { return *tables[frame.raw()]; }
};

TEST(PageTable, WalksBothLevels) {
    Tables tables;
    PageTable& directory = tables(tables.add());
    const Frame table = tables.add();
    directory.entries[0x20] = PageEntry::make(table, kEntryPresent | kEntryUser);
    tables(table).entries[0x48] = PageEntry::make(Frame(0x777), kEntryPresent);
    const auto physical = [&](uint32_t address) {
        return physical_address(walk_pages(directory, VirtAddr(address), tables),
                                VirtAddr(address));
    };
    EXPECT_EQ(physical(0x08048123), PhysAddr(0x00777123));
    EXPECT_FALSE(physical(0x08049000));
    EXPECT_FALSE(physical(0x09048000));
}

TEST(PageTable, WalkStopsAtABigPage) {
    Tables tables;
    PageTable& directory = tables(tables.add());
    directory.entries[0x301] = PageEntry::make(Frame(0x400), kEntryPresent | kEntryBig);
    const PageWalk walk = walk_pages(directory, VirtAddr(0xC0412345), tables);
    EXPECT_EQ(walk.lower.raw, 0u);
    EXPECT_EQ(physical_address(walk, VirtAddr(0xC0412345)), PhysAddr(0x00412345));
}

TEST(PageTable, AHeldFrameIsNotPresent) {
    const PageEntry entry = PageEntry::make(Frame(5), kEntryHeld | kEntryUser);
    EXPECT_TRUE(entry.holds_frame());
    EXPECT_FALSE(entry.present());
    EXPECT_EQ(entry.without(kEntryHeld).with(kEntryPresent).frame(), Frame(5));
    EXPECT_FALSE(PageEntry{}.holds_frame());
}

}  // namespace
