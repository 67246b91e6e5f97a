// The boot, in order: each line brings up one room with what the lines above it offer. Then the
// boot code becomes the idle thread, and a kernel thread goes on with what may sleep: finding the
// root file system and starting the first program.
#include "boot/boot_info.hpp"
#include "boot/options.hpp"
#include "drivers/console.hpp"
#include "drivers/disk_queue.hpp"
#include "drivers/host_link.hpp"
#include "drivers/ide.hpp"
#include "drivers/ide_channel.hpp"
#include "drivers/keyboard.hpp"
#include "drivers/partition.hpp"
#include "drivers/pci.hpp"
#include "drivers/power.hpp"
#include "drivers/ram_disk.hpp"
#include "drivers/rtc.hpp"
#include "drivers/tty.hpp"
#include "fs/dev/devfs.hpp"
#include "fs/fs.hpp"
#include "fs/proc/procfs.hpp"
#include "fs/tmp/tmpfs.hpp"
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/double_fault.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/panic.hpp"
#include "kernel/arch/traps.hpp"
#include "kernel/boot_state.hpp"
#include "kernel/deadlock/manager.hpp"
#include "kernel/ipc/futex.hpp"
#include "kernel/ipc/ipc_object.hpp"
#include "kernel/ipc/pipe.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/lib/random.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/proc/process.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/clock_init.hpp"
#include "kernel/sched/policy_control.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/smp.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/tracing.hpp"
#include "mm/address_space.hpp"
#include "mm/frame_allocation.hpp"
#include "mm/frames.hpp"
#include "mm/heap.hpp"
#include "mm/kernel_map.hpp"
#include "mm/load_control.hpp"
#include "mm/mm.hpp"
#include "mm/reclaim.hpp"
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

void connect_log_and_panic() {
    log_hooks.write = console_write;
    panic_hooks.write = panic_write;
    panic_hooks.finished = panic_finished;
    panic_hooks.is_stack_guard = guard_page;
}

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

void add_modules() {
    for (const BootModule& module : boot_info.modules) {
        PhysAddr start(module.start);
        uint32_t bytes = module.end - module.start;
        if (module.name == "stdin")
            host_link_use_input(start, bytes);
        else
            ram_disk_add(start, bytes);
    }
}

// Runs as a thread of its own: disks and file systems sleep.
void start_user_land(void*) {
    reclaim_start();
    power_init();
    ide_init();
    add_modules();
    partitions_init();
    fs_init();
    tmpfs_init();
    devfs_init();
    procfs_init();
    pipes_init();
    sysv_ipc_init();
    futex_init();
    deadlock_device_init();
    deadlock_report_init();
    processes_init();
    run_start_up_functions();  // rooms that a build may leave out
    system_calls_init();
    release_boot_memory();
    run_init(&options);
}

}  // namespace

const BootInfo& boot_information() { return boot_info; }
const BootOptions& boot_options() { return options; }

extern "C" [[noreturn]] void kernel_main(uint32_t magic, uint32_t information) {
    connect_log_and_panic();
    cpu_init();    // GDT, TSS, control registers; from here on this_cpu() works
    traps_init();  // exceptions are reported
    read_boot_information(magic, information);
    mm_init(boot_info);  // frames, page tables, heap, kernel stacks
    if (!options.heap.empty() && !choose_heap(options.heap))
        log_warning("boot: unknown heap '{}' ignored", options.heap);
    double_fault_use_directory(kernel_directory().raw());
    interrupts_init(options);  // APICs, if there are any, in place of the 8259s
    console_use_screen(!options.exec);
    console_init();
    scheduler_init();  // the boot code is now the idle thread
    if (!options.scheduler.empty()) choose_at_boot(kSchedulerChoice, options.scheduler);
    clock_init(rtc_now());  // ticks and time
    log_hooks.nanoseconds = [] { return monotonic_now().raw(); };
    tracing_init(options);  // from here on, what happens is recorded
    random_init(options.has_seed, options.seed);
    address_spaces_init();  // page faults of user programs
    tty_init(options.tty_size);
    processors_init(options);  // the other CPUs idle until there is work
    tracing_of_other_cpus();
    keyboard_init();
    pci_init();
    if ((options.exec || !options.trace.empty()) && !host_link_init())
        log_error("boot: exec= and trace= need a second serial port");

    Result<Ref<Thread>> thread = Thread::create("start", start_user_land, nullptr);
    VERIFY(thread.is_ok());
    start_thread(*thread.value());
    enable_interrupts();
    idle_loop(options.idle_spin);
}
