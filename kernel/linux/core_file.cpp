// See core_file.hpp: the threads are held, the file is made and written.
// Locks: none, but while the regions are listed; the other threads rest where they return to user mode.
#include "kernel/linux/core_file.hpp"

#include <algorithm>

#include "fs/file_events.hpp"
#include "fs/mount.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/lib/preemption.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/ptrace_registers.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/syscall/arguments.hpp"
#include "mm/memory_use.hpp"

namespace {

constexpr uint32_t kNote = 4;
constexpr uint16_t kCoreType = 4, kI386 = 3;

// --- the memory

// What the filter says; by default what no file has, and where a library begins.
struct RegionList final : RegionVisitor {
    void visit(const RegionInfo& from) override {
        CoreRegion region{from.start, from.end, from.protection, from.page_offset};
        const bool of_file = from.pager && from.pager->has_file();
        const bool readable = from.protection != 0, shared = from.flags & kMapShared;
        const uint32_t kind = of_file ? (shared ? kCoreSharedFiles : kCorePrivateFiles)
                                      : (shared ? kCoreShared : kCoreAnonymous);
        region.sparse = !from.pager;
        region.of_file = of_file && !shared;
        if (readable && of_file && !from.page_offset && (filter & kCoreHeaders))
            region.written = kPageSize;
        if (readable && (filter & kind)) region.written = from.end - from.start;
        char buffer[512];
        const std::string_view name = of_file ? from.pager->name(buffer) : std::string_view();
        region.name_size = static_cast<uint16_t>(name.size());
        failed |= to.regions.push_back(region).is_error();
        for (char c : name) failed |= to.names.push_back(c).is_error();
        if (!name.empty()) failed |= to.names.push_back('\0').is_error();
    }
    CoreRegions to;
    const uint32_t filter = core_filter_of(current_process());
    bool failed = false;
};

bool is_there(AddressSpace& space, VirtAddr page) {
    const PageEntry entry = walk_tables(space, page).lower;
    return entry.holds_frame() || entry.swapped();
}

// Of a private mapping of a file: whether the program has changed any of it (and perhaps may not any more).
bool is_changed(AddressSpace& space, const CoreRegion& region) {
    for (VirtAddr page = region.start; page < region.end; page = page + kPageSize) {
        const PageEntry entry = walk_tables(space, page).lower;
        if (entry.swapped() || (entry.holds_frame() && !entry.has(kEntryFile))) return true;
        preemption_point();
    }
    return false;
}

// --- the file

class CoreFile {
  public:
    CoreFile(File& file, uint64_t most) : file_(file), most_(most) {}
    Result<void> put(uint64_t at, ByteSource& from) {
        while (from.remaining()) {
            if (at + from.remaining() > most_) return Errno::fbig;
            const uint32_t done = TRY(file_.write_at(from, at));
            if (!done) return Errno::io;
            at += done;
        }
        return {};
    }
    Result<void> put(uint64_t at, const void* from, size_t bytes) {
        KernelSource source({static_cast<const uint8_t*>(from), bytes});
        return put(at, source);
    }

