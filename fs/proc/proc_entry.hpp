// ProcEntry: what one name in /proc is. Each file that has some registers a table of them, and with
// that its place:
//     constexpr ProcEntry kFiles[] = {{.name = "uptime", .generate = show_uptime}, …};
//     PROC_FILES(proc_root, kFiles);
// Below a process, thread or descriptor one table serves all, and a ProcTarget says which is meant.
// Locks: none; the tables are gathered at start-up.
#pragma once

#include "fs/vfs.hpp"
#include "kernel/lib/format.hpp"

struct ProcTarget {
    int pid = 0;  // 0: the file is not about a process
    int tid = 0;  // 0: about the process as a whole
    int fd = -1;
    int which = -1, part = -1;  // of a list of names (ProcNames), and of one below that
    uint64_t program =
        0;  // what the process ran when this file was opened; later ones are not shown
};

struct ProcNumbers;
struct ProcNames;
struct ProcGroup;

// A directory that any file may add to.
struct ProcDirectory {
    ProcGroup* first = nullptr;
};

struct ProcEntry {
    std::string_view name;
    // 0: that of what it is. A file that can be set is 0644, one that can't 0444.
    uint32_t mode = 0;
    bool (*exists)(const ProcTarget& target) = nullptr;  // null: always
    // Files: the text; ESRCH when the process is gone. Stateless, may sleep. `show`: the same for
    // what can't fail and is not about a process.
    Result<void> (*generate)(TextSink& to, const ProcTarget& target) = nullptr;
    void (*show)(TextSink& to) = nullptr;
    // Instead, a file of a kind of its own.
    Result<Ref<File>> (*open)(uint32_t flags, Inode& inode, const ProcTarget& target) = nullptr;
    Result<void> (*store)(std::string_view value) = nullptr;  // both null: read-only
    Result<void> (*store_for)(const ProcTarget& target, std::string_view value) = nullptr;
    // Instead of functions, a number that may be set between two others (with `store`: as that says).
    Atomic<uint32_t>* number = nullptr;
    uint32_t least = 0, most = UINT32_MAX;
    // It takes locks that come before those of a reader.
    bool rendered_by_open = false;
    // It shows what is in a process: only to those who may inspect that one (process_source.hpp).
    bool inspects = false;
    // It acts on the process that uses it: that must be the one that opened it, with the same program.
    bool acts_on_user = false;
    // Directories.
    std::span<const ProcEntry> children = {};
    ProcDirectory* added = nullptr;
    const ProcNumbers* numbers = nullptr;
    const ProcNames* names = nullptr;
    // Links: by text, or to a place; a descriptor without a place is reached as the file itself.
    void (*text)(TextSink& to, const ProcTarget& target) = nullptr;
    Result<Path> (*place)(const ProcTarget& target) = nullptr;
    Result<Ref<File>> (*file)(const ProcTarget& target) = nullptr;

    constexpr uint32_t whole_mode() const {
        if (mode) return mode;
        if (text || place) return kTypeSymlink | 0777;
        if (!children.empty() || added || numbers) return kTypeDirectory | 0555;
        return kTypeRegular | (store || store_for || number ? 0644 : 0444);
    }
};

// The names of a directory that are numbers: processes, threads, descriptors.
struct ProcNumbers {
    int (*next)(const ProcTarget& target, int from);  // the smallest >= from; -1: none
    int ProcTarget::*field;
    const ProcEntry& entry;  // its name is unused
    // Numbers that are found though they are not listed; says what is meant.
    bool (*find)(ProcTarget& target, int number) = nullptr;
};

// The names of a directory that are found at run time: disks. Position `which` has the same name for
// ever; "-": it is left out; empty: that is the end.
struct ProcNames {
    // `target`: the directory's. `room` is for a name that is made here.
    std::string_view (*name)(const ProcTarget& target, int which, std::span<char> room);
    const ProcEntry& entry;  // its name is unused
    int ProcTarget::*field = &ProcTarget::which;
};

// What a setting's `store` reads: one number in these limits. EINVAL.
inline Result<uint32_t> number_in(std::string_view text, uint32_t least, uint32_t most) {
    uint64_t number;
    if (!parse_number(text, number) || number < least || number > most) return Errno::inval;
    return static_cast<uint32_t>(number);
}

// --- registering

struct ProcGroup {
    ProcDirectory* directory;
    std::span<const ProcEntry> files;
    ProcGroup* next = nullptr;
};
static_assert(sizeof(ProcGroup) == 16, "the linker script takes them for an array");

// The linker script gathers them; procfs_init() adds them to their directories.
#define PROC_FILES(directory, files)    \
    [[gnu::section(".data.proc_files"), \
      gnu::used]] constinit static ProcGroup directory##_##files = {&directory, files}

// proc_process and proc_thread: what each has.
extern ProcDirectory proc_root, proc_process, proc_thread, proc_sys, proc_sys_fs, proc_sys_kernel,
    proc_sys_vm;
