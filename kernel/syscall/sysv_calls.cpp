// System V IPC as calls: each has a number of its own, and all go through the old multiplexer too.
// Spec: ipc(2), semop(2), semctl(2), shmop(2), shmctl(2), msgop(2), msgctl(2); Linux i386 structures.
#include "kernel/ipc/message_queue.hpp"
#include "kernel/ipc/semaphore_set.hpp"
#include "kernel/ipc/shared_memory.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/syscall/ipc_handlers.hpp"

namespace {

enum IpcCommand : uint32_t { ipc_remove = 0, ipc_set = 1, ipc_stat = 2, ipc_info = 3 };
constexpr uint32_t kNewLayout = 0x100;  // IPC_64, which is the only one here

const Credentials& caller() { return context().credentials; }
int pid() { return current_process().pid; }

template <typename T>
Result<Ref<T>> object_of(IpcTable& table, int id, IpcAccess wanted) {
    Ref<IpcObject> found = TRY(table.get(id, caller(), wanted));
    return Ref<T>(static_cast<T*>(found.get()));
}
// xxx_STAT by slot number (ipcs), which the any-variants allow without permission to read.
template <typename T>
Result<Ref<T>> object_at(IpcTable& table, int slot, bool any) {
    Ref<IpcObject> found = TRY(
        table.at(static_cast<uint32_t>(slot), caller(), any ? IpcAccess::any : IpcAccess::read));
    return Ref<T>(static_cast<T*>(found.get()));
}
IpcPermission permission_of(IpcTable& table, IpcObject& object) {
    return table.with_lock([&] { return object.permission; });
}

}  // namespace

// --- semaphores

Result<int> sys_semget(int key, int count, uint32_t flags) {
    if (count < 0 || static_cast<uint32_t>(count) > kMaxSemaphores) return Errno::inval;
    return semaphore_sets().find_or_make(
        key, flags, caller(),
        [&](IpcObject& set) -> Result<void> {
            const uint32_t size = static_cast<SemaphoreSet&>(set).size();
            return static_cast<uint32_t>(count) > size ? Errno::inval : Result<void>();
        },
        [&]() -> Result<Ref<IpcObject>> {
            if (!count) return Errno::inval;
            return SemaphoreSet::create(static_cast<uint32_t>(count));
        });
}

template <typename T>
Result<void> sys_semtimedop(int id, UserPtr<const SemaphoreOperation> from, uint32_t count,
                            UserPtr<const T> timeout) {
    if (!count) return Errno::inval;
    if (count > kMaxSemaphoreOperations) return Errno::toobig;
    SmallArray<SemaphoreOperation, 8> operations;
    TRY(operations.resize(count));
    TRY(copy_from_user(operations.data(), from.address(), count * sizeof(SemaphoreOperation)));
    Nanoseconds deadline{0};
    if (timeout) deadline = deadline_after(monotonic_now(), TRY(read_time(timeout)));
    bool changes = false;
    for (const SemaphoreOperation& op : operations) changes |= op.change != 0;
    Ref<SemaphoreSet> set = TRY(object_of<SemaphoreSet>(
        semaphore_sets(), id, changes ? IpcAccess::write : IpcAccess::read));
    return set->operate({operations.data(), count}, pid(), deadline);
}
template Result<void> sys_semtimedop(int, UserPtr<const SemaphoreOperation>, uint32_t,
                                     UserPtr<const TimeSpec32>);
