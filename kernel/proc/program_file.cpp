// See program_file.hpp.
#include "kernel/proc/program_file.hpp"

#include "fs/file_events.hpp"

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

namespace {

// While it lives, the program is open, and opening it for writing fails.
class RunningProgram final : public RefCounted {
  public:
    static Result<Ref<RefCounted>> create(const Path& path) {
        Ref<RunningProgram> made = TRY(make_ref<RunningProgram>());
        TRY(inode_of(path).begin_running());
        made->path_ = path;
        happened(path, kFileOpened);
        return Ref<RefCounted>(made);
    }
    ~RunningProgram() override {
        if (!path_) return;
        inode_of(path_).end_running();
        happened(path_, kFileClosed);
    }

  private:
    Path path_;
};

}  // namespace

Result<Program> open_program(const FsContext& who, const Path& base, std::string_view name) {
    Program program;
    program.path = name.empty() ? base : TRY(resolve(who, base, name, Follow::yes));
    Inode& inode = inode_of(program.path);
    program.attributes = inode.attributes();
    if (!program.attributes.is_regular()) return Errno::acces;
    if (program.path.mount().flags & kMountNoExecute) return Errno::acces;
    TRY(check_permission(inode.ownership(), who.credentials, kMayExecute));
    program.readable = check_permission(inode.ownership(), who.credentials, kMayRead).is_ok();
    program.running = TRY(RunningProgram::create(program.path));
    program.file = TRY(inode.open(kOpenReadOnly));
    note_access(program.path, inode);
    if (program.attributes.size) happened(program.path, kFileRead);  // by the caller, next
    return program;
}

Credentials credentials_after(const Process& process, const Attributes& file, const Mount& mount) {
    Credentials c = process.fs.credentials;
    const UserThread& self = current_thread();
    const bool watched = self.tracer.relaxed() && !self.tracer_is_superuser;
    bool honoured = !(mount.flags & kMountNoSuid) && !process.no_new_privileges && !watched;
    if (honoured && (file.mode & kModeSetUid)) c.euid = file.uid;
    if (honoured && (file.mode & kModeSetGid) && (file.mode & 010)) c.egid = file.gid;
    c.suid = c.fsuid = c.euid;
    c.sgid = c.fsgid = c.egid;
    c.capabilities.program_begins(c.uid == 0, c.euid == 0, c.uid != c.euid || c.gid != c.egid);
    return c;
}

namespace {
std::string_view trim(std::string_view text) {
    const size_t start = text.find_first_not_of(" \t");
    if (start == text.npos) return {};
    return text.substr(start, text.find_last_not_of(" \t") + 1 - start);
}
}  // namespace

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
