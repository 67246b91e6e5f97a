// execveat: execve of a name that begins at a directory's descriptor, or of an open file itself
// (fexecve(3)). The new program, and a script's interpreter, are told a name below /dev/fd.
// Spec: execveat(2).
#include "kernel/proc/program_file.hpp"
#include "kernel/syscall/system_call.hpp"

namespace {

// The name that stands for `name` at `directory`.
std::string_view shown_name(int directory, std::string_view name, PageBuffer& buffer) {
    if (name.starts_with('/') || directory == kAtWorkingDirectory) return name;
    return format_in(buffer.span(), "/dev/fd/{}{}{}", directory, name.empty() ? "" : "/", name);
}

// A script's interpreter opens the script by its name, and that descriptor would be closed by then.
Result<void> check_reachable(int directory, const Path& path) {
    Result<bool> closes = current_process().files->close_on_exec(directory);
    if (closes.is_error() || !closes.value()) return {};
    const Program program = TRY(open_program(context(), path, {}));
    char head[2];
    const uint32_t got = TRY(read_exactly(*program.file, 0, head, sizeof head));
    return std::string_view(head, got) == "#!" ? Errno::noent : Result<void>();
}

}  // namespace

Result<void> sys_execveat(int directory, UserString name, UserPtr<uint32_t> arguments,
                          UserPtr<uint32_t> environment, uint32_t flags) {
    if (flags & ~(kAtEmptyPath | kAtNoFollow)) return Errno::inval;
    UserName program;
    TRY(program.load(directory, name,
                     flags & kAtEmptyPath ? EmptyName::allowed : EmptyName::refused));
    if (program.text().empty() && !program.base()) return Errno::acces;
    const Path path = TRY(program.resolve(flags & kAtNoFollow ? Follow::no : Follow::yes));
    if (path.dentry().is_symlink()) return Errno::loop;
    const bool by_descriptor = directory != kAtWorkingDirectory && !program.text().starts_with('/');
    if (by_descriptor) TRY(check_reachable(directory, path));
    Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
    const std::string_view shown = shown_name(directory, program.text(), *buffer);
    return execute(path, {}, arguments, environment, shown.empty() ? "." : shown);
}

constexpr SystemCall kExecveatCalls[] = {
    CALL(358, execveat, sys_execveat),
};
SYSTEM_CALLS_THAT_WAIT(kExecveatCalls);
