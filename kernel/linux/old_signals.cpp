// The oldest signal calls, which know 32 signals.
// Spec: sigaction(2), signal(2), sigpending(2), sgetmask(2).
#include "kernel/syscall/system_call.hpp"

struct OldSignalAction {
    uint32_t handler, mask, flags, restorer;
};

Result<void> sys_sigaction(int number, UserPtr<const OldSignalAction> action,
                           UserPtr<OldSignalAction> old) {
    SignalAction wanted;
    if (action) {
        OldSignalAction from = TRY(read_user(action));
        wanted = {from.handler, from.flags, from.restorer, from.mask, 0};
    }
    SignalAction before = TRY(set_action(number, action ? &wanted : nullptr));
    if (!old) return {};
    return write_user(
        old, OldSignalAction{before.handler, before.mask_low, before.flags, before.restorer});
}

Result<uint32_t> sys_signal(int number, uint32_t handler) {
    SignalAction wanted;
    wanted.handler = handler;
    wanted.flags = kSaResetHand | kSaNoDefer;
    return TRY(set_action(number, &wanted)).handler;
}

Result<void> sys_sigpending(UserPtr<uint32_t> to) {
    return write_user(to, static_cast<uint32_t>(pending_signals()));
}

uint32_t sys_sgetmask() { return static_cast<uint32_t>(current_mask()); }

uint32_t sys_ssetmask(uint32_t mask) {
    const uint32_t before = sys_sgetmask();
    set_mask(mask);
    return before;
}

constexpr SystemCall kOldSignalCalls[] = {
    CALL(48, signal, sys_signal),         CALL(67, sigaction, sys_sigaction),
    CALL(68, sgetmask, sys_sgetmask),     CALL(69, ssetmask, sys_ssetmask),
    CALL(73, sigpending, sys_sigpending),
};
SYSTEM_CALLS(kOldSignalCalls);
