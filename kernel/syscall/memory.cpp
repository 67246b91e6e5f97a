// The address space: mapping, unmapping, protecting; the heap's end; pages that stay in memory.
// Spec: mmap(2), mprotect(2), msync(2), mlock(2), brk(2).
#include "fs/mount.hpp"
#include "kernel/syscall/system_call.hpp"
#include "mm/mlock.hpp"

namespace {

constexpr uint32_t kProtections = kProtRead | kProtWrite | kProtExecute;
constexpr uint32_t kMapType = 0xf, kMapSharedValidate = 3, kMapNonBlock = 0x10000;

AddressSpace& space() { return *current_process().space; }

bool page_aligned(uint32_t address) { return (address & kPageMask) == 0; }

// How many bytes the caller may lock.
uint32_t lock_limit() {
    if (context().credentials.may(Capability::ipc_lock)) return UINT32_MAX;
    return current_process().limits[limit_memlock].soft;
}
Result<uint32_t> may_lock() {  // EPERM if none
    const uint32_t limit = lock_limit();
    if (limit == 0) return Errno::perm;
    return limit;
}
}  // namespace

AddressSpace& growing_space() {
    space().limits.locked = lock_limit();
    return space();
}

namespace {

// The pager of the file that `fd` names, if a mapping of this kind is allowed.
Result<void> attach_file(MapRequest& request, int fd) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    bool shared = request.flags & kMapShared;
    if (!file->readable()) return Errno::acces;
    if (shared && (request.protection & kProtWrite) && !file->writable()) return Errno::acces;
    if (shared && file->writable() && file->inode() && file->inode()->ownership().append_only)
        return Errno::acces;
    request.may_write = !shared || file->writable();
    request.pager =
        TRY(shared && request.may_write ? file->shared_pager(request.may_write) : file->pager());
    if (shared && (request.protection & kProtWrite) && !request.may_write) return Errno::perm;
    if (!request.pager || !request.pager->has_file()) return {};
    request.opener = file;
    if (file->path() && !(file->flags() & kOpenNoAtime)) note_access(file->path(), *file->inode());
    return {};
}

Result<uint32_t> map(VirtAddr hint, uint32_t length, uint32_t protection, uint32_t flags, int fd,
                     uint32_t page_offset) {
    constexpr uint32_t kUnderstood = kMapShared | kMapPrivate | kMapFixed | kMapAnonymous |
                                     kMapGrowsDown | kMapLocked | kMapNoReserve | kMapPopulate |
                                     kMapFixedNoReplace;
    // Those that are no more than a wish: DENYWRITE, EXECUTABLE, NONBLOCK, STACK, 32BIT, sizes.
    constexpr uint32_t kHuge = 0x40000, kIgnored = 0x7C031840;
    uint32_t type = flags & kMapType;
    if (type == kMapSharedValidate && !(flags & kMapAnonymous)) {
        if (flags & ~(kMapType | kIgnored | (kUnderstood & ~kMapFixedNoReplace)))
            return Errno::opnotsupp;
        flags &= ~kMapPrivate, type = kMapShared;
    }
    if ((type != kMapShared && type != kMapPrivate) || length == 0) {
        if (!(flags & kMapAnonymous)) TRY(file_of(fd));
        return Errno::inval;
    }
    if (flags & kMapNonBlock) flags &= ~kMapPopulate;
    if (flags & kHuge) return Errno::nomem;
    MapRequest request;
    request.hint = hint;
    request.length = length;
    request.protection = protection & kProtections;
    request.flags = flags & kUnderstood;
    request.page_offset = page_offset;
    if (flags & kMapLocked) TRY(may_lock());
    if (!(flags & kMapAnonymous)) TRY(attach_file(request, fd));
    return TRY(growing_space().map(request)).raw();
}

}  // namespace

Result<uint32_t> sys_mmap2(uint32_t hint, uint32_t length, uint32_t protection, uint32_t flags,
                           int fd, uint32_t page_offset) {
    return map(VirtAddr(hint), length, protection, flags, fd, page_offset);
}

