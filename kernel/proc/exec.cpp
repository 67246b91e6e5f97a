// execve: find the program (or the interpreter of a script), build its address space beside the
// old one, and only when nothing can fail any more put it in the old one's place.
// Spec: execve(2); ELF: elf.hpp; initial registers: System V ABI i386 supplement.
#include "fs/mount.hpp"
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/proc/argument_block.hpp"
#include "kernel/proc/elf.hpp"
#include "kernel/proc/exec.hpp"
#include "kernel/proc/job_control.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/frame_allocation.hpp"
#include "mm/memory_trace.hpp"
#include "mm/mm.hpp"

// Where the debugger learns that a program begins: it keeps a breakpoint here (scripts/gdb).
extern "C" [[gnu::noinline]] void program_started(const char* path) {
    asm volatile("" ::"r"(path));
}

namespace {

constexpr VirtAddr kStackTop{0xbffff000};
constexpr uint32_t kDynamicBase = 0x56555000;  // where a position-independent program goes
constexpr uint32_t kHeadBytes = 256;           // enough for a #! line, as on Linux
constexpr uint32_t kMaxScripts = 5;
constexpr uint32_t kAtPhdr = 3, kAtPhent = 4, kAtPhnum = 5, kAtPageSize = 6, kAtBase = 7,
                   kAtFlags = 8, kAtEntry = 9, kAtUid = 11, kAtEuid = 12, kAtGid = 13, kAtEgid = 14,
                   kAtHwcap = 16, kAtClockTicks = 17, kAtSecure = 23;

Result<uint32_t> read_exactly(File& file, uint64_t offset, void* to, uint32_t bytes) {
    KernelSink sink({static_cast<uint8_t*>(to), bytes});
    uint32_t done = 0;
    while (done < bytes) {
        uint32_t n = TRY(file.read_at(sink, offset + done));
        if (!n) break;
        done += n;
    }
    return done;
}

// While it lives nobody opens the program for writing.
class RunningProgram final : public RefCounted {
  public:
    static Result<Ref<RefCounted>> create(Inode& inode) {
        Ref<RunningProgram> made = TRY(make_ref<RunningProgram>());
        TRY(inode.begin_running());
        made->inode_ = Ref<Inode>(inode);
        return Ref<RefCounted>(made);
    }
    ~RunningProgram() override {
        if (inode_) inode_->end_running();
    }

