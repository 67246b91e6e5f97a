// Who may look into another process: one rule for /proc and the calls that read from others.
// Spec: ptrace(2), "Ptrace access mode checking"; prctl(2), PR_SET_DUMPABLE.
#include "kernel/proc/process.hpp"

bool may_manage_all(const Credentials& other, uint32_t uid, uint32_t gid) {
    if (current_process().fs.credentials.may(Capability::sys_ptrace)) return true;
    return uid == other.uid && uid == other.euid && uid == other.suid && gid == other.gid &&
           gid == other.egid && gid == other.sgid;
}

bool may_inspect(const Process& other, uint32_t uid, uint32_t gid) {
    if (&other == &current_process()) return true;
    const Credentials& self = current_process().fs.credentials;
    if (self.may(Capability::sys_ptrace)) return true;
    // What it may do beyond the caller, the caller could make it do.
    const uint64_t more =
        other.fs.credentials.capabilities.permitted & ~self.capabilities.permitted;
    return may_manage_all(other.fs.credentials, uid, gid) && other.dumpable && !more;
}
