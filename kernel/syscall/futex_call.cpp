// futex(2): decoding the operation; the sleeping and waking is kernel/ipc/futex.
#include "kernel/ipc/futex.hpp"

#include "kernel/sched/clock.hpp"
#include "kernel/syscall/futex_operation.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

enum Operation : uint32_t {
    wait = 0,
    wake = 1,
    requeue = 3,
    cmp_requeue = 4,
    wake_op = 5,
    wait_bitset = 9,
    wake_bitset = 10,
};
constexpr uint32_t kPrivate = 128, kRealTime = 256;

// The deadline of a wait: WAIT's time is relative, WAIT_BITSET's absolute on either clock. 0: none.
template <typename T>
Result<Nanoseconds> deadline_from(uint32_t operation, bool real_time, UserPtr<const T> time) {
    if (!time) return Nanoseconds(0);
    Nanoseconds given = TRY(read_time(time));
    if (operation == wait) return deadline_after(monotonic_now(), given);
    return real_time ? monotonic_at(given) : given.raw() ? given : Nanoseconds(1);
}

Result<uint32_t> change_word(UserPtr<uint32_t> at, FutexWordOperation operation) {
    uint32_t seen = TRY(read_user(at));
    for (;;) {
        uint32_t expected = seen;
        seen = TRY(exchange_user_if(at, expected, TRY(operation.apply(expected))));
        if (seen == expected) return seen;
    }
}

Result<uint32_t> wake_with_operation(const FutexKey& first, UserPtr<uint32_t> second_word,
                                     bool process_private, uint32_t count, uint32_t second_count,
                                     FutexWordOperation operation) {
    FutexKey second = TRY(futex_key(second_word.address(), process_private));
    bool also_second = TRY(operation.holds_for(TRY(change_word(second_word, operation))));
    uint32_t woken = futex_wake(first, count);
    return woken + (also_second ? futex_wake(second, second_count) : 0);
}

}  // namespace

// `time` is a second count for the operations that wake or move.
template <typename T>
Result<uint32_t> sys_futex(UserPtr<uint32_t> word, uint32_t operation, uint32_t value,
                           UserPtr<const T> time, UserPtr<uint32_t> second, uint32_t value3) {
    bool process_private = operation & kPrivate, real_time = operation & kRealTime;
    uint32_t what = operation & ~(kPrivate | kRealTime);
    uint32_t second_count = time.address().raw();
    if (real_time && what != wait && what != wait_bitset) return Errno::nosys;
    FutexKey key = TRY(futex_key(word.address(), process_private));
    switch (what) {
        case wait:
        case wait_bitset: {
            uint32_t bits = what == wait ? kAnyBit : value3;
            if (!bits) return Errno::inval;
            TRY(futex_wait(key, word.address(), value, bits,
                           TRY(deadline_from(what, real_time, time))));
            return 0u;
        }
        case wake: return futex_wake(key, value);
        case wake_bitset:
            return value3 ? Result<uint32_t>(futex_wake(key, value, value3)) : Errno::inval;
        case requeue:
        case cmp_requeue: {
            if (static_cast<int32_t>(value) < 0 || static_cast<int32_t>(second_count) < 0)
                return Errno::inval;
            FutexKey to = TRY(futex_key(second.address(), process_private));
            if (what == cmp_requeue && TRY(read_user(word)) != value3) return Errno::again;
            Requeued done = futex_requeue(key, to, value, second_count);
            return done.woken + done.moved;
        }
        case wake_op:
            return wake_with_operation(key, second, process_private, value, second_count, {value3});
        default: return Errno::nosys;
    }
}

constexpr SystemCall kFutexCallCalls[] = {
    CALL(240, futex, sys_futex<TimeSpec32>),
    CALL(422, futex_time64, sys_futex<TimeSpec64>),
};
SYSTEM_CALLS(kFutexCallCalls);
