// /proc/sys/kernel/printk: the console's level, that of lines without one, the console's least and its usual
// one. The second and the fourth are kept only: each line of this log has a level.
// Spec: syslog(2), proc(5).
#include "kernel/linux/number_list.hpp"
#include "kernel/trace/log_levels.hpp"

namespace {

constinit Atomic<uint32_t> level_of_lines = 4, usual_level = 7;
constexpr Atomic<uint32_t>* kPrintkLevels[] = {&console_level, &level_of_lines,
                                               &least_console_level, &usual_level};

void show_levels(TextSink& to) {
    format_to(to, "{}\t{}\t{}\t{}\n", kPrintkLevels[0]->relaxed(), kPrintkLevels[1]->relaxed(),
              kPrintkLevels[2]->relaxed(), kPrintkLevels[3]->relaxed());
}

// As many of the four as are given; all or none.
Result<void> set_levels(std::string_view text) {
    uint32_t levels[4];
    const uint32_t count = TRY(numbers_in(text, levels));
    for (uint32_t i = 0; i < count; ++i) *kPrintkLevels[i] = levels[i];
    return {};
}

constexpr ProcEntry kPrintkFiles[] = {{.name = "printk", .show = show_levels, .store = set_levels}};
PROC_FILES(proc_sys_kernel, kPrintkFiles);

}  // namespace
