// What a process may set about itself. Spec: prctl(2).
#include "kernel/syscall/system_call.hpp"
#include "kernel/trace/trace.hpp"

namespace {

enum Property : uint32_t {
    set_death_signal = 1,
    get_death_signal = 2,
    get_dumpable = 3,
    set_dumpable = 4,
    get_keep_capabilities = 7,
    set_keep_capabilities = 8,
    set_name = 15,
    get_name = 16,
    get_seccomp = 21,
    read_bounding_capability = 23,
    drop_bounding_capability = 24,
    get_time_stamp_counter = 25,
    set_time_stamp_counter = 26,
    get_secure_bits = 27,
    set_secure_bits = 28,
    set_timer_slack = 29,
    get_timer_slack = 30,
    set_child_subreaper = 36,
    get_child_subreaper = 37,
    set_no_new_privileges = 38,
    get_no_new_privileges = 39,
    get_tid_address = 40,
    ambient_capability = 47,
};

constexpr uint32_t kTimeStampCounterAllowed = 1;

Result<int> rename_thread(uint32_t from) {
    Thread& thread = Thread::current();
    char name[sizeof thread.name] = {};
    Result<uint32_t> length =
        copy_string_from_user(std::span<char>(name, sizeof name - 1), VirtAddr(from));
    if (length.is_error() && length.error() != Errno::nametoolong) return length.error();
    __builtin_memcpy(thread.name, name, sizeof name);
    trace_name(thread.tid, thread.name);
    return 0;
}

Result<int> tell(uint32_t to, uint32_t value) {
    TRY(write_user(UserPtr<uint32_t>(to), value));
    return 0;
}

// --- capabilities. Spec: capabilities(7), prctl(2).

Result<int> change_capabilities(uint32_t what, uint32_t value) {
    constexpr uint32_t kKeepBit = 1u << 4;  // SECBIT_KEEP_CAPS; the others cannot be set
    Capabilities& own = context().credentials.capabilities;
    switch (what) {
        case get_keep_capabilities: return own.keep;
        case set_keep_capabilities:
            if (value > 1) return Errno::inval;
            own.keep = value;
            return 0;
        case get_secure_bits: return own.keep ? kKeepBit : 0;
        case set_secure_bits:
            if ((value & ~kKeepBit) || !own.has(Capability::setpcap)) return Errno::perm;
            own.keep = value;
            return 0;
        default: break;
    }
    if (value > kLastCapability) return Errno::inval;
    const uint64_t bit = uint64_t{1} << value;
    if (what == read_bounding_capability) return (own.bounding & bit) != 0;
    if (!own.has(Capability::setpcap)) return Errno::perm;
    own.bounding &= ~bit;
    return 0;
}

Result<int> change_ambient(uint32_t what, uint32_t number) {
    enum : uint32_t { is_set = 1, raise, lower, clear_all };
    Capabilities& own = context().credentials.capabilities;
    if (what == clear_all) {
        if (number) return Errno::inval;
        own.ambient = 0;
        return 0;
    }
    if (what < is_set || what > clear_all || number > kLastCapability) return Errno::inval;
    const uint64_t bit = uint64_t{1} << number;
    if (what == is_set) return (own.ambient & bit) != 0;
    if (what == lower) {
        own.ambient &= ~bit;
        return 0;
    }
    if (!(own.permitted & own.inheritable & bit)) return Errno::perm;
    own.ambient |= bit;
    return 0;
}

}  // namespace

Result<int> sys_prctl(uint32_t what, uint32_t value, uint32_t third, uint32_t fourth,
                      uint32_t fifth) {
    Process& self = current_process();
    UserThread& thread = current_thread();
    const bool rest_is_zero = !third && !fourth && !fifth;
    switch (what) {
        case set_death_signal:
            if (value > static_cast<uint32_t>(kSignals)) return Errno::inval;
            self.death_signal = static_cast<uint8_t>(value);
            return 0;
        case get_death_signal: return tell(value, self.death_signal);
        case get_dumpable: return self.dumpable;
        case set_dumpable:
            if (value > 1) return Errno::inval;
            self.dumpable = value != 0;
            return 0;
        case set_name: return rename_thread(value);
        case get_name:
            TRY(copy_to_user(VirtAddr(value), thread.name, sizeof thread.name));
            return 0;
        case get_seccomp: return 0;
        case get_keep_capabilities:
        case set_keep_capabilities:
        case get_secure_bits:
        case set_secure_bits:
        case read_bounding_capability:
        case drop_bounding_capability: return change_capabilities(what, value);
        case ambient_capability:
            if (fourth || fifth) return Errno::inval;
            return change_ambient(value, third);
        case get_time_stamp_counter: return tell(value, kTimeStampCounterAllowed);
        case set_time_stamp_counter:
            return value == kTimeStampCounterAllowed ? Result<int>(0) : Errno::inval;
        case set_timer_slack: thread.timer_slack = value ? value : thread.default_slack; return 0;
        case get_timer_slack: return static_cast<int>(thread.timer_slack);
        case set_child_subreaper: self.subreaper = value != 0; return 0;
        case get_child_subreaper: return tell(value, self.subreaper);
        case set_no_new_privileges:
            if (value != 1 || !rest_is_zero) return Errno::inval;
            self.no_new_privileges = true;
            return 0;
        case get_no_new_privileges:
            if (value || !rest_is_zero) return Errno::inval;
            return self.no_new_privileges;
        case get_tid_address: return tell(value, thread.clear_child_tid);
        default: return Errno::inval;
    }
}

constexpr SystemCall kPrctlCalls[] = {
    CALL(172, prctl, sys_prctl),
};
SYSTEM_CALLS(kPrctlCalls);
