// The calls on a process' capabilities; the rules are in fs/capabilities.hpp. Spec: capget(2).
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
    Result<uint32_t> words = capability_words(header);
    if (words.is_error())
        return words.error() == Errno::inval && !to ? Result<void>() : words.error();
    CapabilityHeader wanted = TRY(read_user(header));
    if (wanted.pid < 0) return Errno::inval;
    Ref<Process> process =
        wanted.pid == 0 ? Ref<Process>(current_process()) : find_process(wanted.pid);
    if (!process) return Errno::srch;
    const Capabilities& held = process->fs.credentials.capabilities;
    for (uint32_t i = 0; i < words.value(); ++i) {
        const auto word = [i](uint64_t set) { return static_cast<uint32_t>(set >> (32 * i)); };
        TRY(write_user(to + i, CapabilitySet{word(held.effective), word(held.permitted),
                                             word(held.inheritable)}));
    }
    return {};
}

// Of the caller only.
Result<void> sys_capset(UserPtr<CapabilityHeader> header, UserPtr<const CapabilitySet> from) {
    const uint32_t words = TRY(capability_words(header));
    const CapabilityHeader wanted = TRY(read_user(header));
    uint64_t effective = 0, permitted = 0, inheritable = 0;
    for (uint32_t i = 0; i < words; ++i) {
        const CapabilitySet set = TRY(read_user(from + i));
        effective |= uint64_t{set.effective} << (32 * i);
        permitted |= uint64_t{set.permitted} << (32 * i);
        inheritable |= uint64_t{set.inheritable} << (32 * i);
    }
    if (wanted.pid && wanted.pid != current_process().pid) return Errno::perm;
    return context().credentials.capabilities.set(effective & Capabilities::kAll,
                                                  permitted & Capabilities::kAll,
                                                  inheritable & Capabilities::kAll);
}

constexpr SystemCall kCapabilityCalls[] = {
    CALL(184, capget, sys_capget),
    CALL(185, capset, sys_capset),
};
SYSTEM_CALLS(kCapabilityCalls);
