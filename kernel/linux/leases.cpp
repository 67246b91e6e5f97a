// Leases: who has one on a file is told, by a signal, before the file is opened or cut off in a way that the
// lease excludes, and has a while to give it up or to weaken it; then it is taken away.
// Locks: `leases_lock` (rank file_events) guards all leases; signals are sent without it.
// Spec: fcntl(2), "Leases"; /proc/sys/fs/leases-enable and lease-break-time.
#include <algorithm>

#include "fs/file_events.hpp"
#include "fs/mount.hpp"
#include "fs/proc/proc_entry.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/fcntl.hpp"
#include "kernel/linux/file_owner.hpp"
#include "kernel/syscall/arguments.hpp"

namespace {

enum class LeaseKind : int { read = 0, write = 1, none = 2 };  // F_RDLCK, F_WRLCK, F_UNLCK

struct Lease {
    ListNode node;
    File* file = nullptr;  // has the lease until its last close
    int fd = -1;           // that the signal names
    LeaseKind kind = LeaseKind::none;
    LeaseKind wanted = LeaseKind::none;  // what may be left of it, if it is breaking
    bool breaking = false;
    Nanoseconds deadline{0};  // when it is broken; 0: never
};
struct Leases final : Attachment {
    static constexpr char kKind = 0;
    List<Lease, &Lease::node> list;
    WaitQueue changed;
};

constinit SpinLock leases_lock{LockRank::file_events};
constinit Atomic<uint32_t> enabled = 1, break_seconds = 45;

constexpr ProcEntry kLeaseSettings[] = {
    {.name = "leases-enable", .number = &enabled, .most = 1},
    {.name = "lease-break-time", .number = &break_seconds, .most = INT32_MAX},
};
PROC_FILES(proc_sys_fs, kLeaseSettings);

// --- with leases_lock held

Lease* lease_of(const Leases& leases, const File& file) {
    for (Lease* at = leases.list.front(); at; at = leases.list.next(*at))
        if (at->file == &file) return at;
    return nullptr;
}

// Null: there was none left to delete.
Lease* become(Leases& leases, Lease& lease, LeaseKind kind) {
    lease.kind = kind;
    lease.breaking = false;
    leases.changed.wake_all();
    if (kind != LeaseKind::none) return nullptr;
    leases.list.remove(lease);
    file_leases.subtract(1);
    return &lease;
}

bool conflicts(const Lease& lease, bool writes) { return writes || lease.kind == LeaseKind::write; }

void begin_breaking(Lease& lease, bool writes) {
    const LeaseKind wanted = writes ? LeaseKind::none : LeaseKind::read;
    lease.wanted = lease.breaking ? std::max(lease.wanted, wanted) : wanted;
    if (std::exchange(lease.breaking, true)) return;
    const uint64_t seconds = break_seconds.relaxed();
    lease.deadline = seconds ? monotonic_now() + seconds * 1'000'000'000 : Nanoseconds(0);
}

// --- another opens it

// Asks for those in the way that were not asked yet, one at a time, to be given up.
void ask_holders(Leases& leases, bool writes) {
    for (;;) {
        Ref<File> file;
        int fd = -1;
        {
            LockGuard guard(leases_lock);
            for (Lease& lease : leases.list) {
                const bool asked = lease.breaking && (lease.wanted == LeaseKind::none || !writes);
                if (!conflicts(lease, writes) || asked) continue;
                begin_breaking(lease, writes);
                if (!lease.file->try_add_ref()) continue;  // its last close is under way
                file = Ref<File>::adopt(lease.file);
                fd = lease.fd;
                break;
            }
        }
        if (!file) return;
        if (Result<FileOwner*> owner = owner_of(*file); owner.is_ok())
            owner.value()->send(kPollNewsMessage, fd);
    }
}

// The first in the way; those whose time is over are taken away.
const Lease* in_the_way(Leases& leases, bool writes, List<Lease, &Lease::node>& dead) {
    Lease* next;
    for (Lease* lease = leases.list.front(); lease; lease = next) {
        next = leases.list.next(*lease);
        if (!conflicts(*lease, writes)) continue;
        const bool over = lease->deadline.raw() && monotonic_now() >= lease->deadline;
        if (!lease->breaking || !over) return lease;
        if (Lease* gone = become(leases, *lease, lease->wanted)) dead.push_back(*gone);
    }
    return nullptr;
}

Result<void> break_all(Inode& inode, uint32_t flags) {
    auto* leases = inode.attached.get<Leases>();
    if (!leases || !enabled.relaxed()) return {};
    const bool writes = (flags & kOpenAccessMode) != kOpenReadOnly || (flags & kOpenTruncate);
    ask_holders(*leases, writes);
    List<Lease, &Lease::node> dead;
    Result<void> done;
    {
        LockGuard guard(leases_lock);
        while (const Lease* lease = in_the_way(*leases, writes, dead)) {
            if (flags & kOpenNonBlock) {
                done = Errno::again;
                break;
            }
            const Nanoseconds deadline = lease->deadline;
            const Woken woken = leases->changed.wait(
                leases_lock, [&] { return in_the_way(*leases, writes, dead) != lease; },
                {.deadline = deadline, .reason = "lease"});
            if (woken != Woken::interrupted) continue;
            done = Errno::restart;
            break;
        }
    }
    while (Lease* lease = dead.pop_front()) delete lease;
    return done;
}

// --- the holder

// Whether others have it open in a way that the lease would exclude.
bool excluded_by_others(File& file, LeaseKind kind) {
    if (kind == LeaseKind::read) return file.inode()->open_for_writing();
    return kind == LeaseKind::write && count_holders(file.path().dentry()) > 1;
}

Result<void> set_lease(File& file, int fd, LeaseKind kind) {
    Leases& leases = *TRY(file.inode()->attached.get_or_make<Leases>());
    Box<Lease> fresh = TRY(make_box<Lease>());
    own_by_caller(*TRY(owner_of(file)));
    const bool excluded = excluded_by_others(file, kind);
    LockGuard guard(leases_lock);
    Lease* lease = lease_of(leases, file);
    if (kind == LeaseKind::none) {
        if (!lease) return Errno::again;
        fresh = Box<Lease>(become(leases, *lease, kind));
        return {};
    }
    if (!enabled.relaxed()) return Errno::inval;
    const bool more_than_wanted =
        lease && lease->breaking && (lease->wanted == LeaseKind::none || kind == LeaseKind::write);
    if (more_than_wanted || excluded) return Errno::again;
    for (Lease& other : leases.list)
        if (&other != lease &&
            (kind == LeaseKind::write || other.kind == LeaseKind::write || other.breaking))
            return Errno::again;
    if (lease) {
        become(leases, *lease, kind);
        return {};
    }
    fresh->file = &file;
    fresh->fd = fd;
    fresh->kind = kind;
    leases.list.push_back(*fresh.leak());
    file_leases.add(1);
    return {};
}

LeaseKind lease_now(File& file) {
    auto* leases = file.inode()->attached.get<Leases>();
    if (!leases) return LeaseKind::none;
    LockGuard guard(leases_lock);
    const Lease* lease = lease_of(*leases, file);
    return !lease ? LeaseKind::none : lease->breaking ? lease->wanted : lease->kind;
}

constinit HookList<File&, const void*>::Hook lease_close{[](File& file, const void* owner) {
    if (!file_leases.relaxed() || owner != &file || !file.inode()) return;
    auto* leases = file.inode()->attached.get<Leases>();
    if (!leases) return;
    Box<Lease> gone;
    LockGuard guard(leases_lock);
    if (Lease* lease = lease_of(*leases, file))
        gone = Box<Lease>(become(*leases, *lease, LeaseKind::none));
}};

void leases_init() {
    break_leases = break_all;
    file_closed.add(lease_close);
}
AT_START_UP(leases_init);

}  // namespace

Result<int> lease_command(File& file, int fd, uint32_t command, uint32_t argument) {
    constexpr uint32_t kSet = 1024;
    const bool regular = file.path() && file.inode() && file.path().dentry().type() == kTypeRegular;
    if (command != kSet) return regular ? static_cast<int>(lease_now(file)) : 2;
    if (!regular || argument > 2) return Errno::inval;
    const Credentials& self = context().credentials;
    if (self.fsuid != file.inode()->ownership().uid && !self.may(Capability::lease))
        return Errno::acces;
    TRY(set_lease(file, fd, static_cast<LeaseKind>(argument)));
    return 0;
}
