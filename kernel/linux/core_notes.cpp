// The notes of a core file. See core_file.hpp. Spec: Linux i386 elfcore.h, core(5); elf.h for the numbers.
#include <algorithm>

#include "kernel/linux/core_file.hpp"
#include "kernel/linux/ptrace_registers.hpp"
#include "kernel/syscall/arguments.hpp"
#include "kernel/syscall/time_types.hpp"

namespace {

constexpr uint32_t kStatus = 1, kFloat = 2, kProcess = 3, kAuxiliary = 6, kSignal = 0x53494749,
                   kFiles = 0x46494c45, kExtended = 0x46e62b7f;
constexpr uint32_t kGeneralBytes = 68;

struct Status {  // struct elf_prstatus
    int32_t signal, code, error;
    uint16_t current, padding;
    uint32_t pending, held;
    int32_t pid, parent, group, session;
    TimeVal32 user, kernel, children_user, children_kernel;
    uint8_t registers[kGeneralBytes];
    int32_t float_valid;
};
static_assert(sizeof(Status) == 144);

struct ProcessNote {  // struct elf_prpsinfo
    char state, letter, zombie, nice;
    uint32_t flags;
    uint16_t uid, gid;
    int32_t pid, parent, group, session;
    char name[16], arguments[80];
};
static_assert(sizeof(ProcessNote) == 124);

class Notes {
  public:
    Result<void> add(std::string_view owner, uint32_t type, const void* from, uint32_t bytes) {
        const auto name = static_cast<uint32_t>(owner.size() + 1);
        const uint32_t head[3] = {name, bytes, type};
        TRY(put(head, sizeof head));
        TRY(put(owner.data(), name - 1));
        TRY(pad(1));
        TRY(put(from, bytes));
        return pad(0);
    }
    Vector<uint8_t> take() { return std::move(bytes_); }

  private:
    Result<void> put(const void* from, uint32_t bytes) {
        const auto* at = static_cast<const uint8_t*>(from);
        for (uint32_t i = 0; i < bytes; ++i) TRY(bytes_.push_back(at[i]));
        return {};
    }
    // So many zeros, and up to a multiple of 4.
    Result<void> pad(uint32_t least) {
        for (; least || bytes_.size() % 4; least -= least ? 1 : 0)
            TRY(bytes_.push_back(uint8_t{0}));
        return {};
    }
    Vector<uint8_t> bytes_;
};

Result<void> add_thread(Notes& notes, const UserThread& thread, const SignalInfo& info) {
    Process& process = *thread.owner;
    process_tree.lock();
    const CpuTimes times = times_of(thread);
    process_tree.unlock();
    RegisterImage image;
    Status status{};
    status.signal = status.current = static_cast<uint16_t>(info.number);
    status.code = info.code, status.error = info.error;
    status.pending = static_cast<uint32_t>(thread.pending.set);
    status.held = static_cast<uint32_t>(thread.blocked);
    status.pid = thread.tid, status.parent = process.parent_pid.relaxed();
    status.group = process.pgid, status.session = process.sid;
    status.user = to_time<TimeVal32>(Nanoseconds(times.user));
    status.kernel = to_time<TimeVal32>(Nanoseconds(times.kernel));
    TRY(read_register_set(thread, kGeneralSet, image));
    __builtin_memcpy(status.registers, image, kGeneralBytes);
    status.float_valid = 1;
    TRY(notes.add("CORE", kStatus, &status, sizeof status));
    const uint32_t bytes = TRY(read_register_set(thread, kFloatSet, image));
    TRY(notes.add("CORE", kFloat, image, bytes));
    Result<uint32_t> extended = read_register_set(thread, kExtendedSet, image);
    if (extended.is_error()) return {};  // an old processor
    return notes.add("LINUX", kExtended, image, extended.value());
}

Result<void> add_process(Notes& notes) {
    const Process& process = current_process();
    const Credentials& ids = process.fs.credentials;
    ProcessNote note{};
    note.letter = 'R';
    note.uid = short_id(ids.uid), note.gid = short_id(ids.gid);
    note.pid = process.pid, note.parent = process.parent_pid.relaxed();
    note.group = process.pgid, note.session = process.sid;
    __builtin_memcpy(note.name, current_thread().name, sizeof note.name);
    const uint32_t bytes = std::min<uint32_t>(process.arguments_end - process.arguments_start,
                                              sizeof note.arguments - 1);
    copy_from_user_partly(note.arguments, VirtAddr(process.arguments_start), bytes);
    for (uint32_t i = 0; i + 1 < bytes; ++i)
        if (!note.arguments[i]) note.arguments[i] = ' ';
    return notes.add("CORE", kProcess, &note, sizeof note);
}

Result<void> add_auxiliary(Notes& notes) {
    constexpr uint32_t kMost = 40;
    uint32_t words[2 * kMost], pairs = 0;
    const UserPtr<const uint32_t> from(current_process().auxiliary_start);
    do {
        for (uint32_t i : {2 * pairs, 2 * pairs + 1}) words[i] = read_user(from + i).value_or(0);
    } while (words[2 * pairs++] && pairs < kMost);
    return notes.add("CORE", kAuxiliary, words, pairs * 8);
}

// How many, the unit of offsets; where each is mapped and from where on; their names.
Result<void> add_files(Notes& notes, const CoreRegions& memory) {
    Vector<uint32_t> words;
    TRY(words.push_back(0u));
    TRY(words.push_back(uint32_t{kPageSize}));
    for (const CoreRegion& region : memory.regions) {
        if (!region.name_size) continue;
        ++words[0];
        for (uint32_t word : {region.start.raw(), region.end.raw(), region.page_offset})
            TRY(words.push_back(word));
    }
    Vector<uint8_t> note;
    const auto* head = reinterpret_cast<const uint8_t*>(words.data());
    for (uint32_t i = 0; i < words.size() * 4; ++i) TRY(note.push_back(head[i]));
    for (char c : memory.names) TRY(note.push_back(static_cast<uint8_t>(c)));
    return notes.add("CORE", kFiles, note.data(), note.size());
}

}  // namespace

Result<Vector<uint8_t>> core_notes(const SignalInfo& info, const Threads& threads,
                                   const CoreRegions& memory) {
    Notes notes;
    TRY(add_thread(notes, current_thread(), info));
    TRY(add_process(notes));
    TRY(notes.add("CORE", kSignal, &info, sizeof info));
    TRY(add_auxiliary(notes));
    TRY(add_files(notes, memory));
    for (const Ref<UserThread>& thread : threads) TRY(add_thread(notes, *thread, info));
    return notes.take();
}
