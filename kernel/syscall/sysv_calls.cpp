// System V semaphores and shared memory as calls. Each call has a number of its own, and all go
// through the old multiplexer too.
// Spec: ipc(2), semop(2), semctl(2), shmop(2), shmctl(2); Linux i386 structures.
#include "kernel/ipc/semaphore_set.hpp"
#include "kernel/ipc/shared_memory.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/syscall/sysv_arguments.hpp"

using namespace sysv;

// --- semaphores

Result<int> sys_semget(int key, int count, uint32_t flags) {
    if (count < 0 || static_cast<uint32_t>(count) > ipc_limits.semaphores) return Errno::inval;
    return semaphore_sets().find_or_make(
        key, flags, caller(),
        [&](IpcObject& set) -> Result<void> {
            const uint32_t size = static_cast<SemaphoreSet&>(set).size();
            return static_cast<uint32_t>(count) > size ? Errno::inval : Result<void>();
        },
        [&]() -> Result<Ref<IpcObject>> {
            if (!count) return Errno::inval;
            if (semaphores_in_use() + static_cast<uint32_t>(count) > ipc_limits.all_semaphores)
                return Errno::nospc;
            return SemaphoreSet::create(static_cast<uint32_t>(count));
        });
}

template <typename T>
Result<void> sys_semtimedop(int id, UserPtr<const SemaphoreOperation> from, uint32_t count,
                            UserPtr<const T> timeout) {
    if (!count) return Errno::inval;
    if (count > ipc_limits.operations) return Errno::toobig;
    SmallArray<SemaphoreOperation, 8> operations;
    TRY(operations.resize(count));
    TRY(copy_from_user(operations.data(), from.address(), count * sizeof(SemaphoreOperation)));
    Nanoseconds deadline{0};
    if (timeout) deadline = deadline_after(monotonic_now(), TRY(read_time(timeout)));
    bool changes = false;
    for (const SemaphoreOperation& op : operations) changes |= op.change != 0;
    const IpcAccess wanted = changes ? IpcAccess::write : IpcAccess::read;
    Result<Ref<SemaphoreSet>> found = object_of<SemaphoreSet>(semaphore_sets(), id, wanted);
    if (found.is_error() && found.error() == Errno::acces) {
        Ref<SemaphoreSet> set = TRY(object_of<SemaphoreSet>(semaphore_sets(), id, IpcAccess::any));
        TRY(set->check_numbers({operations.data(), count}));  // EFBIG goes before EACCES
    }
    Ref<SemaphoreSet> set = TRY(std::move(found));
    return set->operate({operations.data(), count}, pid(), deadline);
}

namespace {

struct SemaphoreStatus {  // struct semid64_ds
    IpcPermission permission;
    SplitTime operated, changed;
    uint32_t count, unused[2];
};
static_assert(sizeof(SemaphoreStatus) == 64);
struct SemaphoreInfo {  // struct seminfo
    uint32_t map, sets, all, undos, per_set, operations, per_undo, undo_size, max, adjust_max;
};

enum SemaphoreCommand : uint32_t {
    get_pid = 11,
    get_value = 12,
    get_all = 13,
    get_waiters = 14,
    get_zero_waiters = 15,
    set_value = 16,
    set_all = 17,
    stat_slot = 18,
    set_info = 19,
    stat_slot_any = 20,
};

Result<int> all_values(SemaphoreSet& set, UserPtr<uint16_t> to) {
    Vector<uint16_t> values;
    TRY(values.resize(set.size()));
    for (uint32_t i = 0; i < set.size(); ++i) values[i] = static_cast<uint16_t>(set.at(i).value);
    TRY(copy_to_user(to.address(), values.data(), set.size() * 2));
    return 0;
}

Result<int> set_all_values(SemaphoreSet& set, UserPtr<uint16_t> from) {
    Vector<uint16_t> values;
    TRY(values.resize(set.size()));
    TRY(copy_from_user(values.data(), from.address(), set.size() * 2));
    TRY(set.set_all(values.span(), pid()));
    return 0;
}

Result<int> tell_status(SemaphoreSet& set, uint32_t to) {
    SemaphoreStatus status{};
    status.permission = permission_of(semaphore_sets(), set);
    status.operated = set.operated();
    status.changed = set.changed;
    status.count = set.size();
    TRY(write_user(UserPtr<SemaphoreStatus>(to), status));
    return 0;
}

Result<int> semaphore_info(uint32_t to, bool in_use) {
    uint32_t values = 0;
    semaphore_sets().for_each(
        [&](IpcObject& set) { values += static_cast<SemaphoreSet&>(set).size(); });
    const uint32_t many = ipc_limits.all_semaphores;
    SemaphoreInfo info{many,
                       ipc_limits.sets,
                       many,
                       many,
                       ipc_limits.semaphores,
                       ipc_limits.operations,
                       ipc_limits.operations,
                       20,
                       kSemaphoreMax,
                       kSemaphoreMax};
    if (in_use) info.undo_size = semaphore_sets().count(), info.adjust_max = values;
    TRY(write_user(UserPtr<SemaphoreInfo>(to), info));
    return static_cast<int>(semaphore_sets().highest());
}

}  // namespace

