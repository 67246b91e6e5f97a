// See devpts.hpp. Terminals are made when first needed and used again and again: as many stay as were
// ever open at once.
// Locks: `table_lock` guards which there are, their names' attributes, and the options.
#include "fs/inode.hpp"
#include "fs/proc/proc_entry.hpp"
#include "fs/timestamp.hpp"
#include "kernel/linux/devpts.hpp"

constinit Atomic<uint32_t> pseudo_terminals_most = PseudoTerminal::kMost;

namespace {

constinit SpinLock table_lock{LockRank::pseudo_terminals};
constinit Atomic<PseudoTerminal*> table[PseudoTerminal::kMost] = {};
constinit NameOptions options GUARDED_BY(table_lock){};

Attributes fresh_attributes(const Credentials& owner, uint32_t number) REQUIRES(table_lock) {
    Attributes a;
    a.mode = kTypeCharacter | options.mode;
    a.uid = options.set_uid ? options.uid : owner.fsuid;
    a.gid = options.set_gid ? options.gid : owner.fsgid;
    a.special_device = device_number(kSlaveMajor, number);
    a.block_size = 1024;
    return a;
}

}  // namespace

PseudoTerminal* pseudo_terminal(uint32_t number) {
    return number < PseudoTerminal::kMost ? table[number].load() : nullptr;
}

Result<PseudoTerminal*> take_pseudo_terminal(const Credentials& owner) {
    const Timestamp now = timestamp_now();
    Box<PseudoTerminal> fresh;
    for (;;) {
        uint32_t number = 0;
        {
            LockGuard guard(table_lock);
            while (number < pseudo_terminals_most && table[number].load() &&
                   table[number].load()->has_files())
                ++number;
            if (number >= pseudo_terminals_most) return Errno::nospc;
            if (!table[number].load() && fresh && fresh->number() == number)
                table[number].store(fresh.leak());
            if (PseudoTerminal* free = table[number].load()) {
                free->open_master();
                free->attributes = fresh_attributes(owner, number);
                free->attributes.accessed = free->attributes.modified = free->attributes.changed =
                    now;
                return free;
            }
        }
        fresh = TRY(make_box<PseudoTerminal>(number));
    }
}

void release_pseudo_terminal(PseudoTerminal& terminal) { terminal.close_master(); }

PseudoTerminal* next_pseudo_terminal(uint32_t from) {
    for (uint32_t number = from; number < PseudoTerminal::kMost; ++number)
        if (PseudoTerminal* terminal = table[number].load(); terminal && terminal->has_master())
            return terminal;
    return nullptr;
}

uint32_t pseudo_terminal_count() {
    uint32_t count = 0;
    for (PseudoTerminal* at = next_pseudo_terminal(0); at;
         at = next_pseudo_terminal(at->number() + 1))
        ++count;
    return count;
}

Attributes name_attributes(PseudoTerminal& terminal) {
    LockGuard guard(table_lock);
    return terminal.attributes;
}

void set_name_attributes(PseudoTerminal& terminal, const SetAttributes& changes) {
    const Timestamp now = timestamp_now();
    LockGuard guard(table_lock);
    Attributes& a = terminal.attributes;
    if (changes.set_mode) a.mode = (a.mode & kTypeMask) | (changes.mode & 07777);
    if (changes.set_uid) a.uid = changes.uid;
    if (changes.set_gid) a.gid = changes.gid;
    if (changes.set_accessed) a.accessed = changes.accessed;
    if (changes.set_modified) a.modified = changes.modified;
    a.changed = now;
}

void set_name_options(const NameOptions& wanted) {
    LockGuard guard(table_lock);
    options = wanted;
}
NameOptions name_options() {
    LockGuard guard(table_lock);
    return options;
}

namespace {

constexpr ProcEntry kFiles[] = {
    {.name = "max", .number = &pseudo_terminals_most, .most = PseudoTerminal::kMost},
    {.name = "nr", .show = [](TextSink& to) { format_to(to, "{}\n", pseudo_terminal_count()); }},
};
constexpr ProcEntry kDirectory[] = {{.name = "pty", .children = kFiles}};
PROC_FILES(proc_sys_kernel, kDirectory);

}  // namespace
