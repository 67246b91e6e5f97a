// /proc/sys: what can be read and set while the system runs. Spec: proc(5), /proc/sys.
#include "drivers/power.hpp"
#include "fs/proc/upper_files.hpp"
#include "fs/vfs.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/system_name.hpp"

namespace {

constexpr uint32_t kReadOnly = kTypeRegular | 0444, kWritable = kTypeRegular | 0644,
                   kDirectory = kTypeDirectory | 0555;

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

constexpr ProcEntry kDeadlock[] = {
    upper_entry<UpperFile::deadlock_strategy>("strategy", true),
    upper_entry<UpperFile::deadlock_detection>("detection", true),
    upper_entry<UpperFile::deadlock_recovery>("recovery", true),
    upper_entry<UpperFile::deadlock_period>("period_ms", true),
};

constexpr ProcEntry kKernel[] = {
    {.name = "hostname",
     .mode = kWritable,
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, host_name); },
     .store = [](std::string_view name) { return set_text(host_name, name); }},
    {.name = "domainname",
     .mode = kWritable,
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, domain_name); },
     .store = [](std::string_view name) { return set_text(domain_name, name); }},
    {.name = "ostype",
     .mode = kReadOnly,
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, kSystemName); }},
    {.name = "osrelease",
     .mode = kReadOnly,
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, kSystemRelease); }},
    {.name = "version",
     .mode = kReadOnly,
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, kSystemVersion); }},
    {.name = "pid_max",
     .mode = kReadOnly,
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, "32768"); }},
    {.name = "ngroups_max",
     .mode = kReadOnly,
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, "32"); }},
    {.name = "sched", .mode = kDirectory, .children = kSchedulerSettings},
    {.name = "deadlock", .mode = kDirectory, .children = kDeadlock},
    upper_entry<UpperFile::shmmax>("shmmax", true),
    upper_entry<UpperFile::shmall>("shmall", true),
    upper_entry<UpperFile::shmmni>("shmmni", true),
    upper_entry<UpperFile::msgmax>("msgmax", true),
    upper_entry<UpperFile::msgmnb>("msgmnb", true),
    upper_entry<UpperFile::msgmni>("msgmni", true),
    upper_entry<UpperFile::sem>("sem", true),
    {.name = "trace", .mode = kDirectory, .children = kTraceSettings},
};
static_assert(kMaxGroups == 32);

constexpr ProcEntry kMessageQueues[] = {
    upper_entry<UpperFile::mq_queues_max>("queues_max", true),
    upper_entry<UpperFile::mq_msg_max>("msg_max", true),
    upper_entry<UpperFile::mq_msgsize_max>("msgsize_max", true),
    upper_entry<UpperFile::mq_msg_default>("msg_default", true),
    upper_entry<UpperFile::mq_msgsize_default>("msgsize_default", true),
};

constexpr ProcEntry kEpoll[] = {
    upper_entry<UpperFile::epoll_max_user_watches>("max_user_watches", true),
};

constexpr ProcEntry kFiles[] = {
    {.name = "epoll", .mode = kDirectory, .children = kEpoll},
    {.name = "mqueue", .mode = kDirectory, .children = kMessageQueues},
    {.name = "pipe-max-size",
     .mode = kReadOnly,
     .generate = [](TextSink& to, const ProcTarget&) { return show_text(to, "1048576"); }},
};

constexpr ProcEntry kDevices[] = {
    {.name = "disk", .mode = kDirectory, .children = kDiskSettings, .names = &kDiskNames},
};

}  // namespace

constinit const ProcEntry kSettings[4] = {
    {.name = "dev", .mode = kDirectory, .children = kDevices},
    {.name = "fs", .mode = kDirectory, .children = kFiles},
    {.name = "kernel", .mode = kDirectory, .children = kKernel},
    {.name = "vm", .mode = kDirectory, .children = kMemorySettings},
};

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
