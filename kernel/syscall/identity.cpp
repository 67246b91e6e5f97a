// User and group ids; the rules of who may become whom are in identity_rules.hpp.
// Spec: setuid(2), setreuid(2), setresuid(2), setgroups(2), credentials(7).
#include "kernel/syscall/system_call.hpp"
#include "kernel/syscall/identity_rules.hpp"

namespace {

Credentials& credentials() { return context().credentials; }
Ids users() {
    Credentials& c = credentials();
    return {c.uid, c.euid, c.suid, c.fsuid, c.may(Capability::setuid)};
}
Ids groups() {
    Credentials& c = credentials();
    return {c.gid, c.egid, c.sgid, c.fsgid, c.may(Capability::setgid)};
}

// A process whose rights change holds what only the old ones let it read: nobody may look into it,
// until it runs another program. Spec: prctl(2), PR_SET_DUMPABLE and PR_SET_PDEATHSIG.
template <typename Change>
auto note_change(Change change) {
    Credentials& c = credentials();
    const Credentials before = c;
    auto result = change();
    const bool had_root = !before.uid || !before.euid || !before.suid;
    const bool has_root = !c.uid || !c.euid || !c.suid;
    c.capabilities.users_changed(had_root, has_root, !before.euid, !c.euid);
    c.capabilities.file_user_changed(!before.fsuid, !c.fsuid);
    if (before.euid != c.euid || before.egid != c.egid || before.fsuid != c.fsuid ||
        before.fsgid != c.fsgid) {
        current_process().dumpable = false;
        current_process().death_signal = 0;
    }
    if (c.uid != current_process().account->uid) change_account(current_process(), c.uid);
    return result;
}

template <typename T>
Result<void> get_all_three(const Ids& ids, UserPtr<T> real, UserPtr<T> effective,
                           UserPtr<T> saved) {
    auto as = [](uint32_t id) {
        if constexpr (sizeof(T) == 2)
            return short_id(id);
        else
            return id;
    };
    TRY(write_user(real, as(ids.real)));
    TRY(write_user(effective, as(ids.effective)));
    return write_user(saved, as(ids.saved));
}

// --- supplementary groups

template <typename T>
Result<uint32_t> get_groups(int room, UserPtr<T> to) {
    const Credentials& c = credentials();
    if (room < 0) return Errno::inval;
    if (room == 0) return c.group_count;
    if (static_cast<uint32_t>(room) < c.group_count) return Errno::inval;
    for (uint32_t i = 0; i < c.group_count; ++i) {
        T id = sizeof(T) == 2 ? static_cast<T>(short_id(c.groups[i])) : static_cast<T>(c.groups[i]);
        TRY(write_user(to + i, id));
    }
    return c.group_count;
}

template <typename T>
Result<void> set_groups(uint32_t count, UserPtr<const T> from) {
    Credentials& c = credentials();
    if (!c.may(Capability::setgid)) return Errno::perm;
    if (count > kMaxGroups) return Errno::inval;
    T fresh[kMaxGroups];
    TRY(copy_from_user(fresh, from.address(), count * sizeof(T)));
    for (uint32_t i = 0; i < count; ++i) c.groups[i] = fresh[i];
    c.group_count = count;
    return {};
}

}  // namespace

uint32_t sys_getuid() { return credentials().uid; }
uint32_t sys_geteuid() { return credentials().euid; }
uint32_t sys_getgid() { return credentials().gid; }
uint32_t sys_getegid() { return credentials().egid; }
uint32_t sys_getuid16() { return short_id(credentials().uid); }
uint32_t sys_geteuid16() { return short_id(credentials().euid); }
uint32_t sys_getgid16() { return short_id(credentials().gid); }
uint32_t sys_getegid16() { return short_id(credentials().egid); }

Result<void> sys_setuid(uint32_t id) {
    return note_change([&] { return set_id(users(), id); });
}
Result<void> sys_setgid(uint32_t id) {
    return note_change([&] { return set_id(groups(), id); });
}
Result<void> sys_setreuid(uint32_t real, uint32_t effective) {
    return note_change([&] { return set_real_effective(users(), real, effective); });
}
Result<void> sys_setregid(uint32_t real, uint32_t effective) {
    return note_change([&] { return set_real_effective(groups(), real, effective); });
}
Result<void> sys_setresuid(uint32_t real, uint32_t effective, uint32_t saved) {
    return note_change([&] { return set_all_three(users(), real, effective, saved); });
}
Result<void> sys_setresgid(uint32_t real, uint32_t effective, uint32_t saved) {
    return note_change([&] { return set_all_three(groups(), real, effective, saved); });
}
uint32_t sys_setfsuid(uint32_t id) {
    return note_change([&] { return set_files_id(users(), id); });
}
uint32_t sys_setfsgid(uint32_t id) {
    return note_change([&] { return set_files_id(groups(), id); });
}

