// ProcEntry: what one name in /proc is. The tables of them (procfs.cpp) are the whole tree; below
// a process, thread or descriptor one table serves all, and a ProcTarget says which is meant.
#pragma once

#include "fs/vfs.hpp"
#include "kernel/lib/format.hpp"

struct ProcTarget {
    int pid = 0;  // 0: the file is not about a process
    int tid = 0;  // 0: about the process as a whole
    int fd = -1;
    int which = -1;  // of a list of names (ProcNames)
};

struct ProcNumbers;
struct ProcNames;

struct ProcEntry {
    std::string_view name;
    uint32_t mode;
    // Files: the text; ESRCH when the process is gone. Stateless, may sleep.
    Result<void> (*generate)(TextSink& to, const ProcTarget& target) = nullptr;
    // Instead, a file of a kind of its own.
    Result<Ref<File>> (*open)(uint32_t flags, Inode& inode) = nullptr;
    Result<void> (*store)(std::string_view value) = nullptr;  // both null: read-only
    Result<void> (*store_for)(const ProcTarget& target, std::string_view value) = nullptr;
    // It takes locks that come before those of a reader.
    bool rendered_by_open = false;
    // Directories.
    std::span<const ProcEntry> children = {};
    const ProcNumbers* numbers = nullptr;
    const ProcNames* names = nullptr;
    // Links: by text, or to a place; a descriptor without a place is reached as the file itself.
    void (*text)(TextSink& to, const ProcTarget& target) = nullptr;
    Result<Path> (*place)(const ProcTarget& target) = nullptr;
    Result<Ref<File>> (*file)(const ProcTarget& target) = nullptr;
};

// The names of a directory that are numbers: processes, threads, descriptors.
struct ProcNumbers {
    int (*next)(const ProcTarget& target, int from);  // the smallest >= from; -1: none
    int ProcTarget::*field;
    const ProcEntry& entry;  // its name is unused
};

// The names of a directory that are found at run time: disks. Position `which` has the same name for
// ever; empty: that is the end.
struct ProcNames {
    std::string_view (*name)(int which);
    const ProcEntry& entry;  // its name is unused
};

// --- system_files.cpp, machine_files.cpp
Result<void> show_memory(TextSink& to, const ProcTarget&);
Result<void> show_paging_counts(TextSink& to, const ProcTarget&);
Result<void> show_fragmentation(TextSink& to, const ProcTarget&);
Result<void> show_free_runs(TextSink& to, const ProcTarget&);
Result<void> show_statistics(TextSink& to, const ProcTarget&);
Result<void> show_schedule_statistics(TextSink& to, const ProcTarget&);
Result<void> show_uptime(TextSink& to, const ProcTarget&);
Result<void> show_load(TextSink& to, const ProcTarget&);
Result<void> show_version(TextSink& to, const ProcTarget&);
Result<void> show_command_line(TextSink& to, const ProcTarget&);
Result<void> show_file_systems(TextSink& to, const ProcTarget&);
Result<void> show_swaps(TextSink& to, const ProcTarget&);
Result<void> show_processor(TextSink& to, const ProcTarget&);
Result<void> show_interrupts(TextSink& to, const ProcTarget&);
Result<void> show_devices(TextSink& to, const ProcTarget&);
Result<void> show_disks(TextSink& to, const ProcTarget&);

// --- disk_files.cpp: /proc/diskstats, /proc/sys/dev/disk
Result<void> show_disk_counts(TextSink& to, const ProcTarget&);
constexpr uint32_t kDiskSettingCount = 3;
extern const ProcEntry kDiskSettings[kDiskSettingCount];
extern const ProcNames kDiskNames;

// --- process_files.cpp, process_status.cpp, process_links.cpp
Result<void> show_process_stat(TextSink& to, const ProcTarget& target);
Result<void> show_process_status(TextSink& to, const ProcTarget& target);
Result<void> show_process_memory(TextSink& to, const ProcTarget& target);
Result<void> show_process_name(TextSink& to, const ProcTarget& target);
Result<void> set_process_name(const ProcTarget& target, std::string_view name);
Result<void> show_process_wait(TextSink& to, const ProcTarget& target);
Result<void> show_process_arguments(TextSink& to, const ProcTarget& target);
Result<void> show_process_environment(TextSink& to, const ProcTarget& target);
Result<void> show_process_regions(TextSink& to, const ProcTarget& target);
Result<void> show_process_region_use(TextSink& to, const ProcTarget& target);
Result<void> show_process_region_sum(TextSink& to, const ProcTarget& target);
Result<void> show_process_limits(TextSink& to, const ProcTarget& target);
Result<void> show_process_mounts(TextSink& to, const ProcTarget& target);
Result<void> show_process_mount_details(TextSink& to, const ProcTarget& target);
void link_to_self(TextSink& to, const ProcTarget&);
void link_to_own_thread(TextSink& to, const ProcTarget&);
Result<Path> program_of(const ProcTarget& target);
Result<Path> directory_of(const ProcTarget& target);
Result<Path> root_of(const ProcTarget& target);
Result<Path> descriptor_place(const ProcTarget& target);
Result<Ref<File>> descriptor_file(const ProcTarget& target);

Result<void> show_process_scheduling(TextSink& to, const ProcTarget& target);
Result<void> show_process_schedule_times(TextSink& to, const ProcTarget& target);

// --- page_map.cpp
Result<Ref<File>> open_page_map(uint32_t flags, Inode& inode);

// --- page_walk.cpp
Result<Ref<File>> open_page_walk(uint32_t flags, Inode& inode);

// --- trace_files.cpp
Result<Ref<File>> open_trace(uint32_t flags, Inode& inode);
Result<Ref<File>> open_trace_raw(uint32_t flags, Inode& inode);
Result<void> mark_trace(std::string_view text);
extern const ProcEntry kTraceSettings[2];

// --- settings.cpp, scheduler_settings.cpp: /proc/sys; the latter: /proc/sched_log too
extern const ProcEntry kSettings[4];
Result<void> system_request(std::string_view key);
constexpr uint32_t kSchedulerSettingCount = 18;
extern const ProcEntry kSchedulerSettings[kSchedulerSettingCount];
Result<void> show_run_log(TextSink& to, const ProcTarget&);

// --- memory_settings.cpp: /proc/sys/vm, /proc/paging
constexpr uint32_t kMemorySettingCount = 20;
extern const ProcEntry kMemorySettings[kMemorySettingCount];
Result<void> show_kernel_heap(TextSink& to, const ProcTarget&);
Result<void> show_leaks(TextSink& to, const ProcTarget&);
Result<void> show_tlb(TextSink& to, const ProcTarget&);
Result<void> set_tlb_lab(std::string_view command);
Result<void> show_paging_lab(TextSink& to, const ProcTarget&);
Result<void> set_paging_lab(std::string_view command);
