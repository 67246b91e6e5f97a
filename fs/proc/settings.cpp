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

constexpr auto show_text = [](TextSink& to, std::string_view text) -> Result<void> {
    format_to(to, "{}\n", text);
    return {};
};

constexpr ProcEntry kKernel[] = {
    {.name = "hostname",
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, host_name); },
     .store = [](std::string_view name) { return set_text(host_name, name); }},
    {.name = "domainname",
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, domain_name); },
     .store = [](std::string_view name) { return set_text(domain_name, name); }},
    {.name = "ostype",
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, kSystemName); }},
    {.name = "osrelease",
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, kSystemRelease); }},
    {.name = "version",
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, kSystemVersion); }},
    {.name = "pid_max",
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, "32768"); }},
    {.name = "ngroups_max",
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, "32"); }},
};
PROC_FILES(proc_sys_kernel, kKernel);
static_assert(kMaxGroups == 32);

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
