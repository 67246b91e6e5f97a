// The file that execve is asked to run: opened, checked, and kept from being written while it runs.
// Spec: execve(2).
#pragma once

#include "fs/mount.hpp"
#include "kernel/proc/process.hpp"

struct Program {
    Path path;
    Ref<File> file;
    Ref<RefCounted> running;
    Attributes attributes;
    bool readable = false;  // by the caller
};

// A regular file that the caller may execute. Reading it is the kernel's business: --x is enough.
Result<Program> open_program(const FsContext& who, const Path& base, std::string_view name);

// How many bytes there were: fewer at the end of the file.
Result<uint32_t> read_exactly(File& file, uint64_t offset, void* to, uint32_t bytes);

// Set-user-id and set-group-id bits.
Credentials credentials_after(const Process& process, const Attributes& file, const Mount& mount);

// "#! interpreter [argument]": both words, empty if it isn't a script. A NUL ends the line as it
// ends any string.
constexpr uint32_t kHeadBytes = 256;  // enough for a #! line, as on Linux
struct ScriptLine {
    std::string_view interpreter, argument;
};
// `head` is a file's first bytes. ENOEXEC: no interpreter, or a name that goes on past `head`; an
// argument may be cut there.
Result<ScriptLine> parse_script_line(std::string_view head);
