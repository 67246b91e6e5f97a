// The links of a process: what it runs, where it is, what it has open. They lead to the place
// itself, whatever its name is by now. Spec: proc(5).
#include "fs/proc/process_source.hpp"
#include "fs/proc/proc_entry.hpp"

namespace {

template <auto ProcessSource::*lookup>
Result<Path> place(const ProcTarget& target) {
    if (!process_source().may_inspect(target.pid)) return Errno::acces;
    Result<Path> path = (process_source().*lookup)(target.pid);
    if (path.is_error() && path.error() == Errno::srch) return Errno::noent;
    return path;
}

}  // namespace

void link_to_self(TextSink& to, const ProcTarget&) {
    format_to(to, "{}", process_source().current());
}
void link_to_own_thread(TextSink& to, const ProcTarget&) {
    format_to(to, "{}/task/{}", process_source().current(), process_source().current_thread());
}

Result<Ref<File>> descriptor_file(const ProcTarget& target) {
    if (!process_source().may_inspect(target.pid)) return Errno::acces;
    Result<Ref<File>> file = process_source().descriptor(target.pid, target.fd);
    if (file.is_error()) return Errno::noent;  // closed meanwhile
    return file;
}

// EINVAL for what has no name anywhere: then the file itself is used.
Result<Path> descriptor_place(const ProcTarget& target) {
    Ref<File> file = TRY(descriptor_file(target));
    if (!file->path()) return Errno::inval;
    return file->path();
}

constexpr ProcEntry kLinks[] = {
    {.name = "exe", .place = place<&ProcessSource::executable>},
    {.name = "cwd", .place = place<&ProcessSource::working_directory>},
    {.name = "root", .place = place<&ProcessSource::root>},
};
PROC_FILES(proc_process, kLinks);

constexpr ProcEntry kOwnLinks[] = {
    {.name = "self", .text = link_to_self},
    {.name = "thread-self", .text = link_to_own_thread},
};
PROC_FILES(proc_root, kOwnLinks);

extern constexpr ProcEntry kDescriptor = {.name = "descriptor",
                                          .mode = kTypeSymlink | 0700,
                                          .place = descriptor_place,
                                          .file = descriptor_file};
