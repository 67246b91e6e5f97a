// /proc files about the system as a whole. Times in ticks of 1/100 s.
// Spec: proc(5).
#include "drivers/block.hpp"
#include "fs/mount.hpp"
#include "fs/page_cache.hpp"
#include "fs/proc/process_source.hpp"
#include "fs/proc/proc_entry.hpp"
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupt_counts.hpp"
#include "kernel/arch/user_access.hpp"
#include "kernel/boot_state.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/system_name.hpp"
#include "mm/anonymous_pager.hpp"
#include "mm/commitment.hpp"
#include "mm/compaction.hpp"
#include "mm/heap.hpp"
#include "mm/load_control.hpp"
#include "mm/reclaim.hpp"
#include "mm/swap.hpp"

namespace {

constexpr uint32_t kKilobytesPerPage = kPageSize / 1024;
constexpr uint32_t kInterruptLines = 16;
constexpr uint64_t kSecond = 1'000'000'000, kHundredth = kSecond / 100;

// Seconds with two digits after the point.
void put_seconds(TextSink& to, uint64_t nanoseconds) {
    const uint64_t hundredths = nanoseconds / kHundredth;
    format_to(to, "{}.{:02}", hundredths / 100, hundredths % 100);
}

struct ProgramMemory {  // pages
    uint32_t tables = 0, locked = 0;
};
ProgramMemory program_memory() {
    ProgramMemory sum;
    for (int pid = 1; (pid = process_source().next(pid)); ++pid) {
        Result<Ref<AddressSpace>> space = process_source().space({.pid = pid});
        if (space.is_error()) continue;
        const TableUse use = table_use(*space.value());
        sum.tables += use.tables;
        sum.locked += use.locked;
    }
    return sum;
}

}  // namespace

void show_memory(TextSink& to) {
    const MemoryTotals m = memory_totals();
    const PageCacheTotals cache = page_cache_totals();
    const SwapTotals swap = swap_totals();
    const Commitment promises = commitment();
    const uint32_t heap = heap_statistics().pages;
    const uint32_t stacks = scheduler_statistics().threads * kKernelStackPages;
    const ProgramMemory programs = program_memory();
    const struct {
        std::string_view name;
        uint32_t pages;
    } lines[] = {
        {"MemTotal:", m.total},
        {"MemFree:", m.free},
        {"MemAvailable:", m.free + cache.all - cache.in_memory_only},
        {"Buffers:", cache.of_devices},
        {"Cached:", cache.all - cache.of_devices + AnonymousPager::all_resident()},
        {"SwapCached:", swap.cached},
        {"HighTotal:", m.total - m.low_total},
        {"HighFree:", m.free - m.low_free},
        {"LowTotal:", m.low_total},
        {"LowFree:", m.low_free},
        {"SwapTotal:", swap.total},
        {"SwapFree:", swap.free},
        {"Dirty:", cache.dirty},
        {"Writeback:", cache.writing},
        {"Mlocked:", programs.locked},
        {"Shmem:", cache.in_memory_only + AnonymousPager::all_resident()},
        {"Slab:", heap},
        {"SReclaimable:", 0},
        {"SUnreclaim:", heap},
        {"KernelStack:", stacks},
        {"PageTables:", programs.tables},
        {"CommitLimit:", promises.limit},
        {"Committed_AS:", promises.promised},
    };
    for (const auto& line : lines)
        format_to(to, "{:<16}{:>8} kB\n", line.name, line.pages * kKilobytesPerPage);
}