Result<void> sys_setuid16(uint16_t id) { return sys_setuid(long_id(id)); }
Result<void> sys_setgid16(uint16_t id) { return sys_setgid(long_id(id)); }
Result<void> sys_setreuid16(uint16_t real, uint16_t effective) {
    return sys_setreuid(long_id(real), long_id(effective));
}
Result<void> sys_setregid16(uint16_t real, uint16_t effective) {
    return sys_setregid(long_id(real), long_id(effective));
}
Result<void> sys_setresuid16(uint16_t real, uint16_t effective, uint16_t saved) {
    return sys_setresuid(long_id(real), long_id(effective), long_id(saved));
}
Result<void> sys_setresgid16(uint16_t real, uint16_t effective, uint16_t saved) {
    return sys_setresgid(long_id(real), long_id(effective), long_id(saved));
}
uint32_t sys_setfsuid16(uint16_t id) { return short_id(sys_setfsuid(long_id(id))); }
uint32_t sys_setfsgid16(uint16_t id) { return short_id(sys_setfsgid(long_id(id))); }

Result<void> sys_getresuid(UserPtr<uint32_t> real, UserPtr<uint32_t> effective,
                           UserPtr<uint32_t> saved) {
    return get_all_three(users(), real, effective, saved);
}
Result<void> sys_getresgid(UserPtr<uint32_t> real, UserPtr<uint32_t> effective,
                           UserPtr<uint32_t> saved) {
    return get_all_three(groups(), real, effective, saved);
}
Result<void> sys_getresuid16(UserPtr<uint16_t> real, UserPtr<uint16_t> effective,
                             UserPtr<uint16_t> saved) {
    return get_all_three(users(), real, effective, saved);
}
Result<void> sys_getresgid16(UserPtr<uint16_t> real, UserPtr<uint16_t> effective,
                             UserPtr<uint16_t> saved) {
    return get_all_three(groups(), real, effective, saved);
}

Result<uint32_t> sys_getgroups(int room, UserPtr<uint32_t> to) { return get_groups(room, to); }
Result<uint32_t> sys_getgroups16(int room, UserPtr<uint16_t> to) { return get_groups(room, to); }
Result<void> sys_setgroups(uint32_t count, UserPtr<const uint32_t> from) {
    return set_groups(count, from);
}
Result<void> sys_setgroups16(uint32_t count, UserPtr<const uint16_t> from) {
    return set_groups(count, from);
}

constexpr SystemCall kIdentityCalls[] = {
    CALL(23, setuid, sys_setuid16),        CALL(24, getuid, sys_getuid16),
    CALL(46, setgid, sys_setgid16),        CALL(47, getgid, sys_getgid16),
    CALL(49, geteuid, sys_geteuid16),      CALL(50, getegid, sys_getegid16),
    CALL(70, setreuid, sys_setreuid16),    CALL(71, setregid, sys_setregid16),
    CALL(80, getgroups, sys_getgroups16),  CALL(81, setgroups, sys_setgroups16),
    CALL(138, setfsuid, sys_setfsuid16),   CALL(139, setfsgid, sys_setfsgid16),
    CALL(164, setresuid, sys_setresuid16), CALL(165, getresuid, sys_getresuid16),
    CALL(170, setresgid, sys_setresgid16), CALL(171, getresgid, sys_getresgid16),
    CALL(199, getuid32, sys_getuid),       CALL(200, getgid32, sys_getgid),
    CALL(201, geteuid32, sys_geteuid),     CALL(202, getegid32, sys_getegid),
    CALL(203, setreuid32, sys_setreuid),   CALL(204, setregid32, sys_setregid),
    CALL(205, getgroups32, sys_getgroups), CALL(206, setgroups32, sys_setgroups),
    CALL(208, setresuid32, sys_setresuid), CALL(209, getresuid32, sys_getresuid),
    CALL(210, setresgid32, sys_setresgid), CALL(211, getresgid32, sys_getresgid),
    CALL(213, setuid32, sys_setuid),       CALL(214, setgid32, sys_setgid),
    CALL(215, setfsuid32, sys_setfsuid),   CALL(216, setfsgid32, sys_setfsgid),
};
SYSTEM_CALLS(kIdentityCalls);
