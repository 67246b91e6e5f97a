// The first process: mounts the root and /dev, and runs init on it. What can't be done ends in one
// line that says why.
#include "drivers/host_link.hpp"
#include "drivers/power.hpp"
#include "fs/write_back.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/traps.hpp"
#include "kernel/boot_state.hpp"
#include "kernel/deadlock/manager.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/proc/exec.hpp"
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_source.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/thread_limits.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/frames.hpp"

extern "C" [[noreturn]] void enter_user(TrapFrame& frame);

constinit Process* init_process = nullptr;

namespace {

// Tells the host's runner, if there is one, and stops.
[[noreturn]] void give_up(std::string_view what) {
    log_error("{}", what);
    if (boot_options().exec) {
        auto say = [](std::string_view text) {
            host_link_write(HostStream::error,
                            {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
        };
        say("orrery: ");
        say(what);
        say("\n");
        host_link_exit(125);
        power_off();
    }
    for (;;) park({.interruptible = false, .reason = "nothing to run"});
}

void run_first_program(void*) {
    Process& self = current_process();
    ArgumentBlock arguments;
    std::string_view program = boot_options().init;
    Result<void> done = arguments.add_argument(program);
    if (done) done = arguments.add_environment_string("PATH=/bin:/sbin:/usr/bin:/usr/sbin");
    if (done) done = arguments.add_environment_string("HOME=/");
    if (done) done = execute_with(self.fs.root, program, arguments, program);
    if (done.is_error()) {
        char text[128];
        give_up(format_in(text, "cannot run {}: error {}", program, done.error()));
    }
    disable_interrupts();
    enter_user(current_thread().user_frame());
}

void set_default_limits(Process& process) {
    process.limits[limit_stack] = {8u << 20, kInfinite};
    process.limits[limit_nofile] = {1024, 4096};
    process.limits[limit_core] = {0, kInfinite};
    process.limits[limit_nproc] =
        process.limits[limit_sigpending] = {max_threads() / 2, max_threads() / 2};
    process.limits[limit_memlock] = {64u << 10, 64u << 10};
    process.limits[limit_nice] = process.limits[limit_rtprio] = {0, 0};
    process.limits[limit_msgqueue] = {819200, 819200};
}

// The first process and its thread, not yet in the table.
Result<Ref<UserThread>> make_first(void (*entry)(void*)) {
    ThreadSlot slot;
    slot.take_first(TRY(UserAccount::of(0)));
    Ref<UserThread> thread = TRY(make_ref<UserThread>());
    TRY(thread->prepare("init", entry, nullptr));
    thread->owner = TRY(make_ref<Process>());
    thread->process = thread->owner.get();
    slot.keep(*thread);
    return thread;
}

}  // namespace

void run_init() {
    Result<Path> root = mount_root(boot_options().root, boot_options().read_only);
    if (root.is_error()) {
        static char text[700];
        give_up(format_in(text, "no root file system: {}", mount_refusals()));
    }
    Result<Ref<UserThread>> made = make_first(run_first_program);
    if (made.is_error()) give_up("no memory for the first process");
    UserThread& thread = *made.value();
    Process& process = *thread.owner;
    process.files = make_ref<FdTable>().release_value();
    process.account = thread.payer;
    process.fs.root = process.fs.cwd = root.value();
    process.start_time = monotonic_now();
    set_default_limits(process);
    Result<void> dev = vfs_mount(process.fs, "devfs", "/dev", "devfs", 0, "");
    if (dev.is_error()) log_warning("no /dev: error {}", dev.error());
    {
        LockGuard guard(process_tree);
        process.pid = thread.tid = allocate_id();
        // In no session yet: its own setsid() must succeed.
        process.pgid = process.sid = 0;
        enter_thread(process, thread);
        enter_table(process);
        init_process = &process;
    }
    trace<TraceType::fork_event>(static_cast<uint32_t>(thread.tid),
                                 static_cast<uint32_t>(process.pid));
    trace_name(thread.tid, thread.name);
    write_back_start();
    start_thread(thread);
    made.value() = nullptr;  // this stack is never unwound
    root.value() = Path();
    exit_thread();
}

void processes_init() {
    trap_hooks.before_user_return = deliver_signals;
    trap_hooks.user_exception = user_exception;
    current_account = [] {
        const Process* process = Thread::current().process;
        return process ? process->account : Ref<UserAccount>();
    };
    is_for_superuser = [] {
        const Process* process = Thread::current().process;
        return !process || process->fs.credentials.may(Capability::sys_admin);
    };
    job_control_init();
    process_source_init();
    deadlock_caller = [] { return current_process().pid; };
    kill_deadlock_victim = [](int id) {
        Ref<Process> victim = find_process(id);
        if (Ref<UserThread> thread = find_thread(id); !victim && thread && thread->process)
            victim = find_process(thread->process->pid);
        if (victim) kill_process(*victim);
    };
}
