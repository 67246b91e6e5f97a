// The name of a core file: /proc/sys/kernel/core_pattern and core_uses_pid. Programs that would take the core
// from a pipe ('|' in front) are not started: EINVAL. Spec: core(5).
#include "fs/proc/proc_entry.hpp"
#include "kernel/linux/core_file.hpp"
#include "kernel/sched/clock.hpp"

namespace {

constexpr uint32_t kMost = 127;
constinit SpinLock pattern_lock{LockRank::file_events};
constinit char pattern[kMost + 1] GUARDED_BY(pattern_lock) = "core";
constinit Atomic<uint32_t> uses_pid = 0;

struct Pattern {
    char text[kMost + 1];
};
Pattern current_pattern() {
    Pattern copy;
    LockGuard guard(pattern_lock);
    __builtin_memcpy(copy.text, pattern, sizeof copy.text);
    return copy;
}

Result<void> set_pattern(std::string_view text) {
    if (text.size() > kMost || text.starts_with('|')) return Errno::inval;
    LockGuard guard(pattern_lock);
    __builtin_memset(pattern, 0, sizeof pattern);
    text.copy(pattern, kMost);
    return {};
}

constexpr ProcEntry kCoreSettings[] = {
    {.name = "core_pattern",
     .show = [](TextSink& to) { format_to(to, "{}\n", std::string_view(current_pattern().text)); },
     .store = set_pattern},
    {.name = "core_uses_pid", .number = &uses_pid, .most = 1},
};
PROC_FILES(proc_sys_kernel, kCoreSettings);

// A slash in it would make a way of it.
void put_name(TextSink& to, std::string_view name) {
    for (char c : name) to.put(c == '/' ? "!" : std::string_view(&c, 1));
}

// What %c stands for; false: pid was not it.
bool put_part(TextSink& to, char c, int signal) {
    const Process& process = current_process();
    switch (c) {
        case '%': to.put("%"); break;
        case 'p':
        case 'P': format_to(to, "{}", process.pid); return true;
        case 'i':
        case 'I': format_to(to, "{}", current_thread().tid); break;
        case 'u': format_to(to, "{}", process.fs.credentials.uid); break;
        case 'g': format_to(to, "{}", process.fs.credentials.gid); break;
        case 's': format_to(to, "{}", signal); break;
        case 't': format_to(to, "{}", realtime_now().raw() / 1'000'000'000); break;
        case 'c': format_to(to, "{}", process.limits[limit_core].soft); break;
        case 'e': put_name(to, current_thread().name); break;
        default: break;
    }
    return false;
}

}  // namespace

Result<std::string_view> core_name(int signal, std::span<char> buffer) {
    const Pattern now = current_pattern();
    BufferSink to(buffer);
    bool has_pid = false;
    for (const char* at = now.text; *at; ++at) {
        if (*at != '%') {
            to.put({at, 1});
            continue;
        }
        if (!*++at) break;
        has_pid |= put_part(to, *at, signal);
    }
    if (uses_pid.relaxed() && !has_pid) format_to(to, ".{}", current_process().pid);
    if (to.wanted() > buffer.size()) return Errno::nametoolong;
    return to.view();
}
