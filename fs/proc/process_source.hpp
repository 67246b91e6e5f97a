// What /proc asks of processes. The interface lies here, below kernel/proc, which implements and
// installs it at start-up. Every function copies out what it found under its own locks; a process
// that is gone meanwhile is ESRCH.
#pragma once

#include "fs/proc/proc_entry.hpp"
#include "mm/memory_use.hpp"

struct ProcessInfo {
    int pid = 0, parent = 0, group = 0, session = 0, tracer = 0;
    uint32_t terminal_device = 0;  // major << 8 | minor; 0: none
    int terminal_group = -1;       // the terminal's foreground group; -1: no terminal
    char state = 'R';              // R S D T Z as in ps
    char name[16] = {};
    const char* wait_reason = "";
    Credentials credentials;
    bool dumpable = true;
    uint32_t threads = 0;
    int nice = 0;
    uint64_t user_time = 0, kernel_time = 0;  // nanoseconds
    uint64_t children_user_time = 0, children_kernel_time = 0;
    Nanoseconds start_time{0};  // since boot
    MemoryUse memory{};         // pages; zeros for zombies
    uint32_t minor_faults = 0, major_faults = 0, children_minor_faults = 0,
             children_major_faults = 0;
    uint32_t voluntary_switches = 0, involuntary_switches = 0;
    uint64_t signals_pending = 0, signals_blocked = 0, signals_ignored = 0, signals_caught = 0;
    uint32_t umask = 0;
    uint32_t affinity = 0;                          // CPUs that it may run on, as bits
    uint32_t signals_queued = 0, signals_most = 0;  // of its user
    uint32_t start_stack = 0;                       // user addresses
    int exit_signal = 0;
    uint32_t rss_limit = UINT32_MAX;
    struct Scheduling {  // of the thread, or a process' first one
        const char* state = "terminated";
        Nanoseconds since{0};
        uint32_t policy = 0, rt_priority = 0;                 // Linux's numbers
        uint64_t cpu_time = 0, ready_time = 0, job_time = 0;  // nanoseconds
        uint64_t service = 0, served = 0;
        bool declared = false;
        uint32_t turns = 0;
    } scheduling;
};

struct ProcessLimit {
    uint32_t soft, hard;
};

struct ProcessSource {
    int (*current)();         // pid of the caller
    int (*current_thread)();  // its tid
    FsContext& (*current_context)();
    int (*process_of)(int tid);             // the pid of a thread's process; 0: no such thread
    int (*last_id)();                       // given to a process or thread last
    int (*next)(int from);                  // the smallest pid >= from; 0: none
    int (*next_thread)(int pid, int from);  // the smallest tid >= from of that process; 0: none
    Result<ProcessInfo> (*info)(int pid);
    Result<ProcessInfo> (*thread_info)(int pid,
                                       int tid);  // like info, with that thread's own figures
    // The bytes of the argument or environment area, from `offset`; 0 at the end or for a zombie.
    Result<uint32_t> (*command_line)(const ProcTarget& target, uint32_t offset, std::span<char> to);
    Result<uint32_t> (*environment)(const ProcTarget& target, uint32_t offset, std::span<char> to);
    Result<Path> (*executable)(int pid);  // ENOENT for kernel threads and zombies
    Result<Path> (*working_directory)(int pid);
    Result<Path> (*root)(int pid);
    int (*next_descriptor)(int pid, int from);         // the first open one >= from; -1: none
    Result<Ref<File>> (*descriptor)(int pid, int fd);  // EBADF
    Result<Ref<AddressSpace>> (*space)(const ProcTarget& target);  // ESRCH for a zombie
    Result<ProcessLimit> (*limit)(int pid, uint32_t resource);     // RLIMIT_* numbers
    Result<void> (*suspend)(int pid, bool suspended);  // EPERM unless it is the caller's
    Result<void> (*rename_thread)(int pid, int tid, std::string_view name);  // EINVAL: another's
    // Linux's ptrace access check: the caller has all its ids and it is dumpable, or is the superuser.
    bool (*may_inspect)(int pid);
    uint64_t (*program)(int pid);  // the number of what it runs, never used again; 0: no process
};
void install_process_source(const ProcessSource& source);
const ProcessSource& process_source();
// ProcNumbers' question for the directories that have a name for each open descriptor.
inline int next_descriptor(const ProcTarget& target, int from) {
    return process_source().next_descriptor(target.pid, from);
}