struct OldMapArguments {
    uint32_t hint, length, protection, flags;
    int32_t fd;
    uint32_t offset;  // in bytes
};
Result<uint32_t> sys_old_mmap(UserPtr<const OldMapArguments> from) {
    OldMapArguments a = TRY(read_user(from));
    if (!page_aligned(a.offset)) return Errno::inval;
    return map(VirtAddr(a.hint), a.length, a.protection, a.flags, a.fd, a.offset >> kPageShift);
}

Result<void> sys_munmap(uint32_t start, uint32_t length) {
    return space().unmap(VirtAddr(start), length);
}

Result<void> sys_mprotect(uint32_t start, uint32_t length, uint32_t protection) {
    return space().protect(VirtAddr(start), length, protection);
}

Result<void> sys_msync(uint32_t from, uint32_t length, uint32_t flags) {
    constexpr uint32_t kSyncAsync = 1, kSyncInvalidate = 2, kSyncNow = 4;
    const VirtAddr start(from);
    PageRange range;
    if (!is_page_aligned(start) || flags & ~(kSyncAsync | kSyncInvalidate | kSyncNow) ||
        (flags & kSyncAsync && flags & kSyncNow))
        return Errno::inval;
    if (!make_range(start, length, range)) return Errno::nomem;
    bool covered;
    {
        LockedSpace locked(space());
        covered = locked->regions.is_covered(range.start, range.end);
        if (flags & kSyncInvalidate && locked_pages(locked, range)) return Errno::busy;
    }
    if (!(flags & kSyncNow)) return covered ? Result<void>() : Errno::nomem;
    // Pagers learnt of written pages at the first write (mark_dirty); they sleep, without our lock.
    for (VirtAddr at = range.start; at < range.end;) {
        Ref<OpenObject> opener;
        {
            LockedSpace locked(space());
            const Region* region = locked->regions.find_from(at);
            if (!region || region->start >= range.end) break;
            at = region->end;
            opener = region->attributes.opener;
        }
        if (opener) TRY(opener->sync(true));
    }
    return covered ? Result<void>() : Errno::nomem;
}

uint32_t sys_brk(uint32_t end) { return growing_space().set_break(VirtAddr(end)).raw(); }

Result<void> sys_mlock(uint32_t start, uint32_t length) {
    return lock_range(space(), VirtAddr(start), length, false, TRY(may_lock()));
}
Result<void> sys_mlock2(uint32_t start, uint32_t length, uint32_t flags) {
    constexpr uint32_t kOnFault = 1;
    if (flags & ~kOnFault) return Errno::inval;
    return lock_range(space(), VirtAddr(start), length, flags & kOnFault, TRY(may_lock()));
}
Result<void> sys_munlock(uint32_t start, uint32_t length) {
    return unlock_range(space(), VirtAddr(start), length);
}
Result<void> sys_mlockall(uint32_t flags) {
    if (!(flags & (kLockCurrent | kLockFuture)) ||
        (flags & ~(kLockCurrent | kLockFuture | kLockOnFault)))
        return Errno::inval;
    return lock_all(space(), flags, TRY(may_lock()));
}
void sys_munlockall() { unlock_all(space()); }

constexpr SystemCall kMemoryCalls[] = {
    CALL(45, brk, sys_brk),
    CALL(90, mmap, sys_old_mmap),
    CALL(91, munmap, sys_munmap),
    CALL(125, mprotect, sys_mprotect),
    CALL(144, msync, sys_msync),
    CALL(150, mlock, sys_mlock),
    CALL(151, munlock, sys_munlock),
    CALL(152, mlockall, sys_mlockall),
    CALL(153, munlockall, sys_munlockall),
    CALL(192, mmap2, sys_mmap2),
    CALL(376, mlock2, sys_mlock2),
};
SYSTEM_CALLS(kMemoryCalls);
