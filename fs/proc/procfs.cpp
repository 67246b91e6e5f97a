// See procfs.hpp: the top of the tree of names, and the mounted instance.
#include "fs/proc/procfs.hpp"

#include "fs/mount.hpp"
#include "fs/proc/proc_node.hpp"
#include "fs/proc/process_source.hpp"

extern const ProcEntry kDescriptor;  // process_links.cpp

namespace {

void link_to_mounts(TextSink& to, const ProcTarget&) { to.put("self/mounts"); }

int zero_is_none(int number) { return number ? number : -1; }
int next_process(const ProcTarget&, int from) { return zero_is_none(process_source().next(from)); }
int next_thread(const ProcTarget& target, int from) {
    return zero_is_none(process_source().next_thread(target.pid, from));
}

constexpr ProcNumbers kDescriptors = {next_descriptor, &ProcTarget::fd, kDescriptor};

constexpr ProcEntry kThread = {.name = "thread", .added = &proc_thread};
constexpr ProcNumbers kThreads = {next_thread, &ProcTarget::tid, kThread};

constexpr ProcEntry kProcessDirectories[] = {
    {.name = "fd", .mode = kTypeDirectory | 0500, .numbers = &kDescriptors},
    {.name = "task", .numbers = &kThreads},
};
PROC_FILES(proc_process, kProcessDirectories);
constexpr ProcEntry kProcess = {.name = "process", .added = &proc_process};
// A thread's number is a name of its process, with that thread's own figures.
bool find_by_thread(ProcTarget& target, int tid) {
    target.pid = process_source().process_of(tid);
    target.tid = tid;
    return target.pid != 0;
}
constexpr ProcNumbers kProcesses = {next_process, &ProcTarget::pid, kProcess, find_by_thread};

constexpr ProcEntry kRootFiles[] = {
    {.name = "mounts", .text = link_to_mounts},
    {.name = "sys", .added = &proc_sys},
};
PROC_FILES(proc_root, kRootFiles);
constexpr ProcEntry kRoot = {.name = "/", .added = &proc_root, .numbers = &kProcesses};

class ProcFileSystem final : public FileSystem {
  public:
    ProcFileSystem(std::string_view type, uint32_t magic) : type_(type), magic_(magic) {}
    std::string_view type_name() const override { return type_; }
    Ref<Inode> root() override { return root_; }
    FileSystemStatistics statistics() override { return {.type = magic_}; }
    uint32_t device_number() const override { return device_; }
    Ref<ProcNode> root_;

  private:
    const std::string_view type_;
    const uint32_t magic_, device_ = new_anonymous_device();
};

Result<Ref<FileSystem>> mount_proc(std::string_view, uint32_t, std::string_view) {
    return make_text_file_system("proc", 0x9fa0, kRoot);
}
constinit FileSystemType proc_type{"proc", false, mount_proc};

}  // namespace

Result<Ref<FileSystem>> make_text_file_system(std::string_view type, uint32_t magic,
                                              const ProcEntry& root) {
    Ref<ProcFileSystem> fs = TRY(make_ref<ProcFileSystem>(type, magic));
    fs->root_ = TRY(make_ref<ProcNode>(*fs, root, ProcTarget(), 1, 0, 0));
    return Ref<FileSystem>(fs);
}

constinit ProcDirectory proc_root, proc_process, proc_thread, proc_sys, proc_sys_fs,
    proc_sys_kernel, proc_sys_vm;

extern ProcGroup __proc_files_begin[], __proc_files_end[];

void procfs_init() {
    for (ProcGroup* group = __proc_files_begin; group < __proc_files_end; ++group) {
        group->next = group->directory->first;
        group->directory->first = group;
    }
    register_file_system(proc_type);
}
