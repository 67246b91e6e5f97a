// See boot_state.hpp.
#include "kernel/boot_state.hpp"

#include "drivers/console.hpp"
#include "drivers/disk_queue.hpp"
#include "drivers/host_link.hpp"
#include "drivers/ide_channel.hpp"
#include "drivers/power.hpp"
#include "drivers/ram_disk.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/lib/log.hpp"
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

// An unknown name changes nothing, and the console says which names there are.
void choose_at_boot(const PolicyChoice& kind, std::string_view name) {
    if (kind.set(name).is_ok()) return;
    char buffer[160];
    BufferSink names(buffer);
    for (std::string_view known : kind.names) format_to(names, " {}", known);
    log_warning("boot: {}={}: unknown, ignored; known:{}", kind.option, name, names.view());
}

bool take_memory_option(std::string_view word) {
    constexpr struct {
        std::string_view name;
        bool (*choose)(std::string_view name);
    } kOptions[] = {{"vm.replacement=", choose_replacement},
                    {"vm.replacement_scope=", choose_replacement_scope},
                    {"vm.frame_allocation=", choose_allocation},
                    {"vm.load_control=", choose_load_control}};
    for (const auto& option : kOptions)
        if (word.starts_with(option.name)) return option.choose(word.substr(option.name.size()));
    return false;
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
    options = parse_boot_options(boot_info.command_line, [](std::string_view word) {
        if (take_boot_tunable(word)) return;
        if (take_memory_option(word)) return;
        constexpr std::string_view kElevator = "elevator=", kIde = "ide=";
        if (word.starts_with(kElevator) && choose_elevator(word.substr(kElevator.size()))) return;
        if (word.starts_with(kIde) && choose_ide_mode(word.substr(kIde.size()))) return;
        log_warning("boot: unknown option '{}' ignored", word);
    });
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

void choose_boot_heap() {
    if (!options.heap.empty() && !choose_heap(options.heap))
        log_warning("boot: unknown heap '{}' ignored", options.heap);
}

void choose_boot_scheduler() {
    if (!options.scheduler.empty()) choose_at_boot(kSchedulerChoice, options.scheduler);
}

void connect_host() {
    if ((options.exec || !options.trace.empty()) && !host_link_init())
        log_error("boot: exec= and trace= need a second serial port");
}
