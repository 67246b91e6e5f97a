// See thread_limits.hpp.
#include "kernel/proc/thread_limits.hpp"

#include "kernel/proc/process_table.hpp"
#include "mm/frames.hpp"

namespace {

constinit Atomic<uint32_t> thread_total = 0;  // of user processes

// Once the limit was reached there is a shortage: until kShortage has passed without that, only
// session leaders (shells) get another process. Otherwise each process of a fork bomb that fails
// makes room for another one's child, and the bomb never ends.
constexpr uint64_t kShortage = 2'000'000'000;  // nanoseconds
constinit Nanoseconds shortage_end GUARDED_BY(process_tree){0};
constinit Atomic<bool> shortage = false;

Result<void> check_shortage(const Process& parent, bool new_process, bool too_many) {
    LockGuard guard(process_tree);
    const Nanoseconds now = monotonic_now();
    if (too_many) {
        shortage_end = now + kShortage;
        shortage.store_relaxed(true);
        return Errno::again;
    }
    if (now >= shortage_end) shortage.store_relaxed(false);
    const bool leads = parent.sid == parent.pid || &parent == init_process;
    if (shortage && new_process && !leads) return Errno::again;
    return {};
}

// A sixteenth is the superuser's alone, so that a fork bomb can be ended.
uint32_t most_threads(bool superuser) {
    return superuser ? max_threads() : max_threads() - max_threads() / 16;
}

}  // namespace

uint32_t max_threads() {
    constexpr uint32_t kFramesPerThread = 24;  // what a small process takes
    uint32_t limit = memory_totals().total / kFramesPerThread;
    return limit < 24 ? 24 : limit > 30'000 ? 30'000 : limit;
}

void thread_left(UserThread& thread) {
    thread_total.subtract(1);
    UserAccount::uncharge(thread.payer->threads, 1);
}

ThreadSlot::ThreadSlot() : total_(thread_total.add(1)) {}

ThreadSlot::~ThreadSlot() {
    if (kept_) return;
    thread_total.subtract(1);
    if (payer_) UserAccount::uncharge(payer_->threads, 1);
}

Result<void> ThreadSlot::take(const Process& parent, bool new_process) {
    const bool superuser = parent.fs.credentials.may(Capability::sys_resource);
    const bool too_many = total_ > most_threads(superuser);
    if (too_many || shortage.relaxed()) [[unlikely]]
        TRY(check_shortage(parent, new_process, too_many));
    const uint32_t most = superuser ? UINT32_MAX : parent.limits[limit_nproc].soft;
    if (!UserAccount::charge(parent.account->threads, 1, most)) return Errno::again;
    payer_ = parent.account;
    return {};
}

void ThreadSlot::take_first(Ref<UserAccount> payer) {
    UserAccount::charge(payer->threads, 1, UINT32_MAX);
    payer_ = std::move(payer);
}

void ThreadSlot::keep(UserThread& thread) {
    thread.payer = std::move(payer_);
    kept_ = true;
}