Result<int> sys_semctl(int id, int number, uint32_t command, uint32_t argument) {
    command &= ~kNewLayout;
    IpcTable& table = semaphore_sets();
    if (command == ipc_info || command == set_info)
        return semaphore_info(argument, command == set_info);
    if (command == stat_slot || command == stat_slot_any) {
        Ref<SemaphoreSet> set = TRY(object_at<SemaphoreSet>(table, id, command == stat_slot_any));
        TRY(tell_status(*set, argument));
        return set->id;
    }
    const bool writes = command == set_value || command == set_all;
    const bool owns = command == ipc_remove || command == ipc_set;
    Ref<SemaphoreSet> set = TRY(object_of<SemaphoreSet>(table, id,
                                                        owns     ? IpcAccess::owner
                                                        : writes ? IpcAccess::write
                                                                 : IpcAccess::read));
    const bool one = command == get_pid || command == get_value || command == get_waiters ||
                     command == get_zero_waiters || command == set_value;
    if (command == set_value && argument > kSemaphoreMax) return Errno::range;
    if (one && static_cast<uint32_t>(number) >= set->size()) return Errno::inval;
    const auto n = static_cast<uint32_t>(number);
    switch (command) {
        case ipc_remove: set->remove(); return 0;
        case ipc_set: {
            SemaphoreStatus wanted = TRY(read_user(UserPtr<SemaphoreStatus>(argument)));
            table.with_lock([&] { set->change(wanted.permission), set->changed = ipc_now(); });
            return 0;
        }
        case ipc_stat: return tell_status(*set, argument);
        case get_pid: return set->at(n).pid;
        case get_value: return set->at(n).value;
        case get_waiters: return static_cast<int>(set->waiters(n, false));
        case get_zero_waiters: return static_cast<int>(set->waiters(n, true));
        case get_all: return all_values(*set, UserPtr<uint16_t>(argument));
        case set_value: TRY(set->set_value(n, static_cast<int32_t>(argument), pid())); return 0;
        case set_all: return set_all_values(*set, UserPtr<uint16_t>(argument));
        default: return Errno::inval;
    }
}

// --- shared memory

Result<int> sys_shmget(int key, uint32_t bytes, uint32_t flags) {
    constexpr uint32_t kHugePages = 04000;
    return segments().find_or_make(
        key, flags, caller(),
        [&](IpcObject& segment) -> Result<void> {
            return bytes > static_cast<Segment&>(segment).bytes ? Errno::inval : Result<void>();
        },
        [&]() -> Result<Ref<IpcObject>> {
            if (!bytes || bytes > ipc_limits.segment_bytes) return Errno::inval;
            if (flags & kHugePages) return Errno::nomem;  // there are none
            return Segment::create(bytes, pid());
        });
}

Result<uint32_t> sys_shmat(int id, uint32_t address, uint32_t flags) {
    constexpr uint32_t kReadOnly = 010000;
    // Writing wants both bits.
    Ref<Segment> segment = TRY(object_of<Segment>(segments(), id, IpcAccess::read));
    if (!(flags & kReadOnly)) TRY(object_of<Segment>(segments(), id, IpcAccess::write));
    return TRY(segment->attach(*current_process().space, VirtAddr(address), flags, pid())).raw();
}

Result<void> sys_shmdt(uint32_t address) {
    return detach_segment(*current_process().space, VirtAddr(address), pid());
}

namespace {

struct SegmentStatus {  // struct shmid64_ds
    IpcPermission permission;
    uint32_t bytes;
    SplitTime attached, detached, changed;
    int32_t creator, last;
    uint32_t count, unused[2];
};
static_assert(sizeof(SegmentStatus) == 84);
struct SegmentLimits {  // struct shminfo64
    uint32_t max, min, segments, per_process, all, unused[4];
};
struct SegmentUse {  // struct shm_info
    int32_t segments;
    uint32_t pages, resident, swapped, attempts, successes;
};

Result<int> tell_status(Segment& s, uint32_t to) {
    const SegmentStatus status = segments().with_lock([&]() -> SegmentStatus {
        return {s.permission, s.bytes, s.attached_at, s.detached_at, s.changed, s.creator, s.last,
                s.attached(), {}};
    });
    TRY(write_user(UserPtr<SegmentStatus>(to), status));
    return 0;
}

// Spec: shmctl(2), getrlimit(2): RLIMIT_MEMLOCK.
Result<int> lock_segment(Segment& segment, bool locked) {
    const uint32_t limit = current_process().limits[limit_memlock].soft;
    if (locked && !context().credentials.may(Capability::ipc_lock)) {
        if (limit == 0) return Errno::perm;
        if (segment.bytes > limit) return Errno::nomem;
    }
    segment.lock(locked);
    return 0;
}

uint32_t resident_of_all() {
    uint32_t pages = 0;
    segments().for_each(
        [&](IpcObject& object) { pages += static_cast<Segment&>(object).resident(); });
    return pages;
}

}  // namespace

