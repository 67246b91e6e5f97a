// See file_locks.hpp.
#include "kernel/linux/file_locks.hpp"

#include "fs/proc/proc_entry.hpp"
#include "fs/wait_edges.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/lib/preemption.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace {

struct LockedFile {
    explicit LockedFile(Inode& inode) : inode(&inode) {}
    ListNode node;
    Inode* inode;
    RecordLocks records, whole;
    uint32_t waiting = 0;  // threads that sleep here
    WaitQueue queue;
    RecordLocks& of(LockKind kind) { return kind == LockKind::whole ? whole : records; }
};

// One that waits, on its own stack.
struct Waiting {
    ListNode node;
    LockedFile* file;
    LockKind kind;
    const LockRange* range;
    enum class Mark : uint8_t { none, reached, done } mark = Mark::none;  // would_deadlock()'s
};

constexpr uint32_t kBuckets = 64;
constinit Mutex file_locks_lock{LockRank::file_locks};
constinit List<LockedFile, &LockedFile::node> buckets[kBuckets] GUARDED_BY(file_locks_lock) = {};
constinit List<Waiting, &Waiting::node> all_waiting GUARDED_BY(file_locks_lock) = {};
constinit Atomic<uint32_t> locked_files = 0;  // closing a file looks here first

auto& bucket_of(const Inode& inode) {
    return buckets[reinterpret_cast<uintptr_t>(&inode) / sizeof(Inode) % kBuckets];
}

LockedFile* find(Inode& inode) {
    for (LockedFile& file : bucket_of(inode))
        if (file.inode == &inode) return &file;
    return nullptr;
}

Result<LockedFile*> find_or_make(Inode& inode) {
    if (LockedFile* file = find(inode)) return file;
    auto* file = new (std::nothrow) LockedFile(inode);
    if (!file) return Errno::nomem;
    bucket_of(inode).push_back(*file);
    locked_files.fetch_add(1);
    return file;
}

void forget_if_unused(LockedFile& file) {
    if (!file.records.empty() || !file.whole.empty() || file.waiting) return;
    bucket_of(*file.inode).remove(file);
    delete &file;
    locked_files.subtract(1);
}

// Whether who would wait for `wanted` would, through any number of others, wait for itself. A waiter waits
// until all that is in its way is gone, so every blocker counts, not the first one only.
bool would_deadlock(const LockedFile& file, const LockRange& wanted) REQUIRES(file_locks_lock) {
    bool circle = false;
    const auto reach = [&](const LockRange& blocker) NO_LOCK_ANALYSIS {
        circle |= blocker.owner == wanted.owner;
        for (Waiting& w : all_waiting)
            if (w.kind == LockKind::record && w.range->owner == blocker.owner &&
                w.mark == Waiting::Mark::none)
                w.mark = Waiting::Mark::reached;
    };
    for (Waiting& w : all_waiting) w.mark = Waiting::Mark::none;
    file.records.for_each_conflict(wanted, reach);
    for (bool more = true; more && !circle;) {
        more = false;
        for (Waiting& w : all_waiting) {
            if (w.mark != Waiting::Mark::reached) continue;
            w.mark = Waiting::Mark::done;
            more = true;
            w.file->records.for_each_conflict(*w.range, reach);
            preemption_point();
        }
    }
    return circle;
}

Result<void> wait_for_room(LockedFile& file, LockKind kind, const LockRange& range)
    REQUIRES(file_locks_lock) {
    Waiting self{.node = {}, .file = &file, .kind = kind, .range = &range};
    all_waiting.push_back(self);
    ++file.waiting;
    if (const LockRange* blocker = file.of(kind).conflict(range); blocker && wait_begins)
        wait_begins(blocker->pid, "file lock", file.inode->attributes().inode.raw());
    Woken woken = file.queue.wait(file_locks_lock, [&] { return !file.of(kind).conflict(range); },
                                  {.reason = "file_lock"});
    --file.waiting;
    self.node.unlink();
    return woken == Woken::condition ? Result<void>() : Errno::restart;
}

void tell(WaitEdges& to) {
    LockGuard guard(file_locks_lock);
    for (Waiting& w : all_waiting)
        if (const LockRange* blocker = w.file->of(w.kind).conflict(*w.range))
            to.add(w.range->pid, blocker->pid, "file lock, inode",
                   w.file->inode->attributes().inode.raw());
}

constinit WaitEdgeSource source{tell};

}  // namespace

Result<void> set_file_lock(Inode& inode, LockKind kind, const LockRange& range, bool unlock,
                           bool wait) {
    LockGuard guard(file_locks_lock);
    LockedFile* file = TRY(find_or_make(inode));
    RecordLocks& locks = file->of(kind);
    Result<void> result{};
    const LockRange* blocker = unlock ? nullptr : locks.conflict(range);
    // flock gives up its old lock before it gets, waits for, or is refused the other kind.
    if (blocker && kind == LockKind::whole && locks.drop(range.owner)) file->queue.wake_all();
    if (blocker && !wait) {
        result = Errno::again;
    } else if (blocker && kind == LockKind::record && would_deadlock(*file, range)) {
        result = Errno::deadlk;
    } else {
        if (blocker) result = wait_for_room(*file, kind, range);
        if (result.is_ok()) result = locks.set(range, !unlock);
        file->queue.wake_all();
    }
    forget_if_unused(*file);
    return result;
}

bool find_file_lock(Inode& inode, const LockRange& range, LockRange& found) {
    LockGuard guard(file_locks_lock);
    LockedFile* file = find(inode);
    const LockRange* blocker = file ? file->records.conflict(range) : nullptr;
    if (blocker) found = *blocker;
    return blocker;
}

namespace {

// A process loses its record locks on a file with any descriptor of it.
void drop_file_locks(File& closed, const void* owner) {
    if (!locked_files.relaxed() || !closed.inode()) return;
    LockGuard guard(file_locks_lock);
    LockedFile* file = find(*closed.inode());
    if (!file) return;
    const bool records = file->records.drop(owner), whole = file->whole.drop(owner);
    if (records || whole) file->queue.wake_all();
    forget_if_unused(*file);
}

// --- /proc/locks. Spec: proc(5).

void show_file(TextSink& to, const LockedFile& file, uint32_t& number) {
    const auto show = [&](std::string_view kind, const LockRange& range) {
        const Attributes a = file.inode->attributes();
        format_to(to, "{}: {} ADVISORY  {} {} {:02x}:{:02x}:{} {} ", ++number, kind,
                  range.write ? "WRITE" : "READ ", range.pid, device_major(a.device),
                  device_minor(a.device), a.inode.raw(), range.first);
        if (range.last == kLockToEnd)
            to.put("EOF\n");
        else
            format_to(to, "{}\n", range.last);
    };
    // F_GETLK tells pid -1 of an open file's lock.
    file.records.for_each([&](const LockRange& r) { show(r.pid < 0 ? "OFDLCK" : "POSIX ", r); });
    file.whole.for_each([&](const LockRange& r) { show("FLOCK ", r); });
}

void show_locks(TextSink& to) {
    uint32_t number = 0;
    LockGuard guard(file_locks_lock);
    for (auto& bucket : buckets)
        for (LockedFile& file : bucket) show_file(to, file, number);
}

constexpr ProcEntry kLockFiles[] = {{.name = "locks", .show = show_locks}};
PROC_FILES(proc_root, kLockFiles);

constinit HookList<File&, const void*>::Hook locks_hook{drop_file_locks};
void file_locks_init() {
    add_wait_edge_source(source);
    file_closed.add(locks_hook);
}
AT_START_UP(file_locks_init);

}  // namespace
