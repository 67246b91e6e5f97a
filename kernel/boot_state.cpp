// See boot_state.hpp.
#include "kernel/boot_state.hpp"

#include <algorithm>

#include "drivers/console.hpp"
#include "drivers/disk_queue.hpp"
#include "drivers/host_link.hpp"
#include "drivers/ide_channel.hpp"
#include "drivers/power.hpp"
#include "drivers/ram_disk.hpp"
#include "drivers/tty.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/deadlock/manager.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/proc/program_places.hpp"
#include "kernel/sched/policy_control.hpp"
#include "mm/frame_allocation.hpp"
#include "mm/heap.hpp"
#include "mm/load_control.hpp"
#include "mm/tracked_frames.hpp"
#include "mm/virtual_area.hpp"

namespace {

constinit BootInfoStorage boot_storage{};
constinit BootInfo boot_info{};
constinit BootOptions options{};

// --- what a panic does at its end: the host's runner gets the report, and the machine powers off.
void panic_write(std::string_view text) {
    console_enter_panic();
    console_write(text);
}
void panic_finished(std::string_view report) {
    if (!options.exec) return;
    host_link_panic(report);
    power_off();
}
bool guard_page(uint32_t address) { return is_stack_guard(VirtAddr(address)); }

constexpr const PolicyChoice* kPolicyChoices[] = {
    &kSchedulerChoice,       &kHeapChoice,        &kReplacementChoice, &kScopeChoice,
    &kFrameAllocationChoice, &kLoadControlChoice, &kLoadVictimChoice,  &kStrategyChoice,
    &kElevatorChoice};

// option=NAME, or prefix.TUNABLE=VALUE. False: it is not about this kind of policies. An unknown name
// changes nothing, and the console says which names there are.
bool take_policy_word(const PolicyChoice& kind, std::string_view name, std::string_view value) {
    if (name == kind.option) {
        if (kind.set(value).is_ok()) return true;
        char buffer[160];
        BufferSink names(buffer);
        for (std::string_view known : kind.names) format_to(names, " {}", known);
        log_warning("boot: {}={}: unknown, ignored; known:{}", name, value, names.view());
        return true;
    }
    if (!name.starts_with(kind.prefix)) return false;
    name.remove_prefix(kind.prefix.size());
    for (uint32_t i = 0; i < kind.tunables.size(); ++i)
        if (kind.tunables[i].name == name) return kind.set_tunable(i, value).is_ok();
    return false;
}

void take_word(std::string_view word) {
    const size_t equals = std::min(word.find('='), word.size());
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = word.substr(std::min(equals + 1, word.size()));
    for (const PolicyChoice* kind : kPolicyChoices)
        if (take_policy_word(*kind, name, value)) return;
    if (word == "norandmaps") {
        random_places = 0;
        return;
    }
    if (name == "ide" && choose_ide_mode(value)) return;
    log_warning("boot: unknown option '{}' ignored", word);
}

}  // namespace

const BootInfo& boot_information() { return boot_info; }
const BootOptions& boot_options() { return options; }

void connect_log_and_panic() {
    log_hooks.write = console_write;
    panic_hooks.write = panic_write;
    panic_hooks.finished = panic_finished;
    panic_hooks.is_stack_guard = guard_page;
}

void read_boot_information(uint32_t magic, uint32_t information) {
    // The provisional page tables cover this much; loaders put their structures far below.
    constexpr uint32_t kReadable = 512u << 20;
    PhysicalWindow window{0, {static_cast<const char*>(to_virtual(PhysAddr(0))), kReadable}};
    boot_info = parse_boot_info(magic, information, window, boot_storage);
    options = parse_boot_options(boot_info.command_line, take_word);
    if (options.quiet) log_set_console_level(static_cast<uint32_t>(LogLevel::notice));
    if (boot_info.incomplete) log_warning("boot: the loader's information is incomplete");
    log_info("boot: by {}; {}", boot_info.loader_name, boot_info.command_line);
}

void add_boot_modules() {
    for (const BootModule& module : boot_info.modules) {
        PhysAddr start(module.start);
        uint32_t bytes = module.end - module.start;
        if (module.name == "stdin")
            host_link_use_input(start, bytes);
        else
            ram_disk_add(start, bytes);
    }
}

void connect_host() {
    if (!options.exec && options.trace.empty()) return second_line_init();
    if (!host_link_init()) log_error("boot: exec= and trace= need a second serial port");
}
