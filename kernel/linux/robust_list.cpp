// Robust lists: the futexes that a thread holds, linked in its own memory, so that the kernel can
// tell the next owner (FUTEX_OWNER_DIED) when the thread ends without letting go.
// The list is whatever a program wrote there: the walk ends at the first bad pointer and after
// kMostEntries, so that a ring of them does no harm.
// Locks: none; a thread's list is its own, and a stale one is told to others at worst.
// Spec: get_robust_list(2), futex(2); Documentation/locking/robust-futex-ABI of Linux.
#include "kernel/ipc/futex.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

constexpr uint32_t kMostEntries = 2048;
constexpr uint32_t kInheritsPriority = 1;  // in a link: who waits there is not on our queues

struct RobustHead {
    uint32_t first;
    int32_t offset;    // from a link to its futex word
    uint32_t pending;  // being taken or released: maybe not on the list
};
static_assert(sizeof(RobustHead) == 12);

struct RobustList final : Attachment {
    static constexpr char kKind = 0;
    uint32_t head = 0;  // user address
};

uint32_t address_of(uint32_t link) { return link & ~kInheritsPriority; }

// Stops the walk at memory that can't be read or written.
Result<void> release_word(uint32_t link, int32_t offset, int tid, bool pending) {
    const UserPtr<uint32_t> word(address_of(link) + static_cast<uint32_t>(offset));
    if (word.address().raw() % sizeof(uint32_t)) return Errno::inval;
    const bool wakes = !(link & kInheritsPriority);
    uint32_t seen = TRY(read_user(word));
    while ((seen & kFutexOwner) == static_cast<uint32_t>(tid)) {
        const uint32_t now =
            TRY(exchange_user_if(word, seen, (seen & kFutexWaiters) | kFutexOwnerDied));
        if (now == seen) {
            if (wakes && (seen & kFutexWaiters)) futex_wake(word.address(), 1);
            return {};
        }
        seen = now;
    }
    // It was released, but its owner died before it could wake anybody.
    if (pending && wakes && !seen) futex_wake(word.address(), 1);
    return {};
}

Result<void> walk_robust_list(const RobustHead& head, uint32_t end, int tid) {
    uint32_t link = head.first;
    for (uint32_t i = 0; i < kMostEntries && address_of(link) != end; ++i) {
        // The next one first: who gets this one may take it off the list.
        Result<uint32_t> next = read_user(UserPtr<uint32_t>(address_of(link)));
        if (address_of(link) != address_of(head.pending))
            TRY(release_word(link, head.offset, tid, false));
        link = TRY(std::move(next));
    }
    return {};
}

// For the running thread, in its own address space. May sleep.
void release_list(UserThread& self, int tid) {
    auto* list = self.attached.get<RobustList>();
    const uint32_t at = list ? std::exchange(list->head, 0) : 0;
    if (!at) return;
    const Result<RobustHead> read = read_user(UserPtr<RobustHead>(at));
    if (read.is_error()) return;
    const RobustHead& head = read.value();
    static_cast<void>(walk_robust_list(head, at, tid));
    if (head.pending) static_cast<void>(release_word(head.pending, head.offset, tid, true));
}

constinit HookList<UserThread&, int>::Hook robust_hook{release_list};
void robust_lists_init() { thread_leaves_program.add(robust_hook); }
AT_START_UP(robust_lists_init);

}  // namespace

Result<void> sys_set_robust_list(uint32_t head, uint32_t bytes) {
    if (bytes != sizeof(RobustHead)) return Errno::inval;
    TRY(current_thread().attached.get_or_make<RobustList>())->head = head;
    return {};
}
Result<void> sys_get_robust_list(int tid, UserPtr<uint32_t> head, UserPtr<uint32_t> bytes) {
    Ref<UserThread> thread = tid == 0 ? Ref<UserThread>(current_thread()) : find_thread(tid);
    if (!thread) return Errno::srch;
    const Credentials& self = context().credentials;
    if (!may_inspect(*thread->process, self.uid, self.gid)) return Errno::perm;
    auto* list = thread->attached.get<RobustList>();
    TRY(write_user(head, list ? list->head : 0u));
    return write_user(bytes, static_cast<uint32_t>(sizeof(RobustHead)));
}

constexpr SystemCall kRobustListCalls[] = {
    CALL(311, set_robust_list, sys_set_robust_list),
    CALL(312, get_robust_list, sys_get_robust_list),
};
SYSTEM_CALLS(kRobustListCalls);
