// See procfs.hpp: the tree of names, and the mounted instance.
#include "fs/proc/procfs.hpp"

#include "fs/mount.hpp"
#include "fs/proc/proc_node.hpp"
#include "fs/proc/process_source.hpp"
#include "fs/proc/upper_files.hpp"
#include "mm/heap.hpp"

namespace {

constexpr uint32_t kFile = kTypeRegular | 0444, kPrivate = kTypeRegular | 0400,
                   kWritable = kTypeRegular | 0644, kDirectory = kTypeDirectory | 0555,
                   kLink = kTypeSymlink | 0777;

void link_to_mounts(TextSink& to, const ProcTarget&) { to.put("self/mounts"); }

int zero_is_none(int number) { return number ? number : -1; }
int next_process(const ProcTarget&, int from) { return zero_is_none(process_source().next(from)); }
int next_thread(const ProcTarget& target, int from) {
    return zero_is_none(process_source().next_thread(target.pid, from));
}
int next_descriptor(const ProcTarget& target, int from) {
    return process_source().next_descriptor(target.pid, from);
}

constexpr ProcEntry kDescriptor = {.name = "descriptor",
                                   .mode = kTypeSymlink | 0700,
                                   .place = descriptor_place,
                                   .file = descriptor_file};
constexpr ProcNumbers kDescriptors = {next_descriptor, &ProcTarget::fd, kDescriptor};

constexpr ProcEntry kThreadFiles[] = {
    {.name = "sched", .mode = kFile, .generate = show_process_scheduling},
    {.name = "schedstat", .mode = kFile, .generate = show_process_schedule_times},
    {.name = "stat", .mode = kFile, .generate = show_process_stat},
    {.name = "status", .mode = kFile, .generate = show_process_status},
    {.name = "statm", .mode = kFile, .generate = show_process_memory},
    {.name = "comm",
     .mode = kWritable,
     .generate = show_process_name,
     .store_for = set_process_name},
    {.name = "cmdline", .mode = kFile, .generate = show_process_arguments},
    {.name = "wchan", .mode = kFile, .generate = show_process_wait},
};
constexpr ProcEntry kThread = {.name = "thread", .mode = kDirectory, .children = kThreadFiles};
constexpr ProcNumbers kThreads = {next_thread, &ProcTarget::tid, kThread};

constexpr ProcEntry kProcessFiles[] = {
    {.name = "sched", .mode = kFile, .generate = show_process_scheduling},
    {.name = "schedstat", .mode = kFile, .generate = show_process_schedule_times},
    {.name = "stat", .mode = kFile, .generate = show_process_stat},
    {.name = "status", .mode = kFile, .generate = show_process_status},
    {.name = "statm", .mode = kFile, .generate = show_process_memory},
    {.name = "comm",
     .mode = kWritable,
     .generate = show_process_name,
     .store_for = set_process_name},
    {.name = "cmdline", .mode = kFile, .generate = show_process_arguments},
    {.name = "wchan", .mode = kFile, .generate = show_process_wait},
    {.name = "environ", .mode = kPrivate, .generate = show_process_environment},
    {.name = "maps", .mode = kFile, .generate = show_process_regions},
    {.name = "limits", .mode = kFile, .generate = show_process_limits},
    {.name = "pagemap", .mode = kPrivate, .open = open_page_map},
    {.name = "smaps", .mode = kFile, .generate = show_process_region_use},
    {.name = "smaps_rollup", .mode = kFile, .generate = show_process_region_sum},
    {.name = "page_walk", .mode = kPrivate, .open = open_page_walk},
    {.name = "mounts", .mode = kFile, .generate = show_process_mounts, .rendered_by_open = true},
    {.name = "mountinfo",
     .mode = kFile,
     .generate = show_process_mount_details,
     .rendered_by_open = true},
    {.name = "exe", .mode = kLink, .place = program_of},
    {.name = "cwd", .mode = kLink, .place = directory_of},
    {.name = "root", .mode = kLink, .place = root_of},
    {.name = "fd", .mode = kTypeDirectory | 0500, .numbers = &kDescriptors},
    {.name = "task", .mode = kDirectory, .numbers = &kThreads},
};
constexpr ProcEntry kProcess = {.name = "process", .mode = kDirectory, .children = kProcessFiles};
constexpr ProcNumbers kProcesses = {next_process, &ProcTarget::pid, kProcess};

constexpr ProcEntry kIpcTables[] = {
    upper_entry<UpperFile::sysvipc_msg>("msg"),
    upper_entry<UpperFile::sysvipc_sem>("sem"),
    upper_entry<UpperFile::sysvipc_shm>("shm"),
};
constexpr ProcEntry kNetwork[] = {upper_entry<UpperFile::net_unix>("unix")};

constexpr ProcEntry kRootFiles[] = {
    {.name = "buddyinfo", .mode = kFile, .generate = show_free_runs},
    {.name = "cmdline", .mode = kFile, .generate = show_command_line},
    {.name = "cpuinfo", .mode = kFile, .generate = show_processor},
    upper_entry<UpperFile::deadlock>("deadlock", true),
    upper_entry<UpperFile::deadlock_dot>("deadlock.dot"),
    {.name = "devices", .mode = kFile, .generate = show_devices},
    {.name = "diskstats", .mode = kFile, .generate = show_disk_counts},
    {.name = "extfrag", .mode = kFile, .generate = show_fragmentation},
    {.name = "filesystems", .mode = kFile, .generate = show_file_systems},
    {.name = "heap", .mode = kFile, .generate = show_kernel_heap},
    {.name = "heap_owners",
     .mode = kTypeRegular | 0600,
     .generate = show_leaks,
     .store = command_heap_owners},
    {.name = "interrupts", .mode = kFile, .generate = show_interrupts},
    {.name = "loadavg", .mode = kFile, .generate = show_load},
    {.name = "meminfo", .mode = kFile, .generate = show_memory},
    {.name = "mounts", .mode = kLink, .text = link_to_mounts},
    {.name = "paging",
     .mode = kTypeRegular | 0666,
     .generate = show_paging_lab,
     .store = set_paging_lab},
    {.name = "net", .mode = kDirectory, .children = kNetwork},
    {.name = "partitions", .mode = kFile, .generate = show_disks},
    {.name = "sched_log", .mode = kFile, .generate = show_run_log},
    {.name = "schedstat", .mode = kFile, .generate = show_schedule_statistics},
    {.name = "self", .mode = kLink, .text = link_to_self},
    {.name = "stat", .mode = kFile, .generate = show_statistics},
    {.name = "swaps", .mode = kFile, .generate = show_swaps},
    upper_entry<UpperFile::sync_lab>("sync_lab", true),
    {.name = "sys", .mode = kDirectory, .children = kSettings},
    {.name = "sysvipc", .mode = kDirectory, .children = kIpcTables},
    {.name = "sysrq-trigger", .mode = kTypeRegular | 0200, .store = system_request},
    {.name = "thread-self", .mode = kLink, .text = link_to_own_thread},
    {.name = "tlb", .mode = kTypeRegular | 0666, .generate = show_tlb, .store = set_tlb_lab},
    {.name = "trace", .mode = kTypeRegular | 0644, .open = open_trace},
    {.name = "trace_marker", .mode = kTypeRegular | 0222, .store = mark_trace},
    {.name = "trace_raw", .mode = kFile, .open = open_trace_raw},
    {.name = "uptime", .mode = kFile, .generate = show_uptime},
    {.name = "version", .mode = kFile, .generate = show_version},
    {.name = "vmstat", .mode = kFile, .generate = show_paging_counts},
};
constexpr ProcEntry kRoot = {
    .name = "/", .mode = kDirectory, .children = kRootFiles, .numbers = &kProcesses};

class ProcFileSystem final : public FileSystem {
  public:
    std::string_view type_name() const override { return "proc"; }
    Ref<Inode> root() override { return root_; }
    FileSystemStatistics statistics() override { return {.type = 0x9fa0}; }
    uint32_t device_number() const override { return device_; }

    static Result<Ref<FileSystem>> mount(std::string_view, uint32_t, std::string_view) {
        Ref<ProcFileSystem> fs = TRY(make_ref<ProcFileSystem>());
        fs->root_ = TRY(make_ref<ProcNode>(*fs, kRoot, ProcTarget(), 1, 0, 0));
        return Ref<FileSystem>(fs);
    }

  private:
    const uint32_t device_ = new_anonymous_device();
    Ref<ProcNode> root_;
};

constinit FileSystemType proc_type{"proc", false, ProcFileSystem::mount};

}  // namespace

constinit UpperFunctions upper_files[static_cast<uint32_t>(UpperFile::count)] = {};

void procfs_init() { register_file_system(proc_type); }
