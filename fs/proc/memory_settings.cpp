// /proc/sys/vm: what can be set about memory; and /proc/paging, the laboratory of page replacement
// (mm/paging_lab.hpp) of the process that writes and reads it.
#include "fs/dentry.hpp"
#include "fs/inode_cache.hpp"
#include "fs/page_cache.hpp"
#include "fs/proc/proc_entry.hpp"
#include "fs/write_back.hpp"
#include "kernel/sched/thread.hpp"
#include "mm/address_space.hpp"
#include "mm/commitment.hpp"
#include "mm/compaction.hpp"
#include "mm/heap.hpp"
#include "mm/paging_lab.hpp"
#include "mm/reclaim.hpp"
#include "mm/tlb_lab.hpp"
#include "mm/tracked_frames.hpp"

namespace {

std::string_view take_word(std::string_view& text) {
    const size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return word;
}

Result<uint32_t> take_number(std::string_view& text) {
    return number_in(take_word(text), 0, UINT32_MAX);
}

// 1: clean pages; 2: names and inodes that nobody uses; 3: both.
Result<void> drop_caches(std::string_view what) {
    if (what != "1" && what != "2" && what != "3") return Errno::inval;
    if (what != "1") {
        while (shrink_dentries(UINT32_MAX)) {  // a folder is unused once its names are dropped
        }
        shrink_inodes(UINT32_MAX);
    }
    while (what != "2" && reclaim_pages(UINT32_MAX)) {
    }
    return {};
}

// A figure of write-back. One that is set as a number of bytes ends its ratio, and the other way round.
using Dirty = WriteBackSettings;
template <Atomic<uint32_t> Dirty::*figure, Atomic<uint32_t> Dirty::*other, uint32_t least,
          uint32_t most>
constexpr ProcEntry dirty_entry(std::string_view name) {
    return {.name = name,
            .store = [](std::string_view text) -> Result<void> {
                (write_back_settings.*figure).store_relaxed(TRY(number_in(text, least, most)));
                (write_back_settings.*other).store_relaxed(0);
                return {};
            },
            .number = &(write_back_settings.*figure)};
}
constexpr uint32_t kLeastBytes = 2 * kPageSize;

}  // namespace

constexpr ProcEntry kMemorySettings[] = {
    {.name = "swappiness", .number = &swappiness, .most = 200},
    {.name = "compact_memory",
     .mode = kTypeRegular | 0200,
     .store = [](std::string_view what) -> Result<void> {
         if (what != "1") return Errno::inval;
         compact_memory();
         return {};
     }},
    dirty_entry<&Dirty::background_bytes, &Dirty::background_ratio, kLeastBytes, UINT32_MAX>(
        "dirty_background_bytes"),
    dirty_entry<&Dirty::background_ratio, &Dirty::background_bytes, 0, 100>(
        "dirty_background_ratio"),
    dirty_entry<&Dirty::bytes, &Dirty::ratio, kLeastBytes, UINT32_MAX>("dirty_bytes"),
    dirty_entry<&Dirty::ratio, &Dirty::bytes, 0, 100>("dirty_ratio"),
    {.name = "dirty_expire_centisecs",
     .number = &write_back_settings.expire_centiseconds,
     .most = INT32_MAX},
    {.name = "dirty_writeback_centisecs",
     .number = &write_back_settings.interval_centiseconds,
     .most = INT32_MAX},
    {.name = "drop_caches", .mode = kTypeRegular | 0200, .store = drop_caches},
    {.name = "overcommit_memory", .number = &commitment_rule.overcommit, .most = 2},
    {.name = "overcommit_ratio",
     .store = [](std::string_view text) -> Result<void> {
         commitment_rule.ratio.store_relaxed(TRY(number_in(text, 0, 1000)));
         commitment_rule.kilobytes = 0;
         return {};
     },
     .number = &commitment_rule.ratio},
    {.name = "overcommit_kbytes",
     .store = [](std::string_view text) -> Result<void> {
         commitment_rule.kilobytes.store_relaxed(TRY(number_in(text, 0, UINT32_MAX)));
         if (commitment_rule.kilobytes) commitment_rule.ratio = 0;
         return {};
     },
     .number = &commitment_rule.kilobytes},
    {.name = "max_map_count", .number = &region_count_most, .most = INT32_MAX},
    {.name = "mmap_min_addr",
     .show = [](TextSink& to) { format_to(to, "{}\n", kLowestMapping.raw()); }},
    {.name = "read_ahead_kb",
     .show = [](TextSink& to) { format_to(to, "{}\n", read_ahead_kib()); },
     .store = [](std::string_view text) -> Result<void> {
         return set_read_ahead_kib(TRY(number_in(text, 0, UINT32_MAX)));
     }},
    {.name = "tlb_single_page_flush_ceiling", .number = &tlb_flush_ceiling},
};
PROC_FILES(proc_sys_vm, kMemorySettings);

void show_tlb(TextSink& to) {
    for (uint32_t i = 0; i < cpu_count; ++i) {
        const TlbStatistics s = tlb_statistics(i);
        format_to(to, "cpu{} pages {} whole {} asked {} answered {}\n", i, s.single, s.full,
                  s.asked, s.answered);
    }
}

// "exchange A B none|here|all": two pages change places, and these TLBs are told. "flush": all are.
Result<void> set_tlb_lab(std::string_view command) {
    AddressSpace* space = Thread::current().space;
    if (!space) return Errno::inval;
    const std::string_view verb = take_word(command);
    if (verb == "flush" && command.empty()) {
        end_stale(*space);
        return {};
    }
    const VirtAddr a(TRY(take_number(command))), b(TRY(take_number(command)));
    constexpr std::string_view kScopes[] = {"none", "here", "all"};
    for (uint32_t i = 0; i < std::size(kScopes); ++i)
        if (verb == "exchange" && command == kScopes[i])
            return exchange_pages(*space, a, b, static_cast<FlushScope>(i));
    return Errno::inval;
}

void show_paging_lab(TextSink& to) {
    if (AddressSpace* space = Thread::current().space) show_lab(*space, to);
}

// "POLICY ADDRESS PAGES FRAMES" begins, "off" ends; "step": an access is over, on a processor that does not
// stop after one instruction.
Result<void> set_paging_lab(std::string_view command) {
    AddressSpace* space = Thread::current().space;
    if (!space) return Errno::inval;
    const std::string_view policy = take_word(command);
    if (policy == "off" && command.empty()) {
        stop_lab(*space);
        return {};
    }
    if (policy == "step" && command.empty()) {
        end_lab_step();
        return {};
    }
    const uint32_t start = TRY(take_number(command));
    const uint32_t pages = TRY(take_number(command));
    const uint32_t frames = TRY(take_number(command));
    if (!command.empty()) return Errno::inval;
    return start_lab(*space, VirtAddr(start), pages, frames, policy);
}

constexpr ProcEntry kMemorySettingsFiles[] = {
    {.name = "heap", .show = show_heap},
    {.name = "heap_owners",
     .mode = kTypeRegular | 0600,
     .show = show_heap_owners,
     .store = command_heap_owners},
    {.name = "paging",
     .mode = kTypeRegular | 0666,
     .show = show_paging_lab,
     .store = set_paging_lab,
     .acts_on_user = true},
    {.name = "tlb",
     .mode = kTypeRegular | 0666,
     .show = show_tlb,
     .store = set_tlb_lab,
     .acts_on_user = true},
};
PROC_FILES(proc_root, kMemorySettingsFiles);
