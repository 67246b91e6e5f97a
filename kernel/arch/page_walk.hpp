// The walk that the MMU does, as a value: what it finds in the directory and in the table, and the address
// that comes of it. For those who look at tables (/proc/<pid>/page_walk); the MMU walks by itself.
// Pure: `table_at(Frame)` makes a table readable.
// Spec: Intel SDM vol. 3A, 4.3 (32-bit paging, figures 4-2 and 4-3).
#pragma once

#include <optional>

#include "kernel/arch/page_table.hpp"

struct PageWalk {
    PageEntry upper{}, lower{};  // of the directory, of the table; raw 0: nothing, or not reached
};

// The directory's entry for the address. If that is present and maps no 4 MiB by itself (kEntryBig), it
// names a table: then the table's entry too. No entry is changed.
// Lab 11.1: stub { (void)directory; (void)address; (void)table_at; return {}; }
template <typename TableAt>
PageWalk walk_pages(const PageTable& directory, VirtAddr address, TableAt&& table_at) {
    PageWalk walk;
    walk.upper = directory.entries[directory_index(address)];
    if (walk.upper.present() && !walk.upper.has(kEntryBig))
        walk.lower = table_at(walk.upper.frame()).entries[table_index(address)];
    return walk;
}

// Where the address lies: in the frame that the table's entry names, or in the 4 MiB that begin where the
// directory's entry says. Nothing: one of the entries is not present.
// Lab 11.1: stub { (void)walk; (void)address; return std::nullopt; }
constexpr std::optional<PhysAddr> physical_address(const PageWalk& walk, VirtAddr address) {
    if (!walk.upper.present()) return std::nullopt;
    if (walk.upper.has(kEntryBig))
        return PhysAddr((walk.upper.raw & ~(kTableSpan - 1)) | (address.raw() & (kTableSpan - 1)));
    if (!walk.lower.present()) return std::nullopt;
    return address_of(walk.lower.frame()) + (address.raw() & kPageMask);
}
