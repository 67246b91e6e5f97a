// The table of processes: pids, look-up, groups and sessions. See process.hpp.
#include "kernel/proc/process.hpp"

#include "kernel/proc/process_table.hpp"
#include "kernel/sched/scheduler.hpp"

constinit IrqSpinLock process_tree{LockRank::process_tree};

// Every process, by pid. Not hidden: the debugger walks it.
constinit List<Process, &Process::all_node> process_list GUARDED_BY(process_tree);

namespace {

constexpr uint32_t kBuckets = 1024;
constexpr int kFirstReusedPid = 300;

constinit Process* buckets[kBuckets] GUARDED_BY(process_tree) = {};
constinit UserThread* thread_buckets[kBuckets] GUARDED_BY(process_tree) = {};
constinit int last_given GUARDED_BY(process_tree) = 0;
constinit bool ids_ahead_in_use GUARDED_BY(process_tree) = false;

Process*& bucket(int pid) REQUIRES(process_tree) {
    return buckets[static_cast<uint32_t>(pid) % kBuckets];
}
UserThread*& thread_bucket(int tid) REQUIRES(process_tree) {
    return thread_buckets[static_cast<uint32_t>(tid) % kBuckets];
}

Process* look_up(int pid) REQUIRES(process_tree) {
    for (Process* p = bucket(pid); p; p = p->hash_next)
        if (p->pid == pid) return p;
    return nullptr;
}

bool id_in_use(int id) REQUIRES(process_tree) {
    for (Process& p : process_list) {
        if (p.pid == id || p.pgid == id || p.sid == id) return true;
        for (Thread& t : p.threads)
            if (t.tid == id) return true;
    }
    return false;
}

}  // namespace

Process::~Process() { pending.clear(); }

void CpuTimes::add(const CpuTimes& other) {
    user += other.user;
    kernel += other.kernel;
    minor_faults += other.minor_faults;
    major_faults += other.major_faults;
    voluntary_switches += other.voluntary_switches;
    involuntary_switches += other.involuntary_switches;
    peak_resident = std::max(peak_resident, other.peak_resident);
    io.add(other.io);
}

void CpuTimes::note_peak(const AddressSpace* space) {
    if (space) peak_resident = std::max(peak_resident, space->peak_resident());
}

// The total is exact, from the dispatcher; ticks only tell how user and kernel mode share it. With each
// tick that share is another one, but neither time ever goes back.
CpuTimes times_of(const Thread& t) {
    const uint64_t total = std::max(cpu_time_of(t), t.user_told + t.kernel_told);
    uint64_t ticks = (t.user_time + t.kernel_time) / kNanosecondsPerTick;
    uint64_t user = ticks ? total / ticks * (t.user_time / kNanosecondsPerTick) : total;
    user = std::clamp(user, t.user_told, total - t.kernel_told);
    t.user_told = user, t.kernel_told = total - user;
    return {user,
            total - user,
            t.minor_faults,
            t.major_faults,
            t.voluntary_switches,
            t.involuntary_switches,
            0,
            t.io};
}

CpuTimes Process::times() const {
    LockGuard guard(process_tree);
    CpuTimes sum = dead_threads;
    for (Thread& t : const_cast<Process*>(this)->threads) sum.add(times_of(t));
    sum.note_peak(space.get());
    return sum;
}

CpuTimes Process::children_times() const {
    LockGuard guard(process_tree);
    return dead_children;
}

const char* Process::name() const NO_LOCK_ANALYSIS {
    Thread* first = threads.front();
    return first && !leader_gone ? first->name : last_name;
}

int allocate_id() {
    for (;;) {
        if (++last_given >= kMaxPid) {
            last_given = kFirstReusedPid;
            ids_ahead_in_use = true;
        }
        if (!ids_ahead_in_use || !id_in_use(last_given)) return last_given;
    }
}

Result<int> take_id(int wanted) {
    if (!wanted) return allocate_id();
    if (id_in_use(wanted)) return Errno::exist;
    ids_ahead_in_use = true;
    return wanted;
}

int last_id() NO_LOCK_ANALYSIS { return last_given; }

uint64_t new_program_number() {
    static constinit uint64_t last = 0;
    return ++last;
}

void enter_table(Process& process) {
    process.add_ref();
    process.hash_next = bucket(process.pid);
    bucket(process.pid) = &process;
    Process* before = process_list.back();
    while (before && before->pid > process.pid) before = process_list.previous(*before);
    if (before)
        process_list.insert_after(*before, process);
    else
        process_list.push_front(process);
}