void show_paging_counts(TextSink& to) {
    const PageCacheTotals cache = page_cache_totals();
    const uint32_t shared = AnonymousPager::all_resident();
    const ProgramMemory programs = program_memory();
    format_to(to, "nr_free_pages {}\nnr_file_pages {}\nnr_slab_unreclaimable {}\n",
              memory_totals().free, cache.all + shared, heap_statistics().pages);
    format_to(to, "nr_dirty {}\nnr_writeback {}\nnr_shmem {}\nnr_mlock {}\n", cache.dirty,
              cache.writing, cache.in_memory_only + shared, programs.locked);
    format_to(to, "nr_kernel_stack {}\nnr_page_table_pages {}\n",
              scheduler_statistics().threads * kKernelStackPages * (kPageSize / 1024),
              programs.tables);
    uint32_t faults = 0, major = 0;
    for (uint32_t i = 0; i < cpu_count; ++i)
        faults += cpus[i]->page_faults, major += cpus[i]->major_faults;
    uint64_t read = 0, written = 0;  // sectors
    for (BlockDevice& disk : block_devices()) {
        if (disk.is_partition()) continue;
        read += disk.counts().reads.sectors;
        written += disk.counts().writes.sectors;
    }
    format_to(to, "pgfault {}\npgmajfault {}\npgpgin {}\npgpgout {}\n", faults, major, read / 2,
              written / 2);
    const PageCacheUse use = page_cache_use();
    format_to(to, "cache_hit {}\ncache_miss {}\ncache_ahead {}\ncache_ahead_used {}\n", use.hits,
              use.missed, use.ahead, use.ahead_used);
    const SwapCounts s = swap_counts;
    const ReclaimCounts r = reclaim_counts;
    const TlbStatistics tlb = tlb_statistics();
    format_to(to, "pswpin {}\npswpout {}\nswap_writes {}\nswap_ra_hit {}\nswap_refused {}\n", s.in,
              s.out, s.writes, s.cached_hits, s.refused);
    format_to(to, "pgscan {}\npgsteal {}\npgsteal_file {}\nreclaim_rounds {}\n", r.scanned,
              r.stolen, r.file_unmapped, r.rounds);
    const LoadCounts load = load_counts;
    format_to(to, "load_suspended {}\nload_resumed {}\npaging_wait_permille {}\n", load.suspended,
              load.resumed, load.waiting_permille);
    format_to(to, "paging_between_faults_us {}\npaging_service_us {}\n", load.between_faults,
              load.service);
    format_to(to, "reclaim_fruitless {}\nnr_tlb_local_flush_one {}\nnr_tlb_local_flush_all {}\n",
              r.fruitless, tlb.single, tlb.full);
    format_to(to, "nr_tlb_remote_flush {}\nnr_tlb_remote_flush_received {}\n", tlb.asked,
              tlb.answered);
    const CompactionCounts c = compaction_counts;
    format_to(to, "compact_stall {}\ncompact_success {}\ncompact_fail {}\n", c.stalls, c.successes,
              c.failures);
    format_to(to, "pgmigrate_success {}\npgmigrate_fail {}\n", c.moved, c.move_failures);
    const UserCopyTotals copied = user_copy_totals();
    format_to(to, "user_bytes_in {}\nuser_bytes_out {}\n", copied.in, copied.out);
}

void put_zones(TextSink& to, void (*put_zone)(TextSink& to, Zone zone)) {
    auto put = [&](std::string_view name, Zone zone) {
        format_to(to, "Node 0, zone {:>8} ", name);
        put_zone(to, zone);
        to.put("\n");
    };
    put("Normal", Zone::low);
    if (memory_totals().total > memory_totals().low_total) put("HighMem", Zone::any);
}

// How much of the free memory a request for a run of each order can't use: 0.000 all is of use,
// 1.000 nothing, in the form of Linux's debugfs extfrag/unusable_index.
void show_fragmentation(TextSink& to) {
    put_zones(to, [](TextSink& to, Zone zone) {
        uint32_t free = 0, below = 0;
        for (uint32_t order = 0; order <= kMaxOrder; ++order)
            free += free_run_count(zone, order) << order;
        for (uint32_t order = 0; order <= kMaxOrder; ++order) {
            const auto index = free ? static_cast<uint32_t>(1000ull * below / free) : 0;
            format_to(to, "{}.{:03} ", index / 1000, index % 1000);
            below += free_run_count(zone, order) << order;
        }
    });
}

