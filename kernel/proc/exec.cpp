// execve: find the program (or the interpreter of a script), build its address space beside the
// old one, and only when nothing can fail any more put it in the old one's place.
// Spec: execve(2); ELF: elf.hpp; initial registers: System V ABI i386 supplement.
#include <array>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/proc/argument_block.hpp"
#include "kernel/proc/elf_load.hpp"
#include "kernel/proc/exec.hpp"
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/program_places.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/proc/program_file.hpp"
#include "kernel/proc/segments.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/frame_allocation.hpp"
#include "mm/memory_trace.hpp"
#include "mm/mm.hpp"

// Where the debugger learns that a program begins: it keeps a breakpoint here (scripts/gdb).
extern "C" [[gnu::noinline]] void program_started(const char* path) {
    asm volatile("" ::"r"(path));
}

namespace {

constexpr uint32_t kMaxScripts = 5;
constexpr uint32_t kAtPhdr = 3, kAtPhent = 4, kAtPhnum = 5, kAtPageSize = 6, kAtBase = 7,
                   kAtFlags = 8, kAtEntry = 9, kAtUid = 11, kAtEuid = 12, kAtGid = 13, kAtEgid = 14,
                   kAtHwcap = 16, kAtClockTicks = 17, kAtSecure = 23;

// Everything about the new program that has to exist before the old one is gone.
struct NewProgram {
    Ref<AddressSpace> space;
    StackPlan stack{};
    uint32_t entry = 0;
    Program program;
    Credentials credentials;
    Ref<FdTable> files;  // if the old ones are shared with another process
};

Result<NewProgram> build(Process& process, Program program, const ArgumentBlock& arguments,
                         std::string_view name) {
    NewProgram fresh;
    fresh.credentials = credentials_after(process, program.attributes, program.path.mount());
    fresh.space = TRY(AddressSpace::create());
    AddressSpace& space = *fresh.space;
    space.limits.address_space = process.limits[limit_as].soft;
    space.limits.data = process.limits[limit_data].soft;
    space.limits.stack = process.limits[limit_stack].soft;
    set_limit_resident(space, process.limits[limit_rss].soft);
    space.limits.locked = process.limits[limit_memlock].soft;
    const ProgramPlaces at =
        program_places(process.personality, process.fs.credentials, fresh.credentials);
    LoadedImage image = TRY(load_image(space, *program.file, at.program));
    uint32_t base = 0;
    fresh.entry = image.entry;
    TRY(lay_out(space, at, VirtAddr(image.end)));
    if (image.interpreter[0]) {
        Program loader = TRY(open_program(process.fs, process.fs.cwd, image.interpreter));
        LoadedImage loaded = TRY(load_image(space, *loader.file, kAnyRoom));
        base = loaded.bias;
        fresh.entry = loaded.entry;
    }
    const Credentials& c = fresh.credentials;
    const AuxiliaryEntry auxiliary[] = {{kAtHwcap, cpu_features().edx1},
                                        {kAtPageSize, kPageSize},
                                        {kAtClockTicks, 100},
                                        {kAtPhdr, image.headers},
                                        {kAtPhent, sizeof(ElfSegment)},
                                        {kAtPhnum, image.header_count},
                                        {kAtBase, base},
                                        {kAtFlags, 0},
                                        {kAtEntry, image.entry},
                                        {kAtUid, c.uid},
                                        {kAtEuid, c.euid},
                                        {kAtGid, c.gid},
                                        {kAtEgid, c.egid},
                                        {kAtSecure, c.uid != c.euid || c.gid != c.egid}};
    fresh.stack = TRY(arguments.write(space, at.stack_top - at.stack_skip, name, auxiliary));
    fresh.program = std::move(program);
    if (process.files->ref_count() > 1) fresh.files = TRY(process.files->clone());
    return fresh;
}

// exec leaves one thread: the others are told to exit, and waited for.
// The one that is left is the process' first thread from now on. EAGAIN: another one was faster,
// and we are told to exit.
Result<void> end_other_threads(Process& process) {
    LockGuard guard(process_tree);
    if (process.exec_pending || process.group_exit) return Errno::again;
    if (process.thread_count > 1) {
        process.exec_pending = true;
        for (Thread& thread : process.threads)
            if (&thread != &Thread::current()) interrupt_thread(thread);
        process.thread_gone.wait(process_tree,
                                 [&]() REQUIRES(process_tree) { return process.thread_count == 1; },
                                 {.interruptible = false, .deadline = {}, .reason = "exec"});
        process.exec_pending = false;
    }
    process.leader_gone = false;
    UserThread& self = current_thread();
    leave_thread(process, self);
    self.tid = this_cpu().current_tid = process.pid;
    enter_thread(process, self);
    return {};
}

void set_name(UserThread& thread, std::string_view path) {
    size_t slash = path.rfind('/');
    if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
    size_t length = path.size() < sizeof thread.name ? path.size() : sizeof thread.name - 1;
    __builtin_memset(thread.name, 0, sizeof thread.name);
    __builtin_memcpy(thread.name, path.data(), length);
}

void reset_signals(Process& process, UserThread& self) {
    LockGuard guard(process.signal_lock);
    for (SignalAction& action : process.actions)
        action = {action.handler == kHandlerIgnore ? kHandlerIgnore : kHandlerDefault, 0, 0, 0, 0};
    self.alternate_stack = {};
}

// The caller becomes the new program. EAGAIN as above; nothing else can fail.
Result<void> become(NewProgram&& fresh, std::string_view name) {
    Process& process = current_process();
    UserThread& self = current_thread();
    const int old_tid = self.tid;
    TRY(end_other_threads(process));
    leave_user_memory(self, old_tid);
    {
        LockGuard guard(process_tree);
        process.dead_threads.note_peak(process.space.get());
        std::swap(process.space, fresh.space);
        process.program = new_program_number();
        if (fresh.files) std::swap(process.files, fresh.files);
        std::swap(process.executable, fresh.program.path);
        std::swap(process.running, fresh.program.running);
    }
    use_address_space(self, *process.space);
    fresh.space = nullptr;
    leave_parents_space(process);
    process.files->close_for_exec();
    const Credentials& now = fresh.credentials;
    const bool gains =
        now.euid != process.fs.credentials.euid || now.egid != process.fs.credentials.egid;
    process.dumpable = now.uid == now.euid && now.gid == now.egid && fresh.program.readable;
    if (gains) process.death_signal = 0, process.personality &= ~kNotForSetId;
    process.fs.credentials = now;
    process.arguments_start = fresh.stack.arguments_start;
    process.arguments_end = fresh.stack.arguments_end;
    process.environment_start = fresh.stack.environment_start;
    process.environment_end = fresh.stack.environment_end;
    process.auxiliary_start = fresh.stack.auxiliary_start;
    process.executed = true;
    program_ends(process);
    reset_signals(process, self);
    set_name(self, name);
    trace_name(self.tid, self.name);
    trace<TraceType::exec_event>(static_cast<uint32_t>(self.process->pid));
    trace_regions(*self.space);
    program_started(self.name);
    {
        InterruptsOff off;
        for (uint64_t& descriptor : self.tls) descriptor = 0;
        load_thread_segments(self);
    }
    fpu_reset(self.fpu);
    fpu_load(self.fpu);
    TrapFrame& frame = self.user_frame();
    frame = {};
    frame.ds = frame.es = frame.user_ss = SELECTOR_USER_DATA;
    frame.cs = SELECTOR_USER_CODE;
    frame.eflags = kFlagInterrupts | 2;
    frame.eip = fresh.entry;
    frame.user_esp = fresh.stack.esp;
    return {};
}

}  // namespace

