// See fs/proc/process_source.hpp. Locks: process_tree while a process is looked at, not while its
// memory or files are.
#include "fs/proc/process_source.hpp"

#include <algorithm>

#include "drivers/tty.hpp"
#include "kernel/proc/process_source.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/sched/scheduler.hpp"
#include "mm/load_control.hpp"

namespace {

void fill_scheduling(ProcessInfo::Scheduling& to, const Thread& thread) {
    constexpr uint8_t kNumbers[] = {0, 1, 2, 6};  // of SchedClass
    const SchedEntity& e = thread.sched;
    const bool fixed =
        e.sched_class == SchedClass::fifo || e.sched_class == SchedClass::round_robin;
    to.state = state_name(thread.state);
    to.since = thread.state_since;
    to.policy = e.sched_class == SchedClass::fair ? thread.fair_kind
                                                  : kNumbers[static_cast<uint32_t>(e.sched_class)];
    to.rt_priority = fixed ? e.rt_priority : 0;
    to.cpu_time = cpu_time_of(thread);
    to.ready_time = thread.ready_time;
    to.job_time = thread.job_wait;
    to.service = e.service;
    to.served = e.served;
    to.declared = e.declared;
    to.turns = thread.turns;
}

char state_letter(const Process& process, const Thread* thread) REQUIRES(process_tree) {
    if (process.life == Life::zombie || !thread) return 'Z';
    if (process.stopped) return 'T';
    switch (thread->state) {
        case ThreadState::created: return thread->job_waits ? 'P' : 'R';
        case ThreadState::ready:
        case ThreadState::running: return 'R';
        case ThreadState::suspended_ready:
        case ThreadState::suspended_blocked: return 'T';
        case ThreadState::terminated: return 'X';
        default: break;
    }
    if (std::string_view(thread->wait_reason) == kTracedWait) return 't';
    return thread->interruptible ? 'S' : 'D';
}

void fill_signals(ProcessInfo& info, const Process& process, const UserThread* thread) {
    LockGuard guard(process.signal_lock);
    info.signals_pending = process.pending.set | (thread ? thread->pending.set : 0);
    info.signals_blocked = thread ? thread->blocked : 0;
    for (int n = 1; n <= kSignals; ++n) {
        uint32_t handler = process.actions[n - 1].handler;
        if (handler == kHandlerIgnore) info.signals_ignored |= signal_bit(n);
        if (handler > kHandlerIgnore) info.signals_caught |= signal_bit(n);
    }
}

void fill_times(ProcessInfo& info, const CpuTimes& own, const CpuTimes& children) {
    info.user_time = own.user;
    info.kernel_time = own.kernel;
    info.minor_faults = own.minor_faults;
    info.major_faults = own.major_faults;
    info.voluntary_switches = own.voluntary_switches;
    info.involuntary_switches = own.involuntary_switches;
    info.children_user_time = children.user;
    info.children_kernel_time = children.kernel;
    info.children_minor_faults = children.minor_faults;
    info.children_major_faults = children.major_faults;
}

// `thread` null: the process as a whole, or its first thread that has ended.
ProcessInfo describe(Process& process, Thread* thread, Tty*& terminal) REQUIRES(process_tree) {
    ProcessInfo info;
    Thread* shown = thread || process.leader_gone ? thread : process.threads.front();
    info.pid = thread ? thread->tid : process.pid;
    info.parent = process.parent ? process.parent->pid : 0;
    info.tracer = shown ? static_cast<UserThread*>(shown)->tracer.relaxed() : 0;
    info.group = process.pgid;
    info.session = process.sid;
    info.state = state_letter(process, shown);
    __builtin_memcpy(info.name, shown ? shown->name : process.last_name, sizeof info.name);
    if (shown) info.wait_reason = shown->wait_reason;
    info.credentials = process.fs.credentials;
    info.dumpable = process.dumpable;
    info.umask = process.fs.umask;
    info.threads = process.thread_count;
    info.nice = shown ? shown->sched.nice : 0;
    info.start_time = process.start_time;
    info.exit_signal = process.exit_signal;
    info.start_stack = process.arguments_start;
    info.affinity = shown ? affinity_of(*shown) : 0;
    info.signals_queued = process.account ? process.account->signals.relaxed() : 0;
    info.signals_most = process.limits[limit_sigpending].soft;
    info.rss_limit = process.limits[limit_rss].soft;
    CpuTimes own = process.dead_threads;
    if (thread)
        own = times_of(*thread);
    else
        for (Thread& t : process.threads) own.add(times_of(t));
    fill_times(info, own, process.dead_children);
    if (shown) fill_scheduling(info.scheduling, *shown);
    fill_signals(info, process, static_cast<UserThread*>(shown));
    terminal = process.terminal;
    return info;
}

Thread* find_in(Process& process, int tid) REQUIRES(process_tree) {
    UserThread* thread = find_thread_locked(tid);
    return thread && thread->process == &process ? thread : nullptr;
}

// `tid` 0: of the process as a whole.
Result<ProcessInfo> thread_info(int pid, int tid) {
    Ref<AddressSpace> space;
    Tty* terminal = nullptr;
    ProcessInfo info;
    {
        LockGuard guard(process_tree);
        Process* process = find_process_locked(pid);
        if (!process) return Errno::srch;
        Thread* found = tid ? find_in(*process, tid) : nullptr;
        const bool ended = tid && !found && process->leader_gone && tid == pid;
        if (tid && !found && !ended) return Errno::srch;
        info = describe(*process, found, terminal);
        if (ended) fill_times(info, process->dead_leader, process->dead_children);
        space = process->space;
    }
    if (space) info.memory = memory_use(*space);
    if (terminal) {
        info.terminal_device = terminal->device_number();
        info.terminal_group = terminal->foreground_group();
    }
    return info;
}

int next_thread(int pid, int from) {
    LockGuard guard(process_tree);
    Process* process = find_process_locked(pid);
    if (!process) return 0;
    if (process->leader_gone && pid >= from) return pid;  // its first thread is listed still
    // A caller that walks all threads asks for the one after the last: the list is in order.
    const UserThread* before = find_thread_locked(from - 1);
    const bool known = before && before->process == process;
    Thread* next = known ? process->threads.next(*before) : process->threads.front();
    while (next && next->tid < from) next = process->threads.next(*next);
    return next ? next->tid : 0;
}

// A thread's name, for others of its process. EINVAL: not one of them.
Result<void> rename_thread(int pid, int tid, std::string_view name) {
    LockGuard guard(process_tree);
    Process* process = find_process_locked(pid);
    if (!process) return Errno::srch;
    if (process != &current_process()) return Errno::inval;
    Thread* thread = find_in(*process, tid ? tid : pid);
    if (!thread) return Errno::srch;
    char fresh[sizeof thread->name] = {};
    const size_t room = sizeof fresh - 1;
    __builtin_memcpy(fresh, name.data(), name.size() < room ? name.size() : room);
    __builtin_memcpy(thread->name, fresh, sizeof fresh);
    return {};
}

// The process, if it still runs what it ran when the file was opened.
Process* find_target(const ProcTarget& target) REQUIRES(process_tree) {
    Process* p = find_process_locked(target.pid);
    return p && (!target.program || p->program == target.program) ? p : nullptr;
}

template <uint32_t Process::*start, uint32_t Process::*end>
Result<uint32_t> read_area_of(const ProcTarget& target, uint32_t offset, std::span<char> to) {
    Ref<AddressSpace> space;
    uint32_t from = 0, bytes = 0;
    {
        LockGuard guard(process_tree);
        Process* p = find_target(target);
        if (!p) return Errno::srch;
        space = p->space;
        from = p->*start + offset;
        if (offset < p->*end - p->*start) bytes = p->*end - from;
    }
    if (!space || !bytes) return 0u;
    bytes = std::min(bytes, static_cast<uint32_t>(to.size()));
    TRY(space->read(to.data(), VirtAddr(from), bytes));
    return bytes;
}

template <typename Choose>
Result<Path> path_of(int pid, Choose&& choose) {
    Path path;
    {
        LockGuard guard(process_tree);
        Process* p = find_process_locked(pid);
        if (!p) return Errno::srch;
        path = choose(*p);
    }
    if (!path) return Errno::noent;
    return path;
}

Ref<FdTable> files_of(int pid) {
    LockGuard guard(process_tree);
    Process* p = find_process_locked(pid);
    return p ? p->files : Ref<FdTable>();
}

int next_descriptor(int pid, int from) {
    Ref<FdTable> files = files_of(pid);
    return files ? files->next_open(from) : -1;
}

Result<Ref<File>> descriptor(int pid, int fd) {
    Ref<FdTable> files = files_of(pid);
    if (!files) return Errno::srch;
    return files->get(fd);
}

Result<Ref<AddressSpace>> space_of_target(const ProcTarget& target) {
    LockGuard guard(process_tree);
    Process* p = find_target(target);
    if (!p || !p->space) return Errno::srch;
    return p->space;
}

Result<ProcessLimit> limit(int pid, uint32_t resource) {
    LockGuard guard(process_tree);
    Process* p = find_process_locked(pid);
    if (!p) return Errno::srch;
    if (resource >= limit_count) return Errno::inval;
    return ProcessLimit{p->limits[resource].soft, p->limits[resource].hard};
}

Result<void> suspend(int pid, bool suspended) {
    const Credentials& self = current_process().fs.credentials;
    LockGuard guard(process_tree);
    Process* p = find_process_locked(pid);
    if (!p || p->life != Life::alive) return Errno::srch;
    if (p == init_process) return Errno::perm;
    if (!self.may(Capability::kill) && self.euid != p->fs.credentials.uid) return Errno::perm;
    if (p->space) order_out(*p->space, suspended);
    for (Thread& thread : p->threads) suspended ? suspend_thread(thread) : resume_thread(thread);
    return {};
}

bool may_inspect(int pid) {
    LockGuard guard(process_tree);
    Process* p = find_process_locked(pid);
    const Credentials& self = current_process().fs.credentials;
    return p && may_inspect(*p, self.fsuid, self.fsgid);
}

uint64_t program_of_pid(int pid) {
    LockGuard guard(process_tree);
    Process* p = find_process_locked(pid);
    return p ? p->program : 0;
}

bool suspend_space(AddressSpace& space, bool suspended) {
    bool any = false;
    for (Ref<Process> p = next_process(2); p; p = next_process(p->pid + 1)) {
        LockGuard guard(process_tree);
        if (p->space.get() != &space || p->life != Life::alive) continue;
        for (Thread& thread : p->threads) suspended ? put_to_rest(thread) : resume_thread(thread);
        any = true;
    }
    return any;
}

// Of several processes in one space (vfork) the one that computed longest stands for it.
void describe_spaces() {
    for (Ref<Process> p = next_process(1); p; p = next_process(p->pid + 1)) {
        const CpuTimes times = p->times();
        const auto computed = static_cast<uint32_t>((times.user + times.kernel) / 1'000'000);
        LockGuard guard(process_tree);
        if (!p->space || p->threads.empty()) continue;
        PagingState& state = p->space->paging();
        if (state.process != p->pid && computed < state.own_time) continue;
        if (state.process != p->pid || computed != state.own_time)
            state.ran_at = monotonic_now().raw();
        state.process = p->pid;
        state.nice = p->threads.front()->sched.nice;
        state.own_time = computed;
    }
}
}  // namespace

