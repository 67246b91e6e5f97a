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
    uint64_t number;
    if (!parse_number(take_word(text), number) || number > UINT32_MAX) return Errno::inval;
    return static_cast<uint32_t>(number);
}

Result<void> show(TextSink& to, uint32_t value) {
    format_to(to, "{}\n", value);
    return {};
}
Result<void> set(Atomic<uint32_t>& setting, std::string_view text, uint32_t most) {
    const uint32_t value = TRY(take_number(text));
    if (value > most || !text.empty()) return Errno::inval;
    setting.store_relaxed(value);
    return {};
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

Result<uint32_t> only_number(std::string_view text) {
    const uint32_t number = TRY(take_number(text));
    if (!text.empty()) return Errno::inval;
    return number;
}

// A figure of write-back. One that is set as a number of bytes ends its ratio, and the other way round.
template <Atomic<uint32_t> WriteBackSettings::*figure, uint32_t least, uint32_t most,
          Atomic<uint32_t> WriteBackSettings::*other = nullptr>
constexpr ProcEntry dirty_entry(std::string_view name) {
    return {.name = name,
            .mode = kTypeRegular | 0644,
            .generate =
                [](TextSink& to, const ProcTarget&) {
                    return show(to, (write_back_settings.*figure).relaxed());
                },
            .store = [](std::string_view text) -> Result<void> {
                const uint32_t value = TRY(only_number(text));
                if (value < least || value > most) return Errno::inval;
                (write_back_settings.*figure).store_relaxed(value);
                if constexpr (other != nullptr) (write_back_settings.*other).store_relaxed(0);
                return {};
            }};
}
using Dirty = WriteBackSettings;
constexpr uint32_t kLeastBytes = 2 * kPageSize;

}  // namespace

constexpr ProcEntry kMemorySettings[] = {
    {.name = "compact_memory",
     .mode = kTypeRegular | 0200,
     .generate = [](TextSink&, const ProcTarget&) -> Result<void> { return {}; },
     .store = [](std::string_view what) -> Result<void> {
         if (what != "1") return Errno::inval;
         compact_memory();
         return {};
     }},
    dirty_entry<&Dirty::background_bytes, kLeastBytes, UINT32_MAX, &Dirty::background_ratio>(
        "dirty_background_bytes"),
    dirty_entry<&Dirty::background_ratio, 0, 100, &Dirty::background_bytes>(
        "dirty_background_ratio"),
    dirty_entry<&Dirty::bytes, kLeastBytes, UINT32_MAX, &Dirty::ratio>("dirty_bytes"),
    dirty_entry<&Dirty::expire_centiseconds, 0, INT32_MAX>("dirty_expire_centisecs"),
    dirty_entry<&Dirty::ratio, 0, 100, &Dirty::bytes>("dirty_ratio"),
    dirty_entry<&Dirty::interval_centiseconds, 0, INT32_MAX>("dirty_writeback_centisecs"),
    {.name = "drop_caches",
     .mode = kTypeRegular | 0200,
     .generate = [](TextSink&, const ProcTarget&) -> Result<void> { return {}; },
     .store = drop_caches},
    {.name = "overcommit_memory",
     .mode = kTypeRegular | 0644,
     .generate = [](TextSink& to,
                    const ProcTarget&) { return show(to, commitment_rule.overcommit); },
     .store = [](std::string_view text) { return set(commitment_rule.overcommit, text, 2); }},
    {.name = "overcommit_ratio",
     .mode = kTypeRegular | 0644,
     .generate = [](TextSink& to, const ProcTarget&) { return show(to, commitment_rule.ratio); },
     .store = [](std::string_view text) -> Result<void> {
         TRY(set(commitment_rule.ratio, text, 1000));
         commitment_rule.kilobytes = 0;
         return {};
     }},
    {.name = "overcommit_kbytes",
     .mode = kTypeRegular | 0644,
     .generate = [](TextSink& to,
                    const ProcTarget&) { return show(to, commitment_rule.kilobytes); },
     .store = [](std::string_view text) -> Result<void> {
         TRY(set(commitment_rule.kilobytes, text, UINT32_MAX));
         if (commitment_rule.kilobytes) commitment_rule.ratio = 0;
         return {};
     }},
    {.name = "max_map_count",
     .mode = kTypeRegular | 0644,
     .generate = [](TextSink& to, const ProcTarget&) { return show(to, region_count_most); },
     .store = [](std::string_view text) { return set(region_count_most, text, INT32_MAX); }},
    {.name = "mmap_min_addr",
     .mode = kTypeRegular | 0444,
     .generate = [](TextSink& to, const ProcTarget&) { return show(to, kLowestMapping.raw()); }},
    {.name = "read_ahead_kb",
     .mode = kTypeRegular | 0644,
     .generate = [](TextSink& to, const ProcTarget&) { return show(to, read_ahead_kib()); },
     .store = [](std::string_view text) -> Result<void> {
         return set_read_ahead_kib(TRY(only_number(text)));
     }},
    {.name = "tlb_single_page_flush_ceiling",
     .mode = kTypeRegular | 0644,
     .generate = [](TextSink& to, const ProcTarget&) -> Result<void> {
         format_to(to, "{}\n", tlb_flush_ceiling());
         return {};
     },
     .store = [](std::string_view text) -> Result<void> {
         set_tlb_flush_ceiling(TRY(only_number(text)));
         return {};
     }},
};
PROC_FILES(proc_sys_vm, kMemorySettings);

Result<void> show_kernel_heap(TextSink& to, const ProcTarget&) {
    show_heap(to);
    return {};
}
Result<void> show_leaks(TextSink& to, const ProcTarget&) {
    show_heap_owners(to);
    return {};
}

Result<void> show_tlb(TextSink& to, const ProcTarget&) {
    for (uint32_t i = 0; i < cpu_count; ++i) {
        const TlbStatistics s = tlb_statistics(i);
        format_to(to, "cpu{} pages {} whole {} asked {} answered {}\n", i, s.single, s.full,
                  s.asked, s.answered);
    }
    return {};
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

Result<void> show_paging_lab(TextSink& to, const ProcTarget&) {
    if (AddressSpace* space = Thread::current().space) show_lab(*space, to);
    return {};
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
    {.name = "heap", .generate = show_kernel_heap},
    {.name = "heap_owners",
     .mode = kTypeRegular | 0600,
     .generate = show_leaks,
     .store = command_heap_owners},
    {.name = "paging",
     .mode = kTypeRegular | 0666,
     .generate = show_paging_lab,
     .store = set_paging_lab,
     .acts_on_user = true},
    {.name = "tlb",
     .mode = kTypeRegular | 0666,
     .generate = show_tlb,
     .store = set_tlb_lab,
     .acts_on_user = true},
};
PROC_FILES(proc_root, kMemorySettingsFiles);
