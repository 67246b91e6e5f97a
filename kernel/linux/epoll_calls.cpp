// Epoll sets as calls. Spec: epoll_create(2), epoll_ctl(2), epoll_wait(2).
#include "kernel/linux/epoll.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/syscall/wait_mask.hpp"

Result<int> sys_epoll_create1(uint32_t flags) {
    if (flags & ~kOpenCloseOnExec) return Errno::inval;
    return install(TRY(make_epoll_set(context().credentials.euid)), flags & kOpenCloseOnExec);
}
Result<int> sys_epoll_create(int size) { return size > 0 ? sys_epoll_create1(0) : Errno::inval; }

Result<void> sys_epoll_ctl(int epoll_fd, int operation, int fd, UserPtr<const EpollEvent> from) {
    enum : int { add = 1, remove = 2, modify = 3 };
    EpollEvent event;
    if (operation != remove) event = TRY(read_user(from));
    Ref<File> set_file = TRY(file_of(epoll_fd));
    Ref<File> file = TRY(file_of(fd));
    if ((set_file->flags() | file->flags()) & kOpenPath) return Errno::badf;
    if (!file->pollable()) return Errno::perm;
    auto* set = file_as<EpollSet>(*set_file);
    if (!set || file == set_file) return Errno::inval;
    switch (operation) {
        case add: return set->add(*file, fd, event);
        case remove: return set->remove(*file, fd);
        case modify: return set->modify(*file, fd, event);
        default: return Errno::inval;
    }
}

namespace {

Result<uint32_t> wait_for_events(int epoll_fd, UserPtr<EpollEvent> to, int room, bool waits,
                                 Nanoseconds deadline) {
    constexpr int kMostEvents = INT32_MAX / static_cast<int>(sizeof(EpollEvent));
    if (room <= 0 || room > kMostEvents) return Errno::inval;
    const auto count = static_cast<uint32_t>(room);
    TRY(user_range(to.cast<void>(), count * static_cast<uint32_t>(sizeof(EpollEvent))));
    Ref<File> file = TRY(file_of(epoll_fd));
    auto* set = file_as<EpollSet>(*file);
    if (!set) return Errno::inval;
    return set->wait(to, count, waits, deadline);
}

Nanoseconds deadline_of(int milliseconds) {
    if (milliseconds < 0) return Nanoseconds(0);
    return deadline_after(monotonic_now(), Nanoseconds(uint64_t(milliseconds) * 1'000'000));
}

}  // namespace

Result<uint32_t> sys_epoll_wait(int epoll_fd, UserPtr<EpollEvent> to, int room, int milliseconds) {
    return wait_for_events(epoll_fd, to, room, milliseconds != 0, deadline_of(milliseconds));
}

Result<uint32_t> sys_epoll_pwait(int epoll_fd, UserPtr<EpollEvent> to, int room, int milliseconds,
                                 UserPtr<const SignalSet> mask, uint32_t mask_bytes) {
    const bool masked = TRY(apply_mask(mask, mask_bytes));
    return finish_mask(masked, sys_epoll_wait(epoll_fd, to, room, milliseconds));
}

Result<uint32_t> sys_epoll_pwait2(int epoll_fd, UserPtr<EpollEvent> to, int room,
                                  UserPtr<const TimeSpec64> time, UserPtr<const SignalSet> mask,
                                  uint32_t mask_bytes) {
    Nanoseconds length{0}, deadline{0};
    if (time) {
        length = TRY(read_time(time));
        deadline = deadline_after(monotonic_now(), length);
    }
    const bool masked = TRY(apply_mask(mask, mask_bytes));
    return finish_mask(masked,
                       wait_for_events(epoll_fd, to, room, !time || length.raw(), deadline));
}

constexpr SystemCall kEpollCalls[] = {
    CALL(254, epoll_create, sys_epoll_create),   CALL(255, epoll_ctl, sys_epoll_ctl),
    CALL(256, epoll_wait, sys_epoll_wait),       CALL(319, epoll_pwait, sys_epoll_pwait),
    CALL(329, epoll_create1, sys_epoll_create1), CALL(441, epoll_pwait2, sys_epoll_pwait2),
};
SYSTEM_CALLS(kEpollCalls);