void show_free_runs(TextSink& to) {
    put_zones(to, [](TextSink& to, Zone zone) {
        for (uint32_t order = 0; order <= kMaxOrder; ++order)
            format_to(to, "{:>6} ", free_run_count(zone, order));
    });
}

void show_statistics(TextSink& to) {
    const SchedulerStatistics s = scheduler_statistics();
    format_to(to, "cpu  {} 0 {} {} 0 0 0 0 0 0\n", s.user_ticks, s.kernel_ticks, s.idle_ticks);
    for (uint32_t i = 0; i < cpu_count; ++i) {
        const CpuTicks t = cpu_ticks(i);
        format_to(to, "cpu{} {} 0 {} {} 0 0 0 0 0 0\n", i, t.user, t.kernel, t.idle);
    }
    uint64_t all = 0;
    for (uint32_t line = 0; line < kInterruptLines; ++line) all += interrupt_count(line);
    format_to(to, "intr {}", all);
    for (uint32_t line = 0; line < kInterruptLines; ++line)
        format_to(to, " {}", interrupt_count(line));
    const uint64_t boot_time = (realtime_now().raw() - monotonic_now().raw()) / kSecond;
    format_to(to, "\nctxt {}\nbtime {}\nprocesses {}\nprocs_running {}\nprocs_blocked 0\n",
              s.context_switches, boot_time, s.threads_created, s.ready);
}

// Spec: Linux, Documentation/scheduler/sched-stats.rst, version 15, without the domains' lines: of a
// CPU's nine fields the time that threads ran there, and how often one was switched to.
void show_schedule_statistics(TextSink& to) {
    format_to(to, "version 15\ntimestamp {}\n", ticks_now().raw());
    for (uint32_t i = 0; i < cpu_count; ++i)
        format_to(to, "cpu{} 0 0 0 0 0 0 {} 0 {}\n", i, cpu_busy_nanoseconds(i),
                  cpu_ticks(i).switches);
}

void show_uptime(TextSink& to) {
    put_seconds(to, monotonic_now().raw());
    to.put(" ");
    put_seconds(to, scheduler_statistics().idle_nanoseconds);
    to.put("\n");
}

void show_load(TextSink& to) {
    constexpr uint32_t kFractionBits = 11, kOne = 1u << kFractionBits;
    uint32_t loads[3];
    load_averages(loads);
    for (uint32_t load : loads) {
        const uint32_t rounded = load + kOne / 200;
        format_to(to, "{}.{:02} ", rounded / kOne, rounded % kOne * 100 / kOne);
    }
    const SchedulerStatistics s = scheduler_statistics();
    format_to(to, "{}/{} {}\n", s.ready, s.threads, process_source().last_id());
}

void show_version(TextSink& to) {
    format_to(to, "{} version {} (g++ {}) {}\n", kSystemName, kSystemRelease, __VERSION__,
              kSystemVersion);
}

void show_command_line(TextSink& to) { format_to(to, "{}\n", boot_information().command_line); }

void show_file_systems(TextSink& to) {
    for (const FileSystemType* type = file_system_types(); type; type = type->next)
        format_to(to, "{}\t{}\n", type->needs_device ? "" : "nodev", type->name);
}

constexpr ProcEntry kSystemFiles[] = {
    {.name = "buddyinfo", .show = show_free_runs},
    {.name = "cmdline", .show = show_command_line},
    {.name = "extfrag", .show = show_fragmentation},
    {.name = "filesystems", .show = show_file_systems},
    {.name = "loadavg", .show = show_load},
    {.name = "meminfo", .show = show_memory},
    {.name = "schedstat", .show = show_schedule_statistics},
    {.name = "stat", .show = show_statistics},
    {.name = "swaps", .show = show_swap_areas},
    {.name = "uptime", .show = show_uptime},
    {.name = "version", .show = show_version},
    {.name = "vmstat", .show = show_paging_counts},
};
PROC_FILES(proc_root, kSystemFiles);