Result<void> execute_with(const Path& base, std::string_view name, ArgumentBlock& arguments,
                          std::string_view shown) {
    Process& process = current_process();
    char head[2][kHeadBytes];
    std::string_view program_name = shown, said = shown, current = name;
    Path from = base;
    for (uint32_t depth = 0;; ++depth) {
        if (depth > kMaxScripts) return Errno::loop;
        Program program = TRY(open_program(process.fs, from, current));
        char* line = head[depth % 2];
        uint32_t got = TRY(read_exactly(*program.file, 0, line, kHeadBytes));
        const ScriptLine script = TRY(parse_script_line({line, got}));
        if (script.interpreter.empty()) {
            if (!arguments.argument_count()) TRY(arguments.add_argument(""));
            NewProgram fresh = TRY(build(process, std::move(program), arguments, program_name));
            return become(std::move(fresh), program_name);
        }
        std::string_view words[3] = {script.interpreter, script.argument, said};
        if (script.argument.empty())
            TRY(arguments.replace_first(std::array{words[0], words[2]}));
        else
            TRY(arguments.replace_first(words));
        current = said = script.interpreter;
        from = process.fs.cwd;
    }
}

Result<void> execute(const Path& base, std::string_view name, UserPtr<uint32_t> argv,
                     UserPtr<uint32_t> envp, std::string_view shown) {
    // Strings and pointers together may take a quarter of the stack limit.
    uint32_t stack = current_process().limits[limit_stack].soft / 4;
    uint32_t limit = stack < 128 * 1024 ? 128 * 1024 : stack > 2 << 20 ? 2 << 20 : stack;
    ArgumentBlock arguments;
    TRY(arguments.add_arguments(argv, limit));
    TRY(arguments.add_environment(envp, limit));
    return execute_with(base, name, arguments, shown);
}
