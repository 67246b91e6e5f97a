// POSIX message queues: messages with priorities behind a name. A queue lives while it has its name
// or it is open; PosixQueueFile is such an opening, a descriptor like any other.
// Invariant: bytes of all queues of one user, by the sizes they were made for, stay within the
// RLIMIT_MSGQUEUE of the maker of the last.
// Locks: the table's Mutex (posix_queues.cpp, rank ipc_table) guards names, permissions and limits;
// each queue's SpinLock (rank ipc_object) its messages and its registration. User memory is copied
// before and after that.
// Spec: mq_overview(7), mq_open(3), mq_send(3), mq_receive(3), mq_notify(3), mq_getattr(3).
#pragma once

#include "fs/inode.hpp"
#include "fs/timestamp.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/ordered_tree.hpp"

constexpr uint32_t kPosixPriorities = 32768;

struct PosixMessage {  // its bytes follow it
    TreeNode node;
    uint64_t order = 0;  // priority, highest first, then age
    uint32_t priority = 0, bytes = 0;
    uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
    uint64_t key() const { return order; }
    static PosixMessage* allocate(uint32_t bytes);  // null: no memory
    static void release(PosixMessage* message) { ::operator delete(message); }
};

// The process that is told once of a message in an empty queue (mq_notify).
struct QueueNotice {
    enum class Way : uint8_t { nobody, silent, signal, socket };
    Way way = Way::nobody;
    const void* table = nullptr;  // of descriptors, whose process it is
    int pid = 0;
    int signal = 0;
    uint32_t value = 0;
    Ref<File> socket;  // gets the cookie
    uint8_t cookie[32] = {};
};

class PosixQueue final : public RefCounted {
  public:
    struct Limits {
        uint32_t messages, bytes;  // at once, and in one
    };
    PosixQueue(std::string_view name, const Limits& limits) : limits_(limits) {
        name_bytes_ = static_cast<uint8_t>(name.copy(name_, sizeof name_));
    }
    ~PosixQueue() override;

    struct Wait {
        bool may = true;
        Nanoseconds deadline{0};
    };
    // The queue takes the message over. EAGAIN, ETIMEDOUT, Errno::restart. `notice`: whom to tell.
    Result<void> send(PosixMessage*& message, const Wait& wait, QueueNotice& notice);
    Result<PosixMessage*> receive(const Wait& wait);

    Result<void> register_notice(QueueNotice notice);  // EBUSY
    // Ends the registration of that table's process, if it is the one; the old one to tell it.
    QueueNotice end_notice(const void* table);

    const Limits& limits() const { return limits_; }
    std::string_view name() const { return {name_, name_bytes_}; }
    uint32_t count();
    uint32_t poll(PollTable* table);
    void show(TextSink& to);
    uint64_t charged_bytes() const;  // for RLIMIT_MSGQUEUE

    // --- the table's (its lock)
    uint32_t mode = 0, uid = 0, gid = 0;
    TreeNode name_node;  // while it has its name
    ListNode all_node;
    Timestamp made = timestamp_now();
    const uint32_t number = last_number.add(1);

  private:
    static Atomic<uint32_t> last_number;
    bool has_room() const REQUIRES(lock_) { return count_ < limits_.messages; }

    const Limits limits_;
    char name_[255];
    uint8_t name_bytes_;
    SpinLock lock_{LockRank::ipc_object};
    OrderedTree<PosixMessage, &PosixMessage::node, &PosixMessage::key> messages_ GUARDED_BY(lock_);
    uint64_t sequence_ GUARDED_BY(lock_) = 0, bytes_ GUARDED_BY(lock_) = 0;
    uint32_t count_ GUARDED_BY(lock_) = 0;
    uint32_t receiving_ GUARDED_BY(lock_) = 0;  // that sleep, or were woken and have yet to take
    QueueNotice notice_ GUARDED_BY(lock_);
    WaitQueue receivers_, senders_, pollers_;
};

class PosixQueueFile final : public File {
  public:
    static constexpr char kKind = 0;
    PosixQueueFile(uint32_t flags, Ref<PosixQueue> queue);
    const void* kind() const override { return &kKind; }
    PosixQueue& queue() { return *queue_; }
    bool seekable() const override { return true; }
    Result<uint32_t> read_at(ByteSink& to, uint64_t offset) override;  // what it is like, as text
    uint32_t poll(PollTable* table) override { return queue_->poll(table); }
    bool pollable() const override { return true; }
    std::string_view link_text() const override { return {link_, link_bytes_}; }
    Result<Attributes> attributes() override;
    void descriptor_closed(const void* table);

  private:
    Ref<PosixQueue> queue_;
    char link_[256];
    uint32_t link_bytes_;
};

// Tells the registered one, by its socket; a signal is the caller's to send. `removed`: that it is
// registered no more.
void tell_by_socket(QueueNotice& notice, bool removed);

// --- the table (posix_queues.cpp)
struct PosixQueueRequest {
    std::string_view name;
    uint32_t flags = 0, mode = 0;                // as of open(2)
    const PosixQueue::Limits* limits = nullptr;  // null: the defaults
    uint64_t user_limit = UINT64_MAX;            // RLIMIT_MSGQUEUE
};
// ENOENT, EEXIST, EACCES, EINVAL, ENOSPC, EMFILE, ENAMETOOLONG, ENOMEM.
Result<Ref<File>> open_posix_queue(const Credentials& who, const PosixQueueRequest& request);
Result<void> unlink_posix_queue(const Credentials& who, std::string_view name);

// --- for the file system that shows them, which checks permissions itself
Ref<PosixQueue> find_posix_queue(std::string_view name);  // null: none
// The first one that has a name and this number or a greater one; null: none.
Ref<PosixQueue> next_posix_queue(uint32_t number);
Result<Ref<PosixQueue>> make_posix_queue(const Credentials& who, const PosixQueueRequest& request);
Result<void> remove_posix_queue(std::string_view name);  // ENOENT
void change_posix_queue(PosixQueue& queue, const SetAttributes& changes);
Attributes attributes_of(const PosixQueue& queue);
