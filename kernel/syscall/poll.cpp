// poll and its variants; select is the wing's. Spec: poll(2).
#include "kernel/syscall/wait_for_files.hpp"

struct PollFd {
    int32_t fd;
    uint16_t wanted, found;
};
static_assert(sizeof(PollFd) == 8);

namespace {

Result<uint32_t> poll_files(UserPtr<PollFd> user, uint32_t count, Timeout timeout) {
    if (count > current_process().fd_limit()) return Errno::inval;
    SmallArray<PollFd, 16> files;
    SmallArray<uint16_t, 16> found_on;
    TRY(files.resize(count));
    TRY(found_on.resize(count));
    TRY(copy_from_user(files.data(), user.address(), count * sizeof(PollFd)));
    const PollFd* const asked = files.data();
    uint16_t* const answers = found_on.data();
    Result<uint32_t> ready = wait_for_files(timeout, [&](JoinedQueues* table) -> Result<uint32_t> {
        uint32_t found = 0;
        for (uint32_t i = 0; i < count; ++i) {
            answers[i] = 0;
            if (asked[i].fd < 0) continue;
            Result<uint32_t> state = ready_on(asked[i].fd, table);
            uint32_t bits =
                state.is_ok() ? state.value() & (asked[i].wanted | kPollAlways) : kPollInvalid;
            if (!bits) continue;
            answers[i] = static_cast<uint16_t>(bits);
            ++found;
            table = nullptr;  // one is ready: no need to wait
        }
        return found;
    });
    for (uint32_t i = 0; i < count; ++i)  // after a signal too; mostly nothing is new
        if (answers[i] != asked[i].found)
            TRY(write_user(UserPtr<uint16_t>((user + i).address().raw() + 6), answers[i]));
    return ready;
}

}  // namespace

Result<uint32_t> sys_poll(UserPtr<PollFd> files, uint32_t count, int milliseconds) {
    Timeout timeout;
    timeout.waits = milliseconds != 0;
    if (milliseconds > 0)
        timeout.deadline =
            deadline_after(monotonic_now(), Nanoseconds(uint64_t(milliseconds) * 1'000'000));
    return poll_files(files, count, timeout);
}

template <typename T>
Result<uint32_t> sys_ppoll(UserPtr<PollFd> files, uint32_t count, UserPtr<T> time,
                           UserPtr<const SignalSet> mask, uint32_t bytes) {
    Timeout timeout = TRY(timeout_from(time));
    bool masked = TRY(apply_mask(mask, bytes));
    return tell_time_left(time, timeout, finish_mask(masked, poll_files(files, count, timeout)));
}

constexpr SystemCall kPollCalls[] = {
    CALL(168, poll, sys_poll),
    CALL(309, ppoll, sys_ppoll<TimeSpec32>),
    CALL(414, ppoll_time64, sys_ppoll<TimeSpec64>),
};
SYSTEM_CALLS(kPollCalls);
