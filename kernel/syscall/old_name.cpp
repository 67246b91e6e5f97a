// oldolduname: what uname(2) tells, in fields of nine bytes. Programs of Linux's first years make this
// call; no library has a function for it any more.
// Spec: Linux i386, struct oldold_utsname.
#include "kernel/syscall/system_call.hpp"
#include "kernel/system_name.hpp"

struct OldName {
    char system[9], node[9], release[9], version[9], machine[9];
};
static_assert(sizeof(OldName) == 45);

namespace {

// As many bytes of `from` as leave room for a NUL.
void fill(char (&to)[9], std::string_view from) { from.copy(to, sizeof to - 1); }

}  // namespace

// Writes the five names (kernel/system_name.hpp), each cut to eight bytes and with a NUL behind it, to the
// program's memory. EFAULT if it has none there.
// Lab 2.4: stub { (void)to; return Errno::nosys; }
Result<void> sys_oldolduname(UserPtr<OldName> to) {
    OldName name{};
    fill(name.system, kSystemName);
    fill(name.node, host_name);
    fill(name.release, kSystemRelease);
    fill(name.version, kSystemVersion);
    fill(name.machine, kMachineName);
    return write_user(to, name);
}

// The calls of this file: {CALL(number, name, handler), ...}. oldolduname has the number 59.
// Lab 2.4: stub { return std::array<SystemCall, 0>{}; }
constexpr auto old_name_calls() {
    return std::array{SystemCall CALL(59, oldolduname, sys_oldolduname)};
}

constexpr auto kOldNameCalls = old_name_calls();
SYSTEM_CALLS(kOldNameCalls);
