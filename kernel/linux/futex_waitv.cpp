// futex_waitv: waits until any of several words is woken. Spec: futex_waitv(2); futex2.rst of Linux.
#include "kernel/ipc/futex.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

constexpr uint32_t kMostWords = 128, kIs32Bit = 2, kPrivate = 128;
constexpr int kRealTime = 0, kMonotonic = 1;

struct WaitedWord {  // struct futex_waitv
    uint64_t value, address;
    uint32_t flags, reserved;
};

}  // namespace

Result<uint32_t> sys_futex_waitv(UserPtr<const WaitedWord> from, uint32_t count, uint32_t flags,
                                 UserPtr<const TimeSpec64> time, int clock) {
    if (flags || !count || count > kMostWords || !from) return Errno::inval;
    Nanoseconds deadline{0};
    if (time) {
        if (clock != kRealTime && clock != kMonotonic) return Errno::inval;
        const Nanoseconds given = TRY(read_time(time));
        deadline = clock == kRealTime ? monotonic_at(given) : given.raw() ? given : Nanoseconds(1);
    }
    Vector<FutexWord> words;
    TRY(words.resize(count));
    for (uint32_t i = 0; i < count; ++i) {
        const WaitedWord wanted = TRY(read_user(from + i));
        if (wanted.flags & ~(kIs32Bit | kPrivate) || !(wanted.flags & kIs32Bit) ||
            wanted.reserved || wanted.address > UINT32_MAX)
            return Errno::inval;
        const VirtAddr address(static_cast<uint32_t>(wanted.address));
        words[i] = {TRY(futex_key(address, wanted.flags & kPrivate)), address,
                    static_cast<uint32_t>(wanted.value)};
    }
    return futex_wait_any(words.span(), deadline);
}

constexpr SystemCall kFutexWaitvCalls[] = {
    CALL(449, futex_waitv, sys_futex_waitv),
};
SYSTEM_CALLS(kFutexWaitvCalls);
