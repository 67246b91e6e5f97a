// See thread_limits.hpp.
#include "kernel/proc/thread_limits.hpp"

#include "kernel/proc/process_table.hpp"
#include "mm/frames.hpp"

namespace {

constinit uint32_t thread_total = 0;  // of user processes; atomic

// Once the limit was reached there is a shortage: until kShortage has passed without that, only
// session leaders (shells) get another process. Otherwise each process of a fork bomb that fails
// makes room for another one's child, and the bomb never ends.
constexpr uint64_t kShortage = 2'000'000'000;  // nanoseconds
constinit Nanoseconds shortage_end GUARDED_BY(process_tree){0};
constinit bool shortage = false;  // atomic

Result<void> check_shortage(const Process& parent, bool new_process, uint32_t total) {
    LockGuard guard(process_tree);
    const Nanoseconds now = monotonic_now();
    if (total > max_threads()) {
        shortage_end = now + kShortage;
        __atomic_store_n(&shortage, true, __ATOMIC_RELAXED);
        return Errno::again;
    }
    if (now >= shortage_end) __atomic_store_n(&shortage, false, __ATOMIC_RELAXED);
    const bool leads = parent.sid == parent.pid || &parent == init_process;
    if (shortage && new_process && !leads) return Errno::again;
    return {};
}

// RLIMIT_NPROC: threads of one user, who is not the superuser. Counted only where it is below what
// the machine allows.
bool user_limit_reached(const Process& parent) {
    const uint32_t limit = parent.limits[limit_nproc].soft;
    const Credentials& user = parent.fs.credentials;
    if (limit >= max_threads() || user.is_superuser()) return false;
    uint32_t count = 0;
    for (Ref<Process> p = next_process(1); p; p = next_process(p->pid + 1)) {
        if (p->fs.credentials.uid != user.uid) continue;
        LockGuard guard(process_tree);
        count += p->thread_count;
    }
    return count >= limit;
}

}  // namespace

uint32_t max_threads() {
    constexpr uint32_t kFramesPerThread = 64;  // what a small process takes, with room to spare
    uint32_t limit = memory_totals().total / kFramesPerThread;
    return limit < 24 ? 24 : limit > 30'000 ? 30'000 : limit;
}

void thread_left() { __atomic_fetch_sub(&thread_total, 1, __ATOMIC_RELAXED); }

void ThreadSlot::take_first() {
    __atomic_fetch_add(&thread_total, 1, __ATOMIC_RELAXED);
    taken_ = true;
}

Result<void> ThreadSlot::take(const Process& parent, bool new_process) {
    if (user_limit_reached(parent)) return Errno::again;
    const uint32_t total = __atomic_add_fetch(&thread_total, 1, __ATOMIC_RELAXED);
    taken_ = true;
    if (total <= max_threads() && !__atomic_load_n(&shortage, __ATOMIC_RELAXED)) [[likely]]
        return {};
    return check_shortage(parent, new_process, total);
}
