// See page_table.hpp: the TLB part.
#include "kernel/arch/page_table.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupts.hpp"

namespace {

// Above this many pages, refilling the TLB costs less than invalidating page by page.
constexpr uint32_t kFlushPagesMost = 32;

constinit TlbStatistics statistics{};

void flush_pages(VirtAddr start, VirtAddr end) {
    for (VirtAddr at = start; at < end; at += kPageSize) flush_page(at);
    statistics.single += (end - start) >> kPageShift;
}

}  // namespace

void flush_range(PhysAddr directory, VirtAddr start, VirtAddr end) {
    if (directory != this_cpu().loaded_directory) return;
    if ((end - start) >> kPageShift <= kFlushPagesMost) return flush_pages(start, end);
    write_cr3(directory.raw());
    ++statistics.full;
}

void flush_kernel_range(VirtAddr start, VirtAddr end) { flush_pages(start, end); }

void load_directory(PhysAddr directory) {
    InterruptsOff off;
    Cpu& cpu = this_cpu();
    if (cpu.loaded_directory == directory) return;
    cpu.loaded_directory = directory;
    write_cr3(directory.raw());
}

PhysAddr loaded_directory() { return this_cpu().loaded_directory; }
TlbStatistics tlb_statistics() { return statistics; }