  private:
    File& file_;
    const uint64_t most_;
};

bool is_killed() {
    Process& process = current_process();
    LockGuard guard(process.signal_lock);
    const SignalSet pending = process.pending.set | current_thread().pending.set;
    return pending & signal_bit(kSigKill);
}

Result<void> put_region(CoreFile& to, uint64_t at, const CoreRegion& region) {
    AddressSpace& space = *current_process().space;
    for (uint32_t done = 0; done < region.written; done += kPageSize) {
        if (is_killed()) return Errno::intr;
        const VirtAddr page = region.start + done;
        if (region.sparse && !is_there(space, page)) continue;
        UserSource source(UserRange{page, kPageSize});
        Result<void> put = to.put(at + done, source);
        if (put.is_error() && put.error() != Errno::fault)
            return put;  // beyond a file's end: a hole
    }
    return {};
}

Result<void> put_core(File& file, const SignalInfo& info, const Threads& threads) {
    const CoreRegions memory = TRY(regions_to_write(*current_process().space));
    const Vector<uint8_t> notes = TRY(core_notes(info, threads, memory));
    const uint32_t limit = current_process().limits[limit_core].soft;
    CoreFile to(file, limit == kInfinite ? UINT32_MAX : limit);
    const uint32_t count = memory.regions.size() + 1;
    if (count > UINT16_MAX) return Errno::fbig;
    ElfHeader header{};
    header = {{0x7f, 'E', 'L', 'F', 1, 1, 1},
              kCoreType,
              kI386,
              1,
              0,
              sizeof header,
              0,
              0,
              sizeof header,
              sizeof(ElfSegment),
              static_cast<uint16_t>(count),
              0,
              0,
              0};
    TRY(to.put(0, &header, sizeof header));
    Vector<ElfSegment> segments;
    const auto notes_at = static_cast<uint32_t>(sizeof header + count * sizeof(ElfSegment));
    TRY(segments.push_back({kNote, notes_at, 0, 0, notes.size(), 0, 0, 4}));
    uint64_t at = align_up(notes_at + notes.size(), kPageSize);
    for (const CoreRegion& region : memory.regions) {
        const uint32_t p = region.protection;
        const uint32_t flags = (p & kProtRead ? kElfRead : 0) | (p & kProtWrite ? kElfWrite : 0) |
                               (p & kProtExecute ? kElfExecute : 0);
        TRY(segments.push_back({kElfLoad, static_cast<uint32_t>(at), region.start.raw(), 0,
                                region.written, region.end - region.start, flags, kPageSize}));
        at += region.written;
    }
    if (at > UINT32_MAX) return Errno::fbig;
    TRY(to.put(sizeof header, segments.data(), segments.size() * sizeof(ElfSegment)));
    TRY(to.put(notes_at, notes.data(), notes.size()));
    for (uint32_t i = 0; i + 1 < count; ++i)
        TRY(put_region(to, segments[i + 1].offset, memory.regions[i]));
    return at > file.end_offset() ? file.truncate(at) : Result<void>();
}

// A file of the caller's own, with no other name, that nobody else can read.
Result<Ref<File>> open_core(std::string_view name) {
    Ref<File> file = TRY(vfs_open(
        context(), working_directory(context()), name,
        kOpenCreate | kOpenWriteOnly | kOpenNoFollow | kOpenNonBlock | kOpenLargeFile, 0600));
    const Attributes a = TRY(file->attributes());
    if (!a.is_regular() || a.links != 1 || a.uid != context().credentials.fsuid) return Errno::perm;
    TRY(file->truncate(0));
    return file;
}

// --- the process

// All threads but the caller, which will not run before resume(). New ones cannot come from them.
Result<Threads> hold_others() {
    Threads others;
    {
        LockGuard guard(process_tree);
        for (Thread& thread : current_process().threads)
            if (&thread != &Thread::current())
                TRY(others.push_back(Ref(static_cast<UserThread&>(thread))));
    }
    for (Ref<UserThread>& thread : others) put_to_rest(*thread);
    for (Ref<UserThread>& thread : others) wait_until_off_cpu(*thread);
    return others;
}

struct Dumping final : Attachment {
    static constexpr char kKind = 0;
    Atomic<bool> begun = false;
};

Result<void> write_core_of_caller(const SignalInfo& info) {
    Process& process = current_process();
    if (!process.limits[limit_core].soft || !process.dumpable) return Errno::perm;
    auto* dumping = TRY(process.attached.get_or_make<Dumping>());
    if (dumping->begun.exchange(true)) return Errno::busy;  // another thread is faster
    Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
    Ref<File> file = TRY(open_core(TRY(core_name(info.number, buffer->span()))));
    fpu_save(current_thread().fpu);
    Threads threads = TRY(hold_others());
    Result<void> done = put_core(*file, info, threads);
    for (Ref<UserThread>& thread : threads) resume_thread(*thread);
    happened(file->path(), kFileWritten);
    // What fitted is of use too.
    return done.is_error() && done.error() == Errno::fbig ? Result<void>() : done;
}

void core_files_init() {
    write_core = [](const SignalInfo& info) { return write_core_of_caller(info).is_ok(); };
}
AT_START_UP(core_files_init);

}  // namespace

Result<CoreRegions> regions_to_write(AddressSpace& space) {
    RegionList list;
    visit_regions(space, list);
    if (list.failed) return Errno::nomem;
    for (CoreRegion& region : list.to.regions)
        if ((list.filter & kCoreAnonymous) && region.protection && region.of_file &&
            is_changed(space, region))
            region.written = region.end - region.start;
    return std::move(list.to);
}
