// Page tables of the i386 without PAE: a directory of 1,024 entries, each for a table of 1,024
// pages or for one 4 MiB page; and the TLB, which remembers what they said.
//
//   31            22 21           12 11            0
//   [directory index][ table index  ][    offset    ]   a virtual address
//
// Invariant: code that takes rights away from an entry calls flush_range before it relies on that.
// Locks: the owner of the tables guards them.
// Spec: Intel SDM vol. 3A, 4.3 (32-bit paging, tables 4-4 to 4-6), 4.10 (TLB).
#pragma once

#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/atomic.hpp"
#include "kernel/lib/types.hpp"

constexpr uint32_t kEntriesPerTable = 1024;
constexpr uint32_t kTableShift = 22;  // one directory entry covers 4 MiB
constexpr uint32_t kTableSpan = 1u << kTableShift;

// Bits of an entry, in the manual's order.
constexpr uint32_t kEntryPresent = 1u << 0;
constexpr uint32_t kEntryWritable = 1u << 1;
constexpr uint32_t kEntryUser = 1u << 2;
constexpr uint32_t kEntryWriteThrough = 1u << 3;
constexpr uint32_t kEntryCacheDisable = 1u << 4;
constexpr uint32_t kEntryAccessed = 1u << 5;
constexpr uint32_t kEntryDirty = 1u << 6;
constexpr uint32_t kEntryBig = 1u << 7;     // in a directory: a 4 MiB page
constexpr uint32_t kEntryGlobal = 1u << 8;  // survives a load of CR3
// 9 to 11 are ours.
constexpr uint32_t kEntryHeld = 1u << 9;      // not present, but the frame is kept (PROT_NONE)
constexpr uint32_t kEntryFile = 1u << 10;     // the frame is a pager's, not the address space's own
constexpr uint32_t kEntrySwapped = 1u << 11;  // not present: the rest names a slot (mm/swap.hpp)
constexpr uint32_t kEntryFlags = kPageMask;

struct PageEntry {
    uint32_t raw = 0;

    static constexpr PageEntry make(Frame frame, uint32_t flags) {
        return {frame.raw() << kPageShift | flags};
    }
    constexpr Frame frame() const { return Frame(raw >> kPageShift); }
    constexpr bool has(uint32_t bits) const { return (raw & bits) == bits; }
    constexpr bool present() const { return raw & kEntryPresent; }
    constexpr bool writable() const { return raw & kEntryWritable; }
    constexpr bool holds_frame() const { return raw & (kEntryPresent | kEntryHeld); }
    constexpr bool swapped() const { return raw & kEntrySwapped; }
    constexpr PageEntry with(uint32_t bits) const { return {raw | bits}; }
    constexpr PageEntry without(uint32_t bits) const { return {raw & ~bits}; }
};
static_assert(sizeof(PageEntry) == 4);
static_assert(PageEntry::make(Frame(0xB8), kEntryPresent | kEntryWritable).raw == 0x000B8003);
static_assert(
    PageEntry::make(Frame(0x400), kEntryPresent | kEntryWritable | kEntryBig | kEntryGlobal).raw ==
    0x00400183);
static_assert(kEntryUser == 0x004 && kEntryAccessed == 0x020 && kEntryDirty == 0x040);

struct PageTable {
    PageEntry entries[kEntriesPerTable];
};
static_assert(sizeof(PageTable) == kPageSize);

constexpr uint32_t directory_index(VirtAddr address) { return address.raw() >> kTableShift; }
constexpr uint32_t table_index(VirtAddr address) {
    return address.raw() >> kPageShift & (kEntriesPerTable - 1);
}
static_assert(directory_index(VirtAddr(0xC0101234)) == 0x300);
static_assert(table_index(VirtAddr(0xC0101234)) == 0x101);
constexpr uint32_t kKernelDirectoryIndex = directory_index(kDirectMapBase);

// Forgets what the TLBs of all CPUs remember of [start, end) of that user space: by INVLPG or,
// beyond the ceiling, by loading CR3. CPUs that don't use it are left alone. On return no CPU goes
// by the old entries any more. Any lock may be held: a CPU that waits for a lock serves shoot-downs.
void flush_range(PhysAddr directory, VirtAddr start, VirtAddr end);
// The same on this CPU only: for the laboratory (mm/tlb_lab.cpp).
void flush_range_here(PhysAddr directory, VirtAddr start, VirtAddr end);
// The same for the kernel's half, whose pages are global and in every space: CR3 leaves those alone,
// so beyond the ceiling global pages are switched off and on again.
void flush_kernel_range(VirtAddr start, VirtAddr end);
// No CPU uses `directory` any more: those that still have it loaded take `instead`.
void leave_directory(PhysAddr directory, PhysAddr instead);

inline void flush_page(VirtAddr address) {
    asm volatile("invlpg (%0)" ::"r"(address.raw()) : "memory");
}
// Makes this CPU use the kernel's `directory` (if it doesn't already), and no LDT.
void load_directory(PhysAddr directory);

struct TlbStatistics {
    uint32_t single, full;  // pages by INVLPG; whole TLBs, by CR3 or with the global pages
    uint32_t asked;         // requests to other CPUs: a whole range is one
    uint32_t answered;      // and their answers
    void add(const TlbStatistics& other);
};
TlbStatistics tlb_statistics();
TlbStatistics tlb_statistics(uint32_t cpu);
// Above so many pages the whole TLB goes. For /proc/sys/vm.
extern Atomic<uint32_t> tlb_flush_ceiling;
