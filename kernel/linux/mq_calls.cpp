// POSIX message queues as calls. Spec: mq_open(3) and kin; mq_notify(2), mq_getsetattr(2).
#include "kernel/linux/posix_queue.hpp"
#include "kernel/linux/socket.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/linux/time_events.hpp"

struct QueueAttributes {  // struct mq_attr
    int32_t flags, messages, bytes, count, unused[4];
};
static_assert(sizeof(QueueAttributes) == 32);

namespace {

constexpr uint32_t kDescriptorOpen = kOpenCloseOnExec;  // these always are

struct OpenQueue {
    Ref<File> file;
    PosixQueue* queue;
};
Result<OpenQueue> queue_of(int fd) {
    OpenQueue found{TRY(file_of(fd)), nullptr};
    auto* file = file_as<PosixQueueFile>(*found.file);
    if (!file) return Errno::badf;
    found.queue = &file->queue();
    return found;
}

// The end is a time of the real-time clock.
template <typename T>
Result<PosixQueue::Wait> wait_until(UserPtr<const T> time) {
    PosixQueue::Wait wait;
    if (time) wait.deadline = monotonic_at(TRY(read_time(time)));
    return wait;
}

void send_notice(QueueNotice& notice) {
    if (notice.way == QueueNotice::Way::signal && notice.signal) {
        constexpr int kSiMessageQueue = -3;
        SignalInfo info = signal_from_user(notice.signal, kSiMessageQueue);
        info.fields[2] = notice.value;
        LockGuard guard(process_tree);
        if (Process* to = find_process_locked(notice.pid)) send_signal(*to, info);
    }
    tell_by_socket(notice, false);
}

struct HeldMessage {
    PosixMessage* message;
    ~HeldMessage() {
        if (message) PosixMessage::release(message);
    }
};

}  // namespace

Result<int> sys_mq_open(UserString name, uint32_t flags, uint32_t mode,
                        UserPtr<const QueueAttributes> from) {
    if ((flags & kOpenAccessMode) == kOpenAccessMode) return Errno::inval;
    UserText text;
    PosixQueueRequest request{
        .name = TRY(text.copy(name)), .flags = flags, .mode = mode & ~context().umask};
    PosixQueue::Limits limits{};
    if ((flags & kOpenCreate) && from) {
        const QueueAttributes wanted = TRY(read_user(from));
        limits = {static_cast<uint32_t>(wanted.messages > 0 ? wanted.messages : 0),
                  static_cast<uint32_t>(wanted.bytes > 0 ? wanted.bytes : 0)};
        request.limits = &limits;
    }
    const uint32_t most = current_process().limits[limit_msgqueue].soft;
    request.user_limit = most == kInfinite ? UINT64_MAX : most;
    return install_opened(kDescriptorOpen,
                          [&] { return open_posix_queue(context().credentials, request); });
}

Result<void> sys_mq_unlink(UserString name) {
    UserText text;
    return unlink_posix_queue(context().credentials, TRY(text.copy(name)));
}

template <typename T>
Result<void> sys_mq_timedsend(int fd, UserPtr<const void> from, uint32_t bytes, uint32_t priority,
                              UserPtr<const T> time) {
    if (priority >= kPosixPriorities) return Errno::inval;
    PosixQueue::Wait wait = TRY(wait_until(time));
    OpenQueue open = TRY(queue_of(fd));
    if (!open.file->writable()) return Errno::badf;
    if (bytes > open.queue->limits().bytes) return Errno::msgsize;
    wait.may = !open.file->non_blocking();
    HeldMessage held{PosixMessage::allocate(bytes)};
    if (!held.message) return Errno::nomem;
    held.message->priority = priority;
    TRY(copy_from_user(held.message->data(), from.address(), bytes));
    QueueNotice notice;
    TRY(open.queue->send(held.message, wait, notice));
    send_notice(notice);
    return {};
}