void process_source_init() {
    suspend_space_hook = suspend_space;
    describe_spaces_hook = describe_spaces;
    install_process_source({
        .current = [] { return Thread::current().process ? current_process().pid : 0; },
        .current_thread = [] { return Thread::current().tid; },
        .current_context = []() -> FsContext& { return current_process().fs; },
        .process_of =
            [](int tid) {
                const Ref<UserThread> thread = find_thread(tid);
                return thread ? thread->process->pid : 0;
            },
        .last_id = last_id,
        .next =
            [](int from) {
                Ref<Process> process = next_process(from);
                return process ? process->pid : 0;
            },
        .next_thread = next_thread,
        .info = [](int pid) { return thread_info(pid, 0); },
        .thread_info = thread_info,
        .command_line = read_area_of<&Process::arguments_start, &Process::arguments_end>,
        .environment = read_area_of<&Process::environment_start, &Process::environment_end>,
        .executable = [](int pid) { return path_of(pid, [](Process& p) { return p.executable; }); },
        .working_directory =
            [](int pid) {
                return path_of(pid, [](Process& p) { return working_directory(p.fs); });
            },
        .root =
            [](int pid) { return path_of(pid, [](Process& p) { return root_directory(p.fs); }); },
        .next_descriptor = next_descriptor,
        .descriptor = descriptor,
        .space = space_of_target,
        .limit = limit,
        .suspend = suspend,
        .rename_thread = rename_thread,
        .may_inspect = may_inspect,
        .program = program_of_pid,
    });
}
