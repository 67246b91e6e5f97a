// See kernel_map.hpp. Spec: Intel SDM vol. 3A, 4.3, 4.10.2.4 (global pages).
#include "mm/kernel_map.hpp"

#include <algorithm>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/double_fault.hpp"
#include "kernel/arch/panic.hpp"
#include "mm/frames.hpp"
#include "mm/window.hpp"

extern "C" char __kernel_start[], __kernel_end[], __text_start[], __text_end[], __rodata_start[],
    __rodata_end[], __symbols_start[], __symbols_end[];

namespace {

constexpr uint32_t kKernelFlags = kEntryPresent | kEntryWritable | kEntryGlobal;
constexpr uint32_t kAreaIndex = directory_index(kVirtualAreaStart);
constexpr uint32_t kWindowIndex = directory_index(kWindowBase);
constexpr uint32_t kAreaTablesLeast = 4;
constexpr uint32_t kFramesPerAreaTable = 1024;  // one table for each 4 MiB of memory
constexpr uint32_t kWindowsPerCpu = 8, kCpusMost = 32;

constinit PageTable* directory = nullptr;
constinit uint32_t area_tables = 0;
constinit uint32_t windows_open[kCpusMost] = {};  // each CPU its own

PageTable& new_table() {
    Result<Frame> frame = allocate_zeroed_frame(Zone::low);
    if (frame.is_error()) cannot_start("no memory for the kernel's page tables");
    return *static_cast<PageTable*>(to_virtual(frame.value()));
}

void set_table(uint32_t index, PageTable& table) {
    directory->entries[index] =
        PageEntry::make(frame_of(to_physical(&table)), kEntryPresent | kEntryWritable);
}

PageTable& table_at(uint32_t index) {
    return *static_cast<PageTable*>(to_virtual(directory->entries[index].frame()));
}

bool within(uint32_t address, const char* start, const char* end) {
    return address >= reinterpret_cast<uint32_t>(start) &&
           address < reinterpret_cast<uint32_t>(end);
}

// 4 MiB that the kernel's image reaches into: by small pages, constants and code read-only.
PageTable& image_table(uint32_t first_frame) {
    PageTable& table = new_table();
    for (uint32_t i = 0; i < kEntriesPerTable; ++i) {
        const Frame frame(first_frame + i);
        const auto address = reinterpret_cast<uint32_t>(to_virtual(frame));
        const bool constant = within(address, __text_start, __text_end) ||
                              within(address, __rodata_start, __rodata_end) ||
                              within(address, __symbols_start, __symbols_end);
        table.entries[i] =
            PageEntry::make(frame, constant ? kKernelFlags & ~kEntryWritable : kKernelFlags);
    }
    return table;
}

void map_low_memory() {
    const uint32_t frames = std::min(frame_table_size, kLowFrames);
    for (uint32_t first = 0; first < frames; first += kEntriesPerTable) {
        const uint32_t index = kKernelDirectoryIndex + first / kEntriesPerTable;
        const auto address = kDirectMapBase.raw() + (first << kPageShift);
        if (address < reinterpret_cast<uint32_t>(__kernel_end) &&
            address + kTableSpan > reinterpret_cast<uint32_t>(__kernel_start))
            set_table(index, image_table(first));
        else
            directory->entries[index] = PageEntry::make(Frame(first), kKernelFlags | kEntryBig);
    }
}

}  // namespace

void kernel_map_init() {
    directory = &new_table();
    map_low_memory();
    area_tables = std::clamp(frame_table_size / kFramesPerAreaTable, kAreaTablesLeast,
                             kWindowIndex - kAreaIndex);
    for (uint32_t i = 0; i < area_tables; ++i) set_table(kAreaIndex + i, new_table());
    set_table(kWindowIndex, new_table());
    double_fault_use_directory(kernel_directory().raw());
    // The boot code's entries weren't global, so this drops them all.
    load_directory(kernel_directory());
}

PhysAddr kernel_directory() { return to_physical(directory); }
VirtAddr virtual_area_end() { return kVirtualAreaStart + area_tables * kTableSpan; }

void copy_kernel_half(PageTable& to) {
    std::copy(directory->entries + kKernelDirectoryIndex, directory->entries + kEntriesPerTable,
              to.entries + kKernelDirectoryIndex);
}

PageEntry& kernel_page_entry(VirtAddr address) {
    VERIFY(address >= kVirtualAreaStart);
    return table_at(directory_index(address)).entries[table_index(address)];
}

int FrameWindow::open(Frame frame) {
    // An interrupt's windows are closed again when we go on, so this needs no lock.
    const uint32_t cpu = this_cpu().id;
    const uint32_t depth = windows_open[cpu]++;
    VERIFY(cpu < kCpusMost && depth < kWindowsPerCpu);
    const auto slot = static_cast<int>(cpu * kWindowsPerCpu + depth);
    const VirtAddr address(reinterpret_cast<uint32_t>(slot_address(slot)));
    table_at(kWindowIndex).entries[table_index(address)] =
        PageEntry::make(frame, kEntryPresent | kEntryWritable);
    flush_page(address);
    return slot;
}

void FrameWindow::close(int slot) {
    const uint32_t cpu = this_cpu().id;
    VERIFY(static_cast<uint32_t>(slot) == cpu * kWindowsPerCpu + windows_open[cpu] - 1);
    table_at(kWindowIndex).entries[static_cast<uint32_t>(slot)] = {};
    --windows_open[cpu];
}
