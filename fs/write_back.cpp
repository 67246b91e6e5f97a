// See write_back.hpp.
#include "fs/write_back.hpp"

#include "fs/mount.hpp"
#include "fs/page_cache.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sched/thread.hpp"

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kLookEvery = kSecond / 2, kMetadataEvery = 5 * kSecond, kOldAge = 30 * kSecond;
constexpr Nanoseconds kAnyAge{UINT64_MAX};

constinit SpinLock lock{LockRank::write_back};
constinit uint32_t requested GUARDED_BY(lock) = 0;
constinit WaitQueue requests;

uint32_t dirty_limit(uint32_t parts) { return memory_totals().low_total / parts; }

uint32_t wait_for_work() {
    LockGuard guard(lock);
    requests.wait(
        lock, []() NO_LOCK_ANALYSIS { return requested != 0; },
        {.interruptible = false, .deadline = monotonic_now() + kLookEvery, .reason = "flush"});
    return std::exchange(requested, 0);
}

[[noreturn]] void run(void*) {
    Nanoseconds metadata_due = monotonic_now() + kMetadataEvery;
    for (;;) {
        const uint32_t wanted = wait_for_work();
        if (wanted) write_back_pages(wanted, kAnyAge);
        const Nanoseconds now = monotonic_now();
        if (now.raw() > kOldAge) write_back_pages(UINT32_MAX, Nanoseconds(now.raw() - kOldAge));
        if (page_cache_totals().dirty > dirty_limit(10)) write_back_pages(dirty_limit(20), kAnyAge);
        if (now < metadata_due) continue;
        vfs_write_metadata();
        metadata_due = monotonic_now() + kMetadataEvery;
    }
}

}  // namespace

void write_back_start() {
    Result<Ref<Thread>> thread = Thread::create("flush", run, nullptr);
    if (thread.is_error()) return log_error("flush: no memory for the thread");
    start_thread(*thread.value());
}

void write_back_balance() {
    if (page_cache_totals().dirty <= dirty_limit(5)) [[likely]]
        return;
    write_back_pages(256, kAnyAge);
}

void request_write_back(uint32_t pages) {
    {
        LockGuard guard(lock);
        if (requested < pages) requested = pages;
    }
    requests.wake_all();
}

Nanoseconds write_back_clock() { return monotonic_now(); }