template Result<void> sys_semtimedop(int, UserPtr<const SemaphoreOperation>, uint32_t,
                                     UserPtr<const TimeSpec64>);

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
    constexpr uint32_t kMany = IpcTable::kMaxObjects * kMaxSemaphores;
    SemaphoreInfo info{kMany,
                       IpcTable::kMaxObjects,
                       kMany,
                       kMany,
                       kMaxSemaphores,
                       kMaxSemaphoreOperations,
                       kMaxSemaphoreOperations,
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
    return segments().find_or_make(
        key, flags, caller(),
        [&](IpcObject& segment) -> Result<void> {
            return bytes > static_cast<Segment&>(segment).bytes ? Errno::inval : Result<void>();
        },
        [&]() -> Result<Ref<IpcObject>> {
            if (!bytes || bytes > UINT32_MAX - (1u << 24)) return Errno::inval;
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

}  // namespace

Result<int> sys_shmctl(int id, uint32_t command, uint32_t argument) {
    enum : uint32_t { lock = 11, unlock = 12, stat_slot = 13, info = 14, stat_any = 15 };
    command &= ~kNewLayout;
    if (command == ipc_info) {
        TRY(write_user(UserPtr<SegmentLimits>(argument), SegmentLimits{UINT32_MAX - (1u << 24),
                                                                       1,
                                                                       IpcTable::kMaxObjects,
                                                                       IpcTable::kMaxObjects,
                                                                       segment_page_limit(),
                                                                       {}}));
        return static_cast<int>(segments().highest());
    }
    if (command == info) {
        const uint32_t pages = segment_pages();
        TRY(write_user(
            UserPtr<SegmentUse>(argument),
            SegmentUse{static_cast<int32_t>(segments().count()), pages, pages, 0, 0, 0}));
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
        case unlock: return 0;  // nothing of a segment leaves memory
        default: return Errno::inval;
    }
}

// --- messages

Result<int> sys_msgget(int key, uint32_t flags) {
    return message_queues().find_or_make(
        key, flags, caller(), [](IpcObject&) { return Result<void>(); },
        [] { return MessageQueue::create(); });
}

Result<void> sys_msgsnd(int id, UserPtr<int32_t> from, uint32_t bytes, uint32_t flags) {
    if (bytes > kMaxMessage || id < 0) return Errno::inval;
    const int32_t type = TRY(read_user(from));
    if (type <= 0) return Errno::inval;
    Message* message = Message::allocate(bytes);
    if (!message) return Errno::nomem;
    message->type = type;
    Result<void> result = copy_from_user(message->data(), (from + 1).address(), bytes);
    if (result.is_ok()) {
        Result<Ref<MessageQueue>> queue =
            object_of<MessageQueue>(message_queues(), id, IpcAccess::write);
        result = queue.is_error() ? Result<void>(queue.error())
                                  : queue.value()->send(message, pid(), !(flags & kIpcNoWait));
    }
    if (message) Message::release(message);
    return result;
}

Result<uint32_t> sys_msgrcv(int id, UserPtr<int32_t> to, uint32_t bytes, int32_t type,
                            uint32_t flags) {
    constexpr uint32_t kNoError = 010000, kExcept = 020000, kCopy = 040000;
    if (static_cast<int32_t>(bytes) < 0) return Errno::inval;
    if (flags & kCopy) return Errno::nosys;
    Ref<MessageQueue> queue = TRY(object_of<MessageQueue>(message_queues(), id, IpcAccess::read));
    if (type == INT32_MIN) type = -INT32_MAX;
    Message* message = TRY(queue->receive({.type = type,
                                           .except = (flags & kExcept) != 0,
                                           .wait = !(flags & kIpcNoWait),
                                           .cut = (flags & kNoError) != 0,
                                           .room = bytes},
                                          pid()));
    const uint32_t size = message->bytes < bytes ? message->bytes : bytes;
    Result<void> told = write_user(to, message->type);
    if (told.is_ok()) told = copy_to_user((to + 1).address(), message->data(), size);
    Message::release(message);
    if (told.is_error()) return told.error();
    return size;
}

namespace {

struct QueueStatus {  // struct msqid64_ds
    IpcPermission permission;
    SplitTime sent, received, changed;
    uint32_t bytes, count, limit;
    int32_t sender, receiver;
    uint32_t unused[2];
};
static_assert(sizeof(QueueStatus) == 88);
struct QueueInfo {  // struct msginfo
    int32_t pool, map, max, queue_bytes, queues, segment_size, messages;
    uint16_t segments;
};

Result<int> tell_status(MessageQueue& queue, uint32_t to) {
    const MessageQueue::Figures f = queue.figures();
    TRY(write_user(UserPtr<QueueStatus>(to), QueueStatus{permission_of(message_queues(), queue),
                                                         f.sent,
                                                         f.received,
                                                         f.changed,
                                                         f.bytes,
                                                         f.count,
                                                         f.limit,
                                                         f.sender,
                                                         f.receiver,
                                                         {}}));
    return 0;
}

Result<int> queue_info(uint32_t to, bool in_use) {
    QueueInfo info{0, 0, kMaxMessage, kMaxQueueBytes, IpcTable::kMaxObjects, 16, 0, 0xffff};
    if (in_use) {
        info.pool = static_cast<int32_t>(message_queues().count());
        message_queues().for_each([&](IpcObject& object) {
            const MessageQueue::Figures f = static_cast<MessageQueue&>(object).figures();
            info.map += static_cast<int32_t>(f.count);
            info.messages += static_cast<int32_t>(f.bytes);
        });
    }
    TRY(write_user(UserPtr<QueueInfo>(to), info));
    return static_cast<int>(message_queues().highest());
}

}  // namespace

Result<int> sys_msgctl(int id, uint32_t command, uint32_t argument) {
    enum : uint32_t { stat_slot = 11, info = 12, stat_any = 13 };
    command &= ~kNewLayout;
    IpcTable& table = message_queues();
    if (command == ipc_info || command == info) return queue_info(argument, command == info);
    if (command == stat_slot || command == stat_any) {
        Ref<MessageQueue> queue = TRY(object_at<MessageQueue>(table, id, command == stat_any));
        TRY(tell_status(*queue, argument));
        return queue->id;
    }
    Ref<MessageQueue> queue = TRY(object_of<MessageQueue>(
        table, id, command == ipc_stat ? IpcAccess::read : IpcAccess::owner));
    switch (command) {
        case ipc_remove: queue->remove(); return 0;
        case ipc_stat: return tell_status(*queue, argument);
        case ipc_set: {
            QueueStatus wanted = TRY(read_user(UserPtr<QueueStatus>(argument)));
            if (wanted.limit > kMaxQueueBytes && !caller().is_superuser()) return Errno::perm;
            table.with_lock([&] { queue->change(wanted.permission); });
            queue->set_limit(wanted.limit);
            return 0;
        }
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
