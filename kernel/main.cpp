// The boot, in order: each line brings up one room with what the lines above it offer. Then the
// boot code becomes the idle thread, and a kernel thread goes on with what may sleep: finding the
// root file system and starting the first program.
#include "drivers/acpi.hpp"
#include "drivers/ahci.hpp"
#include "drivers/console.hpp"
#include "drivers/ide.hpp"
#include "drivers/keyboard.hpp"
#include "drivers/partition.hpp"
#include "drivers/pci.hpp"
#include "drivers/power.hpp"
#include "drivers/rtc.hpp"
#include "drivers/tty.hpp"
#include "fs/dev/devfs.hpp"
#include "fs/fs.hpp"
#include "fs/proc/procfs.hpp"
#include "fs/tmp/tmpfs.hpp"
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/double_fault.hpp"
#include "kernel/arch/interrupts.hpp"
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
#include "kernel/sched/scheduler.hpp"
#include "kernel/smp.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/tracing.hpp"
#include "mm/address_space.hpp"
#include "mm/frames.hpp"
#include "mm/kernel_map.hpp"
#include "mm/mm.hpp"
#include "mm/reclaim.hpp"
#include "mm/virtual_area.hpp"

namespace {

// Runs as a thread of its own: disks and file systems sleep.
void start_user_land(void*) {
    reclaim_start();           // a thread that frees memory before it is all gone
    power_init();              // how the machine is switched off
    ide_init();                // disks: probed by PIO, then read by DMA
    ahci_init(map_registers);  // and those on SATA
    add_boot_modules();        // RAM disks that the loader brought
    partitions_init();         // parts of disks are disks too
    fs_init();                 // page cache, inodes, names; ext2 and others can be mounted
    tmpfs_init();              // /tmp: files in memory only
    devfs_init();              // /dev: disks and terminals as files
    procfs_init();             // /proc: what the kernel knows, as files
    pipes_init();              // named pipes can be opened
    sysv_ipc_init();           // semaphores, messages, shared memory
    futex_init();              // waiting on a word of user memory
    deadlock_device_init();    // /dev/resources: the resource manager
    deadlock_report_init();    // who waits for whom
    processes_init();          // exceptions become signals
    run_start_up_functions();  // rooms that a build may leave out
    system_calls_init();       // int 0x80 leads to the table of calls
    release_boot_memory();     // what only the boot needed is free memory now
    run_init();                // mounts the root, runs /sbin/init; never returns
}

}  // namespace

extern "C" [[noreturn]] void kernel_main(uint32_t magic, uint32_t information) {
    connect_log_and_panic();                    // from here on an error is seen
    cpu_init();                                 // GDT, TSS, control registers; this_cpu() works
    traps_init();                               // exceptions are reported
    read_boot_information(magic, information);  // memory map, command line
    const BootOptions& options = boot_options();
    mm_init(boot_information());  // frames, page tables, heap, kernel stacks
    double_fault_use_directory(kernel_directory().raw());  // a stack overflow is reported too
    interrupts_init(options);           // APICs, if there are any, in place of the 8259s
    console_use_screen(!options.exec);  // with exec= only the serial port
    console_init(boot_information().framebuffer, map_registers);  // from now on the log is shown
    scheduler_init();                          // the boot code is now the idle thread
    clock_init(rtc_now(), acpi_timer_port());  // ticks and time
    log_hooks.nanoseconds = [] { return monotonic_now().raw(); };  // lines of the log have a time
    tracing_init(options);                        // from here on, what happens is recorded
    random_init(options.has_seed, options.seed);  // seed=: a run that can be repeated
    address_spaces_init();                        // page faults of user programs
    tty_init(options.tty_size);                   // lines, echo, Ctrl-C
    processors_init(options);                     // the other CPUs idle until there is work
    tracing_of_other_cpus();                      // and are recorded
    keyboard_init();                              // key presses reach the terminal
    pci_init();                                   // which devices there are
    connect_host();                               // the second serial port, for --exec and --trace

    start_thread(*Thread::create("start", start_user_land, nullptr).release_value());
    enable_interrupts();           // at the first one it runs
    idle_loop(options.idle_spin);  // whenever no thread is ready
}
