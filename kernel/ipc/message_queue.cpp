// See message_queue.hpp.
#include "kernel/ipc/message_queue.hpp"

Message* Message::allocate(uint32_t bytes) {
    void* room = ::operator new(sizeof(Message) + bytes, std::nothrow);
    if (!room) return nullptr;
    auto* message = new (room) Message;
    message->bytes = bytes;
    return message;
}

Result<Ref<IpcObject>> MessageQueue::create() {
    return Ref<IpcObject>(TRY(make_ref<MessageQueue>()));
}

MessageQueue::~MessageQueue() {
    while (Message* message = messages_.pop_front()) Message::release(message);
}

// Puts it at the end, and sleeps before that while the mailbox is full: limit_ bytes, or as many messages.
// Lab 6.2: stub { (void)message; (void)pid; (void)wait; return Errno::nosys; }
Result<void> MessageQueue::send(Message*& message, int pid, bool wait) {
    const SplitTime now = ipc_now();
    LockGuard guard(lock_);
    // Empty messages count as one byte, so that they can't fill memory.
    auto fits = [&]() NO_LOCK_ANALYSIS {
        return bytes_ + message->bytes <= limit_ && count_ < limit_;
    };
    if (!removed_ && !fits()) {
        if (!wait) return Errno::again;
        Woken woken = senders_.wait(lock_, [&]() NO_LOCK_ANALYSIS { return removed_ || fits(); },
                                    {.reason = "msgsnd"});
        if (woken != Woken::condition) return Errno::restart_no_handler;
    }
    if (removed_) return Errno::idrm;
    bytes_ += message->bytes;
    ++count_;
    sender_ = pid;
    sent_ = now;
    messages_.push_back(*std::exchange(message, nullptr));
    receivers_.wake_all();
    return {};
}

// Type 0: the first of all. Above: the first of that type; with `except` the first of another. Below: the first
// of the lowest type that is at most its amount. Null: there is none.
// Lab 6.2: stub { (void)wanted; return nullptr; }
Message* MessageQueue::select(const Wanted& wanted) {
    Message* best = nullptr;
    for (Message& m : messages_) {
        if (wanted.type == 0) return &m;
        if (wanted.type > 0) {
            if ((m.type == wanted.type) != wanted.except) return &m;
        } else if (m.type <= -wanted.type && (!best || m.type < best->type)) {
            best = &m;
        }
    }
    return best;
}

// Takes the message that is wanted out, and sleeps before that while there is none.
// Lab 6.2: stub { (void)wanted; (void)pid; return Errno::nosys; }
Result<Message*> MessageQueue::receive(const Wanted& wanted, int pid) {
    const SplitTime now = ipc_now();
    LockGuard guard(lock_);
    Message* found = select(wanted);
    if (!found && !removed_) {
        if (!wanted.wait) return Errno::nomsg;
        Woken woken = receivers_.wait(
            lock_, [&]() NO_LOCK_ANALYSIS { return removed_ || (found = select(wanted)); },
            {.reason = "msgrcv"});
        if (woken != Woken::condition) return Errno::restart_no_handler;
    }
    if (removed_) return Errno::idrm;
    if (found->bytes > wanted.room && !wanted.cut) return Errno::toobig;
    messages_.remove(*found);
    bytes_ -= found->bytes;
    --count_;
    receiver_ = pid;
    received_ = now;
    senders_.wake_all();
    return found;
}

Result<void> MessageQueue::peek(uint32_t place, bool cut, Message& to) {
    LockGuard guard(lock_);
    if (removed_) return Result<void>(Errno::idrm);
    for (Message& message : messages_) {
        if (place--) continue;
        if (message.bytes > to.bytes && !cut) return Errno::toobig;
        if (message.bytes < to.bytes) to.bytes = message.bytes;
        to.type = message.type;
        __builtin_memcpy(to.data(), message.data(), to.bytes);
        return {};
    }
    return Errno::nomsg;
}

void MessageQueue::remove() {
    message_queues().remove(*this);
    LockGuard guard(lock_);
    removed_ = true;
    senders_.wake_all();
    receivers_.wake_all();
}

void MessageQueue::set_limit(uint32_t bytes) {
    const auto now = ipc_now();
    LockGuard guard(lock_);
    limit_ = bytes;
    changed_ = now;
    senders_.wake_all();
}

MessageQueue::Figures MessageQueue::figures() {
    LockGuard guard(lock_);
    return {sent_, received_, changed_, bytes_, count_, limit_, sender_, receiver_};
}
