// Another process' memory: /proc/PID/mem, process_vm_readv(2) and process_vm_writev(2), and its
// auxiliary vector. Who may: docs/security.md.
// Locks: the address space's, for a page at a time.
// Spec: proc(5), process_vm_readv(2).
#include "kernel/linux/other_memory.hpp"

#include "fs/cached_file.hpp"
#include "fs/proc/process_source.hpp"
#include "kernel/lib/preemption.hpp"
#include "kernel/proc/process.hpp"
#include "kernel/syscall/system_call.hpp"
#include "mm/locked_space.hpp"

Result<Ref<AddressSpace>> space_of(const UserThread& thread) {
    LockGuard guard(process_tree);
    Ref<AddressSpace> space = thread.process->space;
    return space ? Result(std::move(space)) : Errno::srch;
}

// A private page that the program may not write is made writable for the moment: it becomes the
// program's own copy, and a breakpoint in it is nobody else's.
Result<void> write_by_force(AddressSpace& space, VirtAddr to, const void* from, uint32_t bytes) {
    Result<void> done = space.write(to, from, bytes);
    if (done.is_ok()) return done;
    const VirtAddr page(align_down(to.raw(), kPageSize));
    uint32_t protection;
    {
        LockedSpace locked(space);
        const Region* region = locked->regions.find(to);
        if (!region || region->attributes.shared) return Errno::io;
        protection = region->attributes.protection;
    }
    const uint32_t length = align_up(to.raw() + bytes - page.raw(), kPageSize);
    if (space.protect(page, length, protection | kProtRead | kProtWrite).is_error())
        return Errno::io;
    done = space.write(to, from, bytes);
    static_cast<void>(space.protect(page, length, protection));
    return done.is_ok() ? done : Errno::io;
}

namespace {

// Calls move(address, buffer, bytes) for pieces that lie in one page each; how many bytes went well.
template <typename F>
uint32_t in_pieces(VirtAddr at, uint32_t bytes, F&& move) {
    uint32_t done = 0;
    while (done < bytes) {
        const uint32_t start = at.raw() + done;
        const uint32_t piece = std::min(bytes - done, kPageSize - (start & kPageMask));
        if (!move(VirtAddr(start), piece)) break;
        done += piece;
        preemption_point();
    }
    return done;
}
uint32_t bytes_from(uint64_t offset, uint32_t wanted) {  // in user space
    if (offset >= kUserTop.raw()) return 0;
    return static_cast<uint32_t>(std::min<uint64_t>(wanted, kUserTop.raw() - offset));
}

class MemoryFile final : public InodeFile {
  public:
    MemoryFile(uint32_t flags, Inode& inode, const ProcTarget& target)
        : InodeFile(flags, inode), target_(target) {}
    bool seekable() const override { return true; }
    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override {
        Result<Ref<AddressSpace>> space = process_source().space(target_);
        if (space.is_error()) return 0u;
        Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
        const uint32_t done =
            in_pieces(VirtAddr(static_cast<uint32_t>(offset)), bytes_from(offset, to.remaining()),
                      [&](VirtAddr at, uint32_t bytes) {
                          return space.value()->read(buffer->bytes, at, bytes).is_ok() &&
                                 to.put(buffer->bytes, bytes) == bytes;
                      });
        return done || !to.remaining() ? Result(done) : Errno::io;
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t offset) override {
        Result<Ref<AddressSpace>> space = process_source().space(target_);
        if (space.is_error()) return 0u;
        Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
        const uint32_t done =
            in_pieces(VirtAddr(static_cast<uint32_t>(offset)), bytes_from(offset, from.remaining()),
                      [&](VirtAddr at, uint32_t bytes) {
                          return from.take(buffer->bytes, bytes) == bytes &&
                                 write_by_force(*space.value(), at, buffer->bytes, bytes).is_ok();
                      });
        return done || !from.remaining() ? Result(done) : Errno::io;
    }

