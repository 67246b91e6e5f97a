// System V message queues as calls. Spec: msgget(2), msgop(2), msgctl(2); Linux i386 structures.
#include "kernel/ipc/message_queue.hpp"
#include "kernel/syscall/sysv_arguments.hpp"

using namespace sysv;

Result<int> sys_msgget(int key, uint32_t flags) {
    return message_queues().find_or_make(
        key, flags, caller(), [](IpcObject&) { return Result<void>(); },
        [] { return MessageQueue::create(); });
}

Result<void> sys_msgsnd(int id, UserPtr<int32_t> from, uint32_t bytes, uint32_t flags) {
    if (bytes > ipc_limits.message_bytes || id < 0) return Errno::inval;
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

namespace {

// Hands the program the first bytes of it, and frees it.
Result<uint32_t> hand_over(Message* message, UserPtr<int32_t> to, uint32_t bytes) {
    const uint32_t size = message->bytes < bytes ? message->bytes : bytes;
    Result<void> told = write_user(to, message->type);
    if (told.is_ok()) told = copy_to_user((to + 1).address(), message->data(), size);
    Message::release(message);
    if (told.is_error()) return told.error();
    return size;
}

Result<uint32_t> copy_message(MessageQueue& queue, UserPtr<int32_t> to, uint32_t bytes,
                              uint32_t place, bool cut) {
    const uint32_t most = ipc_limits.message_bytes;
    Message* copy = Message::allocate(bytes < most ? bytes : most);
    if (!copy) return Errno::nomem;
    Result<void> found = queue.peek(place, cut, *copy);
    if (found.is_ok()) return hand_over(copy, to, bytes);
    Message::release(copy);
    return found.error();
}

}  // namespace

Result<uint32_t> sys_msgrcv(int id, UserPtr<int32_t> to, uint32_t bytes, int32_t type,
                            uint32_t flags) {
    constexpr uint32_t kNoError = 010000, kExcept = 020000, kCopy = 040000;
    if (static_cast<int32_t>(bytes) < 0) return Errno::inval;
    if ((flags & kCopy) && ((flags & kExcept) || !(flags & kIpcNoWait))) return Errno::inval;
    Ref<MessageQueue> queue = TRY(object_of<MessageQueue>(message_queues(), id, IpcAccess::read));
    if (flags & kCopy)
        return copy_message(*queue, to, bytes, static_cast<uint32_t>(type), flags & kNoError);
    if (type == INT32_MIN) type = -INT32_MAX;
    Message* message = TRY(queue->receive({.type = type,
                                           .except = (flags & kExcept) != 0,
                                           .wait = !(flags & kIpcNoWait),
                                           .cut = (flags & kNoError) != 0,
                                           .room = bytes},
                                          pid()));
    return hand_over(message, to, bytes);
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

Result<int> tell_queue_status(MessageQueue& queue, uint32_t to) {
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
    QueueInfo info{};
    info.max = static_cast<int32_t>(ipc_limits.message_bytes);
    info.queue_bytes = static_cast<int32_t>(ipc_limits.queue_bytes);
    info.queues = static_cast<int32_t>(ipc_limits.queues);
    info.segment_size = 16;
    info.segments = 0xffff;
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
        TRY(tell_queue_status(*queue, argument));
        return queue->id;
    }
    Ref<MessageQueue> queue = TRY(object_of<MessageQueue>(
        table, id, command == ipc_stat ? IpcAccess::read : IpcAccess::owner));
    switch (command) {
        case ipc_remove: queue->remove(); return 0;
        case ipc_stat: return tell_queue_status(*queue, argument);
        case ipc_set: {
            QueueStatus wanted = TRY(read_user(UserPtr<QueueStatus>(argument)));
            if (wanted.limit > ipc_limits.queue_bytes && !caller().may(Capability::sys_resource))
                return Errno::perm;
            table.with_lock([&] { queue->change(wanted.permission); });
            queue->set_limit(wanted.limit);
            return 0;
        }
        default: return Errno::inval;
    }
}

constexpr SystemCall kSysvMessagesCalls[] = {
    CALL(399, msgget, sys_msgget),
    CALL(400, msgsnd, sys_msgsnd),
    CALL(401, msgrcv, sys_msgrcv),
    CALL(402, msgctl, sys_msgctl),
};
SYSTEM_CALLS(kSysvMessagesCalls);
