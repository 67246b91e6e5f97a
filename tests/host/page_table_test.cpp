// Page-table entries and the walk, on tables in host memory.
#include "kernel/arch/page_table.hpp"

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
    PhysAddr physical;
    ASSERT_TRUE(translate(directory, VirtAddr(0x08048123), tables, physical));
    EXPECT_EQ(physical, PhysAddr(0x00777123));
    EXPECT_FALSE(translate(directory, VirtAddr(0x08049000), tables, physical));
    EXPECT_FALSE(translate(directory, VirtAddr(0x09048000), tables, physical));
}

TEST(PageTable, WalkStopsAtABigPage) {
    Tables tables;
    PageTable& directory = tables(tables.add());
    directory.entries[0x301] = PageEntry::make(Frame(0x400), kEntryPresent | kEntryBig);
    PhysAddr physical;
    ASSERT_TRUE(translate(directory, VirtAddr(0xC0412345), tables, physical));
    EXPECT_EQ(physical, PhysAddr(0x00412345));
}

TEST(PageTable, AHeldFrameIsNotPresent) {
    const PageEntry entry = PageEntry::make(Frame(5), kEntryHeld | kEntryUser);
    EXPECT_TRUE(entry.holds_frame());
    EXPECT_FALSE(entry.present());
    EXPECT_EQ(entry.without(kEntryHeld).with(kEntryPresent).frame(), Frame(5));
    EXPECT_FALSE(PageEntry{}.holds_frame());
}

}  // namespace
