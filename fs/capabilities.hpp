// Capabilities: what the superuser may, in parts that a process can give up one by one.
// Pure: host-tested. Locks: none; each process uses its own. Spec: capabilities(7), capset(2).
#pragma once

#include "kernel/lib/result.hpp"

// Linux's numbers; those that something here asks for.
enum class Capability : uint8_t {
    chown = 0,
    dac_override = 1,     // any file
    dac_read_search = 2,  // any directory, and reading
    fowner = 3,           // what only a file's owner may
    fsetid = 4,           // a file that changes keeps its set-id bits
    kill = 5,
    setgid = 6,
    setuid = 7,
    setpcap = 8,  // the bounding set, and more to inherit
    linux_immutable = 9,
    ipc_lock = 14,
    ipc_owner = 15,
    sys_rawio = 17,
    sys_chroot = 18,
    sys_ptrace = 19,
    sys_admin = 21,
    sys_boot = 22,
    sys_nice = 23,
    sys_resource = 24,
    sys_time = 25,
    sys_tty_config = 26,
    mknod = 27,
    lease = 28,
    syslog = 34,
    wake_alarm = 35,
};
constexpr uint32_t kLastCapability = 40;

constexpr uint64_t capability_bit(Capability c) { return uint64_t{1} << static_cast<uint32_t>(c); }

struct Capabilities {
    static constexpr uint64_t kAll = (uint64_t{2} << kLastCapability) - 1;
    // Those that the file user (setfsuid) brings along.
    static constexpr uint64_t kFiles =
        capability_bit(Capability::chown) | capability_bit(Capability::dac_override) |
        capability_bit(Capability::dac_read_search) | capability_bit(Capability::fowner) |
        capability_bit(Capability::fsetid) | capability_bit(Capability::linux_immutable) |
        capability_bit(Capability::mknod);

    uint64_t effective = kAll;  // what is asked for
    uint64_t permitted = kAll;  // what may become effective
    uint64_t inheritable = 0;   // what programs may get from the process
    uint64_t bounding = kAll;   // what a program may get at all
    uint64_t ambient = 0;       // what each program gets
    bool keep = false;          // leaving user 0 takes the effective ones only (PR_SET_KEEPCAPS)

    constexpr bool has(Capability c) const { return effective & capability_bit(c); }

    // capset(2): EPERM, and then nothing has changed.
    Result<void> set(uint64_t new_effective, uint64_t new_permitted, uint64_t new_inheritable) {
        const uint64_t may_inherit = has(Capability::setpcap) ? kAll : inheritable | permitted;
        if (new_inheritable & ~may_inherit) return Errno::perm;
        if (new_inheritable & ~(inheritable | bounding)) return Errno::perm;
        if ((new_permitted & ~permitted) || (new_effective & ~new_permitted)) return Errno::perm;
        effective = new_effective;
        permitted = new_permitted;
        inheritable = new_inheritable;
        ambient &= permitted & inheritable;
        return {};
    }

    // The user ids have changed. `had_root`, `has_root`: one of real, effective, saved was, is 0.
    void users_changed(bool had_root, bool has_root, bool was_root, bool is_root) {
        if (had_root && !has_root) {
            if (!keep) permitted = effective = 0;
            ambient = 0;
        }
        if (was_root && !is_root) effective = 0;
        if (!was_root && is_root) effective = permitted;
    }
    // The user by whose id files are judged, alone (setfsuid).
    void file_user_changed(bool was_root, bool is_root) {
        if (was_root && !is_root) effective &= ~kFiles;
        if (!was_root && is_root) effective |= permitted & kFiles;
    }
    // execve: the new program's. Files have no capabilities of their own here.
    void program_begins(bool real_root, bool effective_root, bool set_id) {
        if (set_id) ambient = 0;
        permitted = real_root || effective_root ? inheritable | bounding : ambient;
        effective = effective_root ? permitted : ambient;
        keep = false;
    }
};