Result<int> sys_shmctl(int id, uint32_t command, uint32_t argument) {
    enum : uint32_t { lock = 11, unlock = 12, stat_slot = 13, info = 14, stat_any = 15 };
    command &= ~kNewLayout;
    if (command == ipc_info) {
        TRY(write_user(UserPtr<SegmentLimits>(argument), SegmentLimits{ipc_limits.segment_bytes,
                                                                       1,
                                                                       ipc_limits.segments,
                                                                       ipc_limits.segments,
                                                                       segment_page_limit(),
                                                                       {}}));
        return static_cast<int>(segments().highest());
    }
    if (command == info) {
        const uint32_t pages = segment_pages();
        TRY(write_user(UserPtr<SegmentUse>(argument),
                       SegmentUse{static_cast<int32_t>(segments().count()), pages,
                                  resident_of_all(), 0, 0, 0}));
        return static_cast<int>(segments().highest());
    }
    if (command == stat_slot || command == stat_any) {
        Ref<Segment> segment = TRY(object_at<Segment>(segments(), id, command == stat_any));
        TRY(tell_status(*segment, argument));
        return segment->id;
    }
    Ref<Segment> segment = TRY(object_of<Segment>(
        segments(), id, command == ipc_stat ? IpcAccess::read : IpcAccess::owner));
    switch (command) {
        case ipc_remove: segment->remove(); return 0;
        case ipc_stat: return tell_status(*segment, argument);
        case ipc_set: {
            SegmentStatus wanted = TRY(read_user(UserPtr<SegmentStatus>(argument)));
            segments().with_lock([&] {
                segment->change(wanted.permission);
                segment->changed = ipc_now();
            });
            return 0;
        }
        case lock:
        case unlock: return lock_segment(*segment, command == lock);
        default: return Errno::inval;
    }
}

// --- the multiplexer

Result<uint32_t> sys_ipc(uint32_t call, int first, uint32_t second, uint32_t third,
                         uint32_t pointer, uint32_t fifth) {
    const uint32_t version = call >> 16;
    auto widen = [](Result<int> result) -> Result<uint32_t> {
        return static_cast<uint32_t>(TRY(std::move(result)));
    };
    auto nothing = [](Result<void> result) -> Result<uint32_t> {
        TRY(result);
        return 0u;
    };
    const UserPtr<const SemaphoreOperation> operations(pointer);
    switch (call & 0xffff) {
        case 1:
            return nothing(sys_semtimedop(first, operations, second, UserPtr<const TimeSpec32>()));
        case 2: return widen(sys_semget(first, static_cast<int>(second), third));
        case 3:
            if (!pointer) return Errno::inval;
            return widen(sys_semctl(first, static_cast<int>(second), third,
                                    TRY(read_user(UserPtr<uint32_t>(pointer)))));
        case 4:
            return nothing(
                sys_semtimedop(first, operations, second, UserPtr<const TimeSpec32>(fifth)));
        case 11: return nothing(sys_msgsnd(first, UserPtr<int32_t>(pointer), second, third));
        case 12: {
            struct Kludge {
                uint32_t message;
                int32_t type;
            } old{pointer, static_cast<int32_t>(fifth)};
            if (version == 0) old = TRY(read_user(UserPtr<Kludge>(pointer)));
            return sys_msgrcv(first, UserPtr<int32_t>(old.message), second, old.type, third);
        }
        case 13: return widen(sys_msgget(first, second));
        case 14: return widen(sys_msgctl(first, second, pointer));
        case 21: {
            const uint32_t address = TRY(sys_shmat(first, pointer, second));
            TRY(write_user(UserPtr<uint32_t>(third), address));
            return 0u;
        }
        case 22: return nothing(sys_shmdt(pointer));
        case 23: return widen(sys_shmget(first, second, third));
        case 24: return widen(sys_shmctl(first, second, pointer));
        default: return Errno::nosys;
    }
}

constexpr SystemCall kSysvCalls[] = {
    CALL(117, ipc, sys_ipc),       CALL(393, semget, sys_semget),
    CALL(394, semctl, sys_semctl), CALL(395, shmget, sys_shmget),
    CALL(396, shmctl, sys_shmctl), CALL(397, shmat, sys_shmat),
    CALL(398, shmdt, sys_shmdt),   CALL(420, semtimedop_time64, sys_semtimedop<TimeSpec64>),
};
SYSTEM_CALLS(kSysvCalls);
