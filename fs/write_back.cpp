// See write_back.hpp.
#include "fs/write_back.hpp"

#include "fs/mount.hpp"
#include "fs/page_cache.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sched/thread.hpp"

namespace {

constexpr uint64_t kCentisecond = 10'000'000, kLookEvery = 50 * kCentisecond;
constexpr Nanoseconds kAnyAge{UINT64_MAX};

// In pages.
uint32_t limit_of(const Atomic<uint32_t>& ratio, const Atomic<uint32_t>& bytes) {
    const uint32_t wanted = bytes.relaxed();
    if (wanted) return wanted >> kPageShift;
    return memory_totals().low_total / 100 * ratio.relaxed();
}
uint32_t writers_limit() { return limit_of(write_back_settings.ratio, write_back_settings.bytes); }
// Never as high as the writers', for then the thread would come too late.
uint32_t thread_limit() {
    const uint32_t wanted =
        limit_of(write_back_settings.background_ratio, write_back_settings.background_bytes);
    const uint32_t most = writers_limit();
    return wanted < most ? wanted : most / 2;
}

uint64_t in_nanoseconds(const Atomic<uint32_t>& centiseconds) {
    return centiseconds.relaxed() * kCentisecond;
}

[[noreturn]] void run(void*) {
    Nanoseconds last_look = monotonic_now();
    for (;;) {
        park({.interruptible = false, .deadline = monotonic_now() + kLookEvery, .reason = "flush"});
        if (const uint32_t limit = thread_limit(); page_cache_totals().dirty > limit)
            write_back_pages(page_cache_totals().dirty - limit / 2, kAnyAge);
        vfs_look_at_clock();
        const Nanoseconds now = monotonic_now();
        const uint64_t interval = in_nanoseconds(write_back_settings.interval_centiseconds);
        if (!interval || now < last_look + interval) continue;
        const uint64_t old = in_nanoseconds(write_back_settings.expire_centiseconds);
        if (now.raw() > old) write_back_pages(UINT32_MAX, Nanoseconds(now.raw() - old));
        vfs_write_metadata();
        last_look = now;
    }
}

}  // namespace

constinit WriteBackSettings write_back_settings;

void write_back_start() {
    Result<Ref<Thread>> thread = Thread::create("flush", run, nullptr);
    if (thread.is_error()) return log_error("flush: no memory for the thread");
    start_thread(*thread.value());
}

bool too_much_is_dirty() { return page_cache_totals().dirty > writers_limit(); }

void write_back_balance() {
    if (!too_much_is_dirty() || !Thread::current().process) [[likely]]
        return;
    write_back_pages(256, kAnyAge);
}

Nanoseconds write_back_clock() { return monotonic_now(); }
