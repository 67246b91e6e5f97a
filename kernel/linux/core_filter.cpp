// Which kinds of memory a core file has: /proc/PID/coredump_filter. Children inherit it. Spec: core(5).
#include "fs/proc/proc_entry.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/core_file.hpp"
#include "kernel/proc/process_table.hpp"

namespace {

struct CoreFilter final : Attachment {
    static constexpr char kKind = 0;
    Atomic<uint32_t> kinds = kCoreDefault;
};

Result<void> show(TextSink& to, const ProcTarget& target) {
    const Ref<Process> process = find_process(target.pid);
    if (!process) return Errno::srch;
    format_to(to, "{:08x}\n", core_filter_of(*process));
    return {};
}

// In hexadecimal with 0x before it, or decimal.
Result<void> set(const ProcTarget& target, std::string_view text) {
    uint64_t value = 0;
    if (text.starts_with("0x")) {
        for (char c : text.substr(2)) {
            const char low = static_cast<char>(c | 0x20);
            const bool digit = c >= '0' && c <= '9', letter = low >= 'a' && low <= 'f';
            if ((!digit && !letter) || text.size() > 10) return Errno::inval;
            value = value << 4 | static_cast<uint32_t>(digit ? c - '0' : low - 'a' + 10);
        }
    } else if (!parse_number(text, value) || value > UINT32_MAX) {
        return Errno::inval;
    }
    const Ref<Process> process = find_process(target.pid);
    if (!process) return Errno::srch;
    TRY(process->attached.get_or_make<CoreFilter>())->kinds = static_cast<uint32_t>(value);
    return {};
}

constexpr ProcEntry kFilterFile[] = {
    {.name = "coredump_filter", .generate = show, .store_for = set, .inspects = true},
};
PROC_FILES(proc_process, kFilterFile);

constinit CopyHook filter_copy{[](const Process& parent, Process& child) -> Result<void> {
    const uint32_t kinds = core_filter_of(parent);
    if (kinds != kCoreDefault) TRY(child.attached.get_or_make<CoreFilter>())->kinds = kinds;
    return {};
}};
void core_filter_init() { add_copy_hook(filter_copy); }
AT_START_UP(core_filter_init);

}  // namespace

uint32_t core_filter_of(const Process& process) {
    const auto* own = process.attached.get<CoreFilter>();
    return own ? own->kinds.relaxed() : kCoreDefault;
}
