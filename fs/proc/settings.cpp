// /proc/sys: what can be read and set while the system runs. Spec: proc(5), /proc/sys.
#include "drivers/power.hpp"
#include "fs/proc/proc_entry.hpp"
#include "fs/vfs.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/system_name.hpp"

namespace {

template <size_t N>
Result<void> set_text(char (&to)[N], std::string_view value) {
    if (value.size() >= N) return Errno::inval;
    char fresh[N] = {};
    value.copy(fresh, N - 1);
    __builtin_memcpy(to, fresh, N);
    return {};
}

template <const auto& text>
void show(TextSink& to) {
    format_to(to, "{}\n", std::string_view(text));
}

constexpr char kMostPids[] = "32768", kMostGroups[] = "32";
static_assert(kMaxGroups == 32);

constexpr ProcEntry kKernel[] = {
    {.name = "hostname",
     .show = show<host_name>,
     .store = [](std::string_view name) { return set_text(host_name, name); }},
    {.name = "domainname",
     .show = show<domain_name>,
     .store = [](std::string_view name) { return set_text(domain_name, name); }},
    {.name = "ostype", .show = show<kSystemName>},
    {.name = "osrelease", .show = show<kSystemRelease>},
    {.name = "version", .show = show<kSystemVersion>},
    {.name = "pid_max", .show = show<kMostPids>},
    {.name = "ngroups_max", .show = show<kMostGroups>},
};
PROC_FILES(proc_sys_kernel, kKernel);

constexpr ProcEntry kSettings[] = {
    {.name = "fs", .added = &proc_sys_fs},
    {.name = "kernel", .added = &proc_sys_kernel},
    {.name = "vm", .added = &proc_sys_vm},
};
PROC_FILES(proc_sys, kSettings);

// Spec: Linux's sysrq documentation: c crashes on purpose, s syncs, u stops writing in good
// order, b reboots, o powers off.
Result<void> system_request(std::string_view key) {
    switch (key.empty() ? 0 : key[0]) {
        case 'c': panic("a crash was asked for (/proc/sysrq-trigger)");
        case 's': return vfs_sync_all();
        case 'u': vfs_stop(); return {};
        case 'b': reboot();
        case 'o': power_off();
        default: return Errno::inval;
    }
}

constexpr ProcEntry kRequest[] = {
    {.name = "sysrq-trigger", .mode = kTypeRegular | 0200, .store = system_request},
};
PROC_FILES(proc_root, kRequest);

}  // namespace