void leave_table(Process& process) {
    Process** link = &bucket(process.pid);
    while (*link != &process) link = &(*link)->hash_next;
    *link = process.hash_next;
    process_list.remove(process);
}

Ref<Process> find_process(int pid) {
    LockGuard guard(process_tree);
    return Ref<Process>(look_up(pid));
}
bool is_alive(const Process& process) {
    LockGuard guard(process_tree);
    return process.life == Life::alive;
}
Process* find_process_locked(int pid) { return look_up(pid); }
List<Process, &Process::all_node>& all_processes() { return process_list; }

// A caller that walks the whole list asks for the one after the last; the list is searched only when
// that one has gone meanwhile.
Ref<Process> next_process(int from_pid) {
    LockGuard guard(process_tree);
    if (Process* known = look_up(from_pid)) return Ref<Process>(*known);
    Process* before = look_up(from_pid - 1);
    Process* next = before ? process_list.next(*before) : process_list.front();
    while (next && next->pid < from_pid) next = process_list.next(*next);
    return Ref<Process>(next);
}

void enter_thread(Process& process, UserThread& thread) {
    auto& list = process.threads;
    Thread* before = list.back();
    while (before && before->tid > thread.tid) before = list.previous(*before);
    if (before)
        list.insert_after(*before, thread);
    else
        list.push_front(thread);
    ++process.thread_count;
    thread.hash_next = std::exchange(thread_bucket(thread.tid), &thread);
}

void leave_thread(Process& process, UserThread& thread) {
    UserThread** link = &thread_bucket(thread.tid);
    while (*link != &thread) link = &(*link)->hash_next;
    *link = thread.hash_next;
    process.threads.remove(thread);
    --process.thread_count;
}

UserThread* find_thread_locked(int tid) {
    UserThread* t = thread_bucket(tid);
    while (t && t->tid != tid) t = t->hash_next;
    return t;
}

Ref<UserThread> find_thread(int tid) {
    LockGuard guard(process_tree);
    return Ref<UserThread>(find_thread_locked(tid));
}

Result<Ref<Process>> process_named(int pid) {
    Ref<Process> process = pid == 0 ? Ref<Process>(current_process()) : find_process(pid);
    if (!process) return Errno::srch;
    return process;
}

// No scan for what cannot be.
Result<Ref<UserThread>> thread_named(int tid) {
    if (tid == 0) return Ref<UserThread>(current_thread());
    Ref<UserThread> thread = tid > 0 ? find_thread(tid) : Ref<UserThread>();
    if (!thread) return Errno::srch;
    return thread;
}

void change_account(Process& process, uint32_t uid) {
    Result<Ref<UserAccount>> account = UserAccount::of(uid);
    if (account.is_error()) return;
    LockGuard guard(process_tree);
    process.account = account.value();
    for (Thread& t : process.threads) {
        auto& thread = static_cast<UserThread&>(t);
        UserAccount::uncharge(thread.payer->threads, 1);
        thread.payer = account.value();
        UserAccount::charge(thread.payer->threads, 1, UINT32_MAX);
    }
}

Result<void> set_process_group(int pid, int pgid) {
    LockGuard guard(process_tree);
    Process& self = current_process();
    Process* target = pid == 0 ? &self : look_up(pid);
    if (pgid < 0) return Errno::inval;
    if (!target || (target != &self && target->parent != &self)) return Errno::srch;
    if (target != &self && target->sid != self.sid) return Errno::perm;
    if (target != &self && target->executed) return Errno::acces;
    if (target->pid == target->sid) return Errno::perm;
    if (pgid == 0) pgid = target->pid;
    if (pgid != target->pid) {
        bool in_session = false;
        for (Process& p : process_list) in_session |= p.pgid == pgid && p.sid == target->sid;
        if (!in_session) return Errno::perm;
    }
    target->pgid = pgid;
    return {};
}

Result<int> create_session() {
    LockGuard guard(process_tree);
    Process& self = current_process();
    for (Process& p : process_list)
        if (p.pgid == self.pid) return Errno::perm;
    self.sid = self.pgid = self.pid;
    self.terminal = nullptr;
    return self.sid;
}

// Spec: POSIX.1, 3.264: no member has a parent in another group of the same session.
bool group_is_orphaned(int pgid) {
    for (Process& p : process_list)
        if (p.pgid == pgid && p.life == Life::alive && p.parent && p.parent->pgid != pgid &&
            p.parent->sid == p.sid)
            return false;
    return true;
}
