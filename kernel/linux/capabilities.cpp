// Capabilities: all of them for the superuser, none for others. Spec: capget(2), capabilities(7).
#include "kernel/syscall/system_call.hpp"

struct CapabilityHeader {
    uint32_t version;
    int32_t pid;
};
struct CapabilitySet {
    uint32_t effective, permitted, inheritable;
};

namespace {

// How many 32-bit words each set has; EINVAL (and our version) for an unknown version.
Result<uint32_t> capability_words(UserPtr<CapabilityHeader> header) {
    constexpr uint32_t kVersion1 = 0x19980330, kVersion2 = 0x20071026, kVersion3 = 0x20080522;
    CapabilityHeader wanted = TRY(read_user(header));
    if (wanted.version == kVersion1) return 1u;
    if (wanted.version == kVersion2 || wanted.version == kVersion3) return 2u;
    TRY(write_user(header.cast<uint32_t>(), kVersion3));
    return Errno::inval;
}

}  // namespace

Result<void> sys_capget(UserPtr<CapabilityHeader> header, UserPtr<CapabilitySet> to) {
    constexpr uint32_t kAllLow = 0xffffffff, kAllHigh = 0x1ff;
    Result<uint32_t> words = capability_words(header);
    if (words.is_error())
        return words.error() == Errno::inval && !to ? Result<void>() : words.error();
    CapabilityHeader wanted = TRY(read_user(header));
    Ref<Process> process =
        wanted.pid == 0 ? Ref<Process>(current_process()) : find_process(wanted.pid);
    if (!process) return Errno::srch;
    bool all = process->fs.credentials.is_superuser();
    for (uint32_t i = 0; i < words.value(); ++i) {
        uint32_t set = all ? (i == 0 ? kAllLow : kAllHigh) : 0;
        TRY(write_user(to + i, CapabilitySet{set, set, 0}));
    }
    return {};
}

// Capabilities cannot be dropped one by one: a process that has all may "set" any.
Result<void> sys_capset(UserPtr<CapabilityHeader> header, UserPtr<const CapabilitySet> from) {
    uint32_t words = TRY(capability_words(header));
    for (uint32_t i = 0; i < words; ++i) {
        CapabilitySet set = TRY(read_user(from + i));
        if ((set.effective | set.permitted) && !context().credentials.is_superuser())
            return Errno::perm;
    }
    return {};
}

constexpr SystemCall kCapabilityCalls[] = {
    CALL(184, capget, sys_capget),
    CALL(185, capset, sys_capset),
};
SYSTEM_CALLS(kCapabilityCalls);
