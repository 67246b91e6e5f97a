// See posix_queue.hpp.
// Wake-ups: each message wakes one receiver, each free place one sender. A thread that was woken and
// leaves without having used that (a signal, a time-out) wakes the next.
#include "kernel/linux/posix_queue.hpp"

#include "kernel/lib/start_up.hpp"
#include "kernel/linux/socket.hpp"
#include "kernel/lib/format.hpp"

constinit Atomic<uint32_t> PosixQueue::last_number = 0;

PosixMessage* PosixMessage::allocate(uint32_t bytes) {
    void* room = ::operator new(sizeof(PosixMessage) + bytes, std::nothrow);
    if (!room) return nullptr;
    auto* message = new (room) PosixMessage;
    message->bytes = bytes;
    return message;
}

// As Linux counts: each message's head and bytes, and a node for each priority that can be there.
uint64_t PosixQueue::charged_bytes() const {
    constexpr uint32_t kHead = 24, kNode = 24;
    const uint32_t nodes =
        limits_.messages < kPosixPriorities ? limits_.messages : kPosixPriorities;
    return static_cast<uint64_t>(limits_.messages) *
               (kHead + static_cast<uint64_t>(limits_.bytes)) +
           nodes * kNode;
}

Result<void> PosixQueue::send(PosixMessage*& message, const Wait& wait, QueueNotice& notice) {
    {
        LockGuard guard(lock_);
        if (!has_room()) {
            if (!wait.may) return Errno::again;
            const Woken woken = senders_.wait(lock_, [&]() NO_LOCK_ANALYSIS { return has_room(); },
                                              {.deadline = wait.deadline, .reason = "mq_send"});
            if (woken != Woken::condition)
                return woken == Woken::timed_out ? Errno::timedout : Errno::restart;
        }
        // Those who wait take what is there; beyond that the queue is empty.
        if (count_ == receiving_) notice = std::exchange(notice_, {});
        message->order = static_cast<uint64_t>(kPosixPriorities - message->priority) << 48 |
                         (sequence_++ & ((uint64_t(1) << 48) - 1));
        bytes_ += message->bytes;
        messages_.insert(*std::exchange(message, nullptr));
        ++count_;
        receivers_.wake_one();
        if (has_room()) senders_.wake_one();
    }
    pollers_.wake_all();
    return {};
}

Result<PosixMessage*> PosixQueue::receive(const Wait& wait) {
    PosixMessage* first;
    {
        LockGuard guard(lock_);
        if (!count_) {
            if (!wait.may) return Errno::again;
            ++receiving_;
            const Woken woken =
                receivers_.wait(lock_, [&]() NO_LOCK_ANALYSIS { return count_ != 0; },
                                {.deadline = wait.deadline, .reason = "mq_receive"});
            --receiving_;
            if (woken != Woken::condition)
                return woken == Woken::timed_out ? Errno::timedout : Errno::restart;
        }
        first = messages_.first();
        messages_.remove(*first);
        bytes_ -= first->bytes;
        --count_;
        senders_.wake_one();
        if (count_) receivers_.wake_one();
    }
    pollers_.wake_all();
    return first;
}

uint32_t PosixQueue::count() {
    LockGuard guard(lock_);
    return count_;
}

uint32_t PosixQueue::poll(PollTable* table) {
    if (table) table->watch(pollers_);
    LockGuard guard(lock_);
    return (count_ ? kPollIn : 0) | (has_room() ? kPollOut : 0);
}

// --- notices

Result<void> PosixQueue::register_notice(QueueNotice notice) {
    LockGuard guard(lock_);
    if (notice_.way != QueueNotice::Way::nobody) return Errno::busy;
    notice_ = std::move(notice);
    return {};
}

QueueNotice PosixQueue::end_notice(const void* table) {
    LockGuard guard(lock_);
    return notice_.table == table ? std::exchange(notice_, {}) : QueueNotice{};
}

void tell_by_socket(QueueNotice& notice, bool removed) {
    constexpr uint8_t kWoken = 1, kRemoved = 2;  // in the cookie's last byte, for the C library
    if (notice.way != QueueNotice::Way::socket) return;
    notice.cookie[31] = removed ? kRemoved : kWoken;
    socket_behind(*notice.socket)->deliver(notice.cookie);
}

// --- the open file

PosixQueueFile::PosixQueueFile(uint32_t flags, Ref<PosixQueue> queue)
    : File(flags), queue_(std::move(queue)) {
    link_[0] = '/';
    link_bytes_ = 1 + static_cast<uint32_t>(queue_->name().copy(link_ + 1, sizeof link_ - 1));
}

void PosixQueue::show(TextSink& to) {
    LockGuard guard(lock_);
    const bool told = notice_.way != QueueNotice::Way::nobody;
    constexpr int kNotify[] = {0, 1, 0, 2};  // SIGEV_NONE, _SIGNAL, _THREAD
    format_to(to, "QSIZE:{:<10} NOTIFY:{:<5} SIGNO:{:<5} NOTIFY_PID:{:<6}\n", bytes_,
              told ? kNotify[static_cast<uint32_t>(notice_.way)] : 0,
              notice_.way == QueueNotice::Way::signal ? notice_.signal : 0, told ? notice_.pid : 0);
}

Result<uint32_t> PosixQueueFile::read_at(ByteSink& to, uint64_t offset) {
    char text[96];
    BufferSink sink(text);
    queue_->show(sink);
    const std::string_view all = sink.view();
    if (offset >= all.size() || !to.remaining()) return 0u;
    const std::string_view rest = all.substr(static_cast<uint32_t>(offset));
    const uint32_t wanted = std::min<uint32_t>(to.remaining(), rest.size());
    const uint32_t done = to.put(rest.data(), wanted);
    return done ? Result(done) : Errno::fault;
}

Result<Attributes> PosixQueueFile::attributes() { return attributes_of(*queue_); }

void PosixQueueFile::descriptor_closed(const void* table) {
    QueueNotice ended = queue_->end_notice(table);
    tell_by_socket(ended, true);
}

namespace {
constinit HookList<File&, const void*>::Hook closed{[](File& file, const void* owner) {
    if (auto* queue = file_as<PosixQueueFile>(file)) queue->descriptor_closed(owner);
}};
void posix_queue_init() { file_closed.add(closed); }
AT_START_UP(posix_queue_init);
}  // namespace