  private:
    Ref<Inode> inode_;
};

struct Program {
    Path path;
    Ref<File> file;
    Ref<RefCounted> running;
    Attributes attributes;
    bool readable = false;  // by the caller
};

// A regular file that the caller may execute. Reading it is the kernel's business: --x is enough.
Result<Program> open_program(const FsContext& who, const Path& base, std::string_view name) {
    Program program;
    program.path = TRY(resolve(who, base, name, Follow::yes));
    Inode& inode = inode_of(program.path);
    program.attributes = inode.attributes();
    if (!program.attributes.is_regular()) return Errno::acces;
    if (program.path.mount().flags & kMountNoExecute) return Errno::acces;
    TRY(check_permission(inode.ownership(), who.credentials, kMayExecute));
    program.readable = check_permission(inode.ownership(), who.credentials, kMayRead).is_ok();
    program.running = TRY(RunningProgram::create(inode));
    program.file = TRY(inode.open(kOpenReadOnly));
    note_access(program.path, inode);
    return program;
}

// One loadable segment: its file part mapped by demand, the rest of its last page cleared, and
// anonymous memory for what lies beyond.
Result<void> map_segment(AddressSpace& space, const ElfSegment& s, uint32_t bias,
                         Ref<Pager> pager) {
    uint32_t protection = (s.flags & kElfRead ? kProtRead : 0) |
                          (s.flags & kElfWrite ? kProtWrite : 0) |
                          (s.flags & kElfExecute ? kProtExecute : 0);
    uint32_t address = s.address + bias;
    uint32_t start = align_down(address, kPageSize);
    uint32_t file_end = address + s.file_size;
    uint32_t mapped_end = start;
    if (s.file_size) {
        mapped_end = align_up(file_end, kPageSize);
        TRY(space.map({.hint = VirtAddr(start),
                       .length = mapped_end - start,
                       .protection = protection,
                       .flags = kMapPrivate | kMapFixed,
                       .pager = std::move(pager),
                       .page_offset = s.offset >> kPageShift}));
    }
    uint32_t end = align_up(address + s.memory_size, kPageSize);
    if (end > mapped_end)
        TRY(space.map({.hint = VirtAddr(mapped_end),
                       .length = end - mapped_end,
                       .protection = protection,
                       .flags = kMapPrivate | kMapFixed | kMapAnonymous}));
    if (s.memory_size > s.file_size && file_end < mapped_end && (s.flags & kElfWrite)) {
        static constexpr uint8_t kZeros[kPageSize] = {};
        TRY(space.write(VirtAddr(file_end), kZeros, mapped_end - file_end));
    }
    return {};
}

struct LoadedImage {
    uint32_t entry = 0, bias = 0, headers = 0, header_count = 0, end = 0;
    char interpreter[128] = {};
};

Result<LoadedImage> load_image(AddressSpace& space, File& file, uint32_t preferred_base) {
    uint8_t head[sizeof(ElfHeader)];
    uint32_t got = TRY(read_exactly(file, 0, head, sizeof head));
    ElfHeader header = TRY(parse_elf_header({head, got}));
    Vector<ElfSegment> segments;
    TRY(segments.resize(header.program_count));
    uint32_t bytes = header.program_count * static_cast<uint32_t>(sizeof(ElfSegment));
    if (TRY(read_exactly(file, header.program_offset, segments.data(), bytes)) != bytes)
        return Errno::noexec;
    LoadedImage image;
    bool movable = header.type == kElfShared;
    ElfExtent extent = elf_extent(segments.span());
    if (movable && extent.start <= extent.end) image.bias = preferred_base - extent.start;
    TRY(check_elf_segments(segments.span(), kStackTop.raw() - (movable ? preferred_base : 0)));
    Ref<Pager> pager = TRY(file.pager());
    for (const ElfSegment& s : segments) {
        if (s.type == kElfInterpreter) {
            if (s.file_size < 2 || s.file_size > sizeof image.interpreter) return Errno::noexec;
            if (TRY(read_exactly(file, s.offset, image.interpreter, s.file_size)) != s.file_size ||
                image.interpreter[s.file_size - 1])
                return Errno::noexec;
        }
        if (s.type != kElfLoad || !s.memory_size) continue;
        TRY(map_segment(space, s, image.bias, pager));
        if (s.offset <= header.program_offset && header.program_offset - s.offset < s.file_size)
            image.headers = image.bias + s.address + (header.program_offset - s.offset);
    }
    image.entry = header.entry + image.bias;
    image.header_count = header.program_count;
    image.end = extent.end + image.bias;
    return image;
}

// Everything about the new program that has to exist before the old one is gone.
struct NewProgram {
    Ref<AddressSpace> space;
    StackPlan stack{};
    uint32_t entry = 0;
    Program program;
    Credentials credentials;
    Ref<FdTable> files;  // if the old ones are shared with another process
};

// Set-user-id and set-group-id bits. Spec: execve(2).
Credentials credentials_after(const Process& process, const Attributes& file, const Mount& mount) {
    Credentials c = process.fs.credentials;
    bool honoured = !(mount.flags & kMountNoSuid) && !process.no_new_privileges;
    if (honoured && (file.mode & kModeSetUid)) c.euid = file.uid;
    if (honoured && (file.mode & kModeSetGid) && (file.mode & 010)) c.egid = file.gid;
    c.suid = c.fsuid = c.euid;
    c.sgid = c.fsgid = c.egid;
    return c;
}

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
    LoadedImage image = TRY(load_image(space, *program.file, kDynamicBase));
    uint32_t base = 0;
    fresh.entry = image.entry;
    space.set_break_start(VirtAddr(image.end));
    TRY(space.map_stack(kStackTop, space.limits.stack));
    if (image.interpreter[0]) {
        Program loader = TRY(open_program(process.fs, process.fs.cwd, image.interpreter));
        // Reserve a place by the ordinary search, below the stack.
        constexpr uint32_t kLoaderBase = 0xb7000000;
        LoadedImage loaded = TRY(load_image(space, *loader.file, kLoaderBase));
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
    fresh.stack = TRY(arguments.write(space, kStackTop, name, auxiliary));
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
        process.thread_gone.wait(process_tree, [&] { return process.thread_count == 1; },
                                 {.interruptible = false, .deadline = {}, .reason = "exec"});
        process.exec_pending = false;
    }
    process.leader_gone = false;
    Thread::current().tid = this_cpu().current_tid = process.pid;
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
    if (gains) process.death_signal = 0;
    process.fs.credentials = now;
    process.arguments_start = fresh.stack.arguments_start;
    process.arguments_end = fresh.stack.arguments_end;
    process.environment_start = fresh.stack.environment_start;
    process.environment_end = fresh.stack.environment_end;
    process.executed = true;
    process.timers.remove_all();
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

// "#! interpreter [argument]": both words, empty if it isn't a script. A NUL ends the line as it
// ends any string.
struct ScriptLine {
    std::string_view interpreter, argument;
};

std::string_view trim(std::string_view text) {
    const size_t start = text.find_first_not_of(" \t");
    if (start == text.npos) return {};
    return text.substr(start, text.find_last_not_of(" \t") + 1 - start);
}

// `head` is a file's first bytes. ENOEXEC: no interpreter, or a name that goes on past `head`; an
// argument may be cut there.
Result<ScriptLine> parse_script_line(std::string_view head) {
    if (!head.starts_with("#!")) return ScriptLine{};
    constexpr std::string_view kLineEnds("\n\0", 2);
    const size_t end = head.find_first_of(kLineEnds);
    const std::string_view line = trim(head.substr(2, end - 2));
    const size_t blank = line.find_first_of(" \t");
    const bool cut = end == head.npos && head.size() == kHeadBytes;
    if (line.empty() ||
        (cut && blank == line.npos && !head.ends_with(' ') && !head.ends_with('\t')))
        return Errno::noexec;
    if (blank == line.npos) return ScriptLine{line, {}};
    return ScriptLine{line.substr(0, blank), trim(line.substr(blank))};
}

}  // namespace

Result<void> execute_with(const Path& base, std::string_view name, ArgumentBlock& arguments) {
    Process& process = current_process();
    char head[2][kHeadBytes];
    std::string_view program_name = name, current = name;
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
        std::string_view words[3] = {script.interpreter, script.argument, current};
        if (script.argument.empty())
            TRY(arguments.replace_first(std::array{words[0], words[2]}));
        else
            TRY(arguments.replace_first(words));
        current = script.interpreter;
        from = process.fs.cwd;
    }
}

Result<void> execute(const Path& base, std::string_view name, UserPtr<uint32_t> argv,
                     UserPtr<uint32_t> envp) {
    // Strings and pointers together may take a quarter of the stack limit.
    uint32_t stack = current_process().limits[limit_stack].soft / 4;
    uint32_t limit = stack < 128 * 1024 ? 128 * 1024 : stack > 2 << 20 ? 2 << 20 : stack;
    ArgumentBlock arguments;
    TRY(arguments.add_arguments(argv, limit));
    TRY(arguments.add_environment(envp, limit));
    return execute_with(base, name, arguments);
}