  private:
    const ProcTarget target_;
};

Result<Ref<File>> open_memory(uint32_t flags, Inode& inode, const ProcTarget& target) {
    return Ref<File>(TRY(make_ref<MemoryFile>(flags, inode, target)));
}

Result<void> show_auxiliary_vector(TextSink& to, const ProcTarget& target) {
    Ref<AddressSpace> space = TRY(process_source().space(target));
    Ref<Process> process = TRY(process_named(target.pid));
    VirtAddr at(process->auxiliary_start);
    constexpr uint32_t kMost = 64;
    char pair[8];
    for (uint32_t i = 0; i < kMost && at.raw(); ++i, at += sizeof pair) {
        TRY(space->read(pair, at, sizeof pair));
        to.put({pair, sizeof pair});
        if (!(pair[0] | pair[1] | pair[2] | pair[3])) break;
    }
    return {};
}

constexpr ProcEntry kMemoryEntries[] = {
    {.name = "mem", .mode = kTypeRegular | 0600, .open = open_memory, .inspects = true},
    {.name = "auxv",
     .mode = kTypeRegular | 0400,
     .generate = show_auxiliary_vector,
     .inspects = true},
};
PROC_FILES(proc_process, kMemoryEntries);
constexpr ProcEntry kThreadMemory[] = {
    {.name = "mem", .mode = kTypeRegular | 0600, .open = open_memory, .inspects = true}};
PROC_FILES(proc_thread, kThreadMemory);

// --- process_vm_readv, process_vm_writev

// Goes through both lists at once. What is done before a bad address counts.
Result<uint32_t> move_between(int pid, UserPtr<const UserRange> own_list, uint32_t own_count,
                              UserPtr<const UserRange> other_list, uint32_t other_count,
                              uint32_t flags, bool reads) {
    if (flags) return Errno::inval;
    RangeList own, other;
    TRY(own.load(own_list, own_count));
    TRY(other.load(other_list, other_count));
    Ref<UserThread> thread = TRY(thread_named(pid));
    const Credentials& who = context().credentials;
    if (!may_inspect(*thread->process, who.uid, who.gid)) return Errno::perm;
    const Ref<AddressSpace> space = TRY(space_of(*thread));
    Box<PageBuffer> buffer = TRY(make_box<PageBuffer>());
    uint32_t done = 0, at_own = 0, own_done = 0;
    for (const UserRange& range : other.span()) {
        for (uint32_t other_done = 0; other_done < range.bytes;) {
            while (at_own < own.span().size() && own_done == own.span()[at_own].bytes)
                ++at_own, own_done = 0;
            if (at_own == own.span().size()) return done;
            const UserRange& mine = own.span()[at_own];
            const uint32_t wanted = std::min(range.bytes - other_done, mine.bytes - own_done);
            const VirtAddr here = mine.start + own_done;
            uint32_t moved = 0;
            bool ours_is_good = true;
            moved = in_pieces(range.start + other_done, wanted, [&](VirtAddr at, uint32_t bytes) {
                const VirtAddr ours = here + moved;
                if (reads) {
                    if (space->read(buffer->bytes, at, bytes).is_error()) return false;
                    ours_is_good = copy_to_user(ours, buffer->bytes, bytes).is_ok();
                } else {
                    ours_is_good = copy_from_user(buffer->bytes, ours, bytes).is_ok();
                    if (!ours_is_good || space->write(at, buffer->bytes, bytes).is_error())
                        return false;
                }
                if (ours_is_good) moved += bytes;
                return ours_is_good;
            });
            done += moved, other_done += moved, own_done += moved;
            if (moved < wanted) return done ? Result(done) : Errno::fault;
        }
    }
    return done;
}

Result<uint32_t> sys_process_vm_readv(int pid, UserPtr<const UserRange> own, uint32_t own_count,
                                      UserPtr<const UserRange> other, uint32_t other_count,
                                      TrapFrame& frame) {
    return move_between(pid, own, own_count, other, other_count, frame.ebp, true);
}
Result<uint32_t> sys_process_vm_writev(int pid, UserPtr<const UserRange> own, uint32_t own_count,
                                       UserPtr<const UserRange> other, uint32_t other_count,
                                       TrapFrame& frame) {
    return move_between(pid, own, own_count, other, other_count, frame.ebp, false);
}

constexpr SystemCall kMemoryCalls[] = {
    CALL(347, process_vm_readv, sys_process_vm_readv),
    CALL(348, process_vm_writev, sys_process_vm_writev),
};
SYSTEM_CALLS(kMemoryCalls);

}  // namespace