template <typename T>
Result<uint32_t> sys_mq_timedreceive(int fd, UserPtr<void> to, uint32_t bytes,
                                     UserPtr<uint32_t> priority, UserPtr<const T> time) {
    PosixQueue::Wait wait = TRY(wait_until(time));
    OpenQueue open = TRY(queue_of(fd));
    if (!open.file->readable()) return Errno::badf;
    if (bytes < open.queue->limits().bytes) return Errno::msgsize;
    wait.may = !open.file->non_blocking();
    HeldMessage held{TRY(open.queue->receive(wait))};
    if (priority) TRY(write_user(priority, held.message->priority));
    TRY(copy_to_user(to.address(), held.message->data(), held.message->bytes));
    return held.message->bytes;
}

namespace {

// Of SIGEV_THREAD the C library makes a thread that reads cookies from a socket.
Result<QueueNotice> queue_notice(const SignalEvent& event) {
    enum : int32_t { by_signal = 0, silent = 1, by_thread = 2 };
    QueueNotice notice;
    notice.table = current_process().files.get();
    notice.pid = current_process().pid;
    switch (event.way) {
        case silent: notice.way = QueueNotice::Way::silent; return notice;
        case by_signal:
            if (event.signal < 0 || event.signal > kSignals) return Errno::inval;
            notice.way = QueueNotice::Way::signal;
            notice.signal = event.signal;
            notice.value = event.value;
            return notice;
        case by_thread:
            TRY(copy_from_user(notice.cookie, VirtAddr(event.value), sizeof notice.cookie));
            notice.socket = TRY(file_of(event.signal));
            if (!socket_behind(*notice.socket)) return Errno::notsock;
            notice.way = QueueNotice::Way::socket;
            return notice;
        default: return Errno::inval;
    }
}

}  // namespace

Result<void> sys_mq_notify(int fd, UserPtr<const SignalEvent> from) {
    QueueNotice notice;
    if (from) notice = TRY(queue_notice(TRY(read_user(from))));
    OpenQueue open = TRY(queue_of(fd));
    if (from) return open.queue->register_notice(std::move(notice));
    QueueNotice ended = open.queue->end_notice(current_process().files.get());
    tell_by_socket(ended, true);
    return {};
}

Result<void> sys_mq_getsetattr(int fd, UserPtr<const QueueAttributes> from,
                               UserPtr<QueueAttributes> to) {
    QueueAttributes wanted{};
    if (from) {
        wanted = TRY(read_user(from));
        if (wanted.flags & ~static_cast<int32_t>(kOpenNonBlock)) return Errno::inval;
    }
    OpenQueue open = TRY(queue_of(fd));
    const PosixQueue::Limits limits = open.queue->limits();
    const uint32_t flags = open.file->flags();
    const QueueAttributes old{static_cast<int32_t>(flags & kOpenNonBlock),
                              static_cast<int32_t>(limits.messages),
                              static_cast<int32_t>(limits.bytes),
                              static_cast<int32_t>(open.queue->count()),
                              {}};
    if (from) open.file->set_flags((flags & ~kOpenNonBlock) | static_cast<uint32_t>(wanted.flags));
    return to ? write_user(to, old) : Result<void>();
}

constexpr SystemCall kMqCalls[] = {
    CALL(277, mq_open, sys_mq_open),
    CALL(278, mq_unlink, sys_mq_unlink),
    CALL(279, mq_timedsend, sys_mq_timedsend<TimeSpec32>),
    CALL(280, mq_timedreceive, sys_mq_timedreceive<TimeSpec32>),
    CALL(281, mq_notify, sys_mq_notify),
    CALL(282, mq_getsetattr, sys_mq_getsetattr),
    CALL(418, mq_timedsend_time64, sys_mq_timedsend<TimeSpec64>),
    CALL(419, mq_timedreceive_time64, sys_mq_timedreceive<TimeSpec64>),
};
SYSTEM_CALLS(kMqCalls);
