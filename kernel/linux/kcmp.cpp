// kcmp: whether two processes share something of the kernel. Different things have an order, which tells nothing
// of where they are. Spec: kcmp(2).
#include "kernel/lib/random.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

// What is asked for of this process; null: nothing is there. Only its address counts. EBADF, EINVAL, EPERM.
Result<const void*> object_of(Process& process, int kind, int index, Ref<RefCounted>& keep) {
    const Credentials& self = context().credentials;
    if (!may_inspect(process, self.uid, self.gid)) return Errno::perm;
    LockGuard guard(process_tree);
    if (process.life != Life::alive) return Errno::srch;
    enum : int { file, memory, files, names, actions, io, undo };
    switch (kind) {
        case file: {
            Ref<File> open = TRY(process.files->get(index));
            keep = Ref<RefCounted>(open);
            return static_cast<const void*>(open.get());
        }
        case memory: return static_cast<const void*>(process.space.get());
        case files: return static_cast<const void*>(process.files.get());
        // Threads share these, processes never do; of the last two there are none.
        case names: return static_cast<const void*>(&process.fs);
        case actions: return static_cast<const void*>(&process.signal_lock);
        case io:
        case undo: return static_cast<const void*>(nullptr);
        default: return Errno::inval;
    }
}

// Each address another number, and not in the order of the addresses.
uint32_t hidden(const void* object) {
    static constinit Atomic<uint32_t> key = 0;
    if (!key.relaxed()) {
        uint32_t fresh, none = 0;
        random_bytes(&fresh, sizeof fresh);
        key.replace(none, fresh | 1);
    }
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(object)) * key.relaxed();
}

Result<Ref<Process>> process_of_id(int id) {
    if (const Ref<UserThread> thread = find_thread(id)) return thread->owner;
    return Errno::srch;
}

}  // namespace

Result<uint32_t> sys_kcmp(int first, int second, int kind, uint32_t first_index,
                          uint32_t second_index) {
    constexpr uint32_t kEqual = 0, kLess = 1, kGreater = 2;
    const Ref<Process> a = TRY(process_of_id(first)), b = TRY(process_of_id(second));
    Ref<RefCounted> keep[2];
    const void* left = TRY(object_of(*a, kind, static_cast<int>(first_index), keep[0]));
    const void* right = TRY(object_of(*b, kind, static_cast<int>(second_index), keep[1]));
    if (left == right) return kEqual;
    return hidden(left) < hidden(right) ? kLess : kGreater;
}

constexpr SystemCall kKcmpCalls[] = {
    CALL(349, kcmp, sys_kcmp),
};
SYSTEM_CALLS(kKcmpCalls);
