// System V message queues: mailboxes of typed messages.
// Invariant: bytes_ is the sum of the messages' sizes.
// Locks: each queue's SpinLock (rank ipc_object); user memory is copied before and after it.
// Spec: msgget(2), msgsnd(2), msgrcv(2), msgctl(2).
#pragma once

#include "kernel/ipc/ipc_limits.hpp"
#include "kernel/ipc/ipc_object.hpp"
#include "kernel/sync/wait_queue.hpp"

struct Message {  // its bytes follow it
    ListNode node;
    int32_t type = 0;
    uint32_t bytes = 0;
    uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
    static Message* allocate(uint32_t bytes);  // null: no memory
    static void release(Message* message) { ::operator delete(message); }
};

class MessageQueue final : public IpcObject {
  public:
    struct Figures {
        SplitTime sent, received, changed;
        uint32_t bytes, count, limit;
        int32_t sender, receiver;
    };
    static Result<Ref<IpcObject>> create();
    ~MessageQueue() override;

    // The queue takes the message over. EAGAIN, EIDRM, Errno::restart_no_handler.
    Result<void> send(Message*& message, int pid, bool wait);
    // The first that `type` selects (MSG_EXCEPT: of another type). E2BIG if it is larger than `room`
    // and may not be cut; ENOMSG; EIDRM.
    struct Wanted {
        int32_t type;
        bool except, wait, cut;
        uint32_t room;
    };
    Result<Message*> receive(const Wanted& wanted, int pid);
    // MSG_COPY: what of the message at this place, from 0, `to` has room for (its `bytes`); it stays.
    // ENOMSG; E2BIG if it is larger and may not be cut; EIDRM.
    Result<void> peek(uint32_t place, bool cut, Message& to);
    void remove();
    void set_limit(uint32_t bytes);
    Figures figures();

  private:
    Message* select(const Wanted& wanted) REQUIRES(lock_);

    SpinLock lock_{LockRank::ipc_object};
    List<Message, &Message::node> messages_ GUARDED_BY(lock_);
    uint32_t bytes_ GUARDED_BY(lock_) = 0, count_ GUARDED_BY(lock_) = 0;
    uint32_t limit_ GUARDED_BY(lock_) = ipc_limits.queue_bytes;
    SplitTime sent_ GUARDED_BY(lock_), received_ GUARDED_BY(lock_);
    SplitTime changed_ GUARDED_BY(lock_) = ipc_now();
    int sender_ GUARDED_BY(lock_) = 0, receiver_ GUARDED_BY(lock_) = 0;
    bool removed_ GUARDED_BY(lock_) = false;
    WaitQueue senders_, receivers_;
};

IpcTable& message_queues();
