// SocketInbox: what has arrived at a socket and was not received yet: the bytes in a ring, beside
// them a record for each message. On a stream the bytes of writes that tell nothing else about
// themselves share one record.
// Invariant: the records' bytes add up to the ring's; a message is there whole or not at all.
// Locks: none; the socket's. Spec: unix(7), socket(7).
#pragma once

#include "fs/vfs.hpp"
#include "kernel/ipc/buffer_pages.hpp"
#include "kernel/ipc/pipe_ring.hpp"
#include "kernel/linux/socket_rights.hpp"
#include "mm/frames.hpp"

// Who sends, or made a connection: struct ucred of unix(7).
struct SenderId {
    int32_t pid = 0;
    uint32_t uid = 65534, gid = 65534;
    bool operator==(const SenderId&) const = default;
};

// The part of a struct sockaddr_un behind its family. Unnamed: no bytes; abstract: it begins with
// a zero; else a path, with its final zero.
struct SocketAddress {
    static constexpr uint32_t kMost = 108;
    uint32_t bytes = 0;
    char text[kMost + 1] = {};
    bool abstract() const { return bytes && !text[0]; }
    std::string_view view() const { return {text, bytes}; }
    std::string_view path() const { return {text, bytes ? bytes - 1 : 0}; }
};
struct SocketName final : RefCounted {
    explicit SocketName(const SocketAddress& a) : address(a) {}
    const SocketAddress address;
};

struct SendRequest {
    ByteSource& bytes;
    bool wait = true;
    SenderId sender = {};
    const SocketAddress* to = nullptr;  // of datagrams; null: the peer
    const FsContext* who = nullptr;     // whose view of names, if there is one
    Box<SocketRights> rights = {};
};
struct ReceiveRequest {
    ByteSink& bytes;
    bool wait = true, peek = false, all = false;
    bool tell_sender = false;  // so a stream's bytes of different senders are not mixed
    // What is told:
    uint32_t length = 0;     // of the whole message
    bool truncated = false;  // that was more than asked for
    SenderId sender = {};
    Ref<SocketName> from = {};
    Box<SocketRights> rights = {};
};

struct SocketRecord {
    ListNode node;
    uint32_t bytes = 0;
    SenderId sender;
    Ref<SocketName> from;
    Box<SocketRights> rights;
};
using SocketRecords = List<SocketRecord, &SocketRecord::node>;
// Deletes them, and closes the files in them. No lock is held.
void release_records(SocketRecords& dead);

class SocketInbox {
    using Ring = PipeRing<BufferPages, 64>;

  public:
    static constexpr uint32_t kDefaultLimit = 212992, kLeastLimit = 4608,
                              kMostLimit = Ring::kCapacity;

    SocketInbox() = default;
    SocketInbox(const SocketInbox&) = delete;
    SocketInbox& operator=(const SocketInbox&) = delete;
    ~SocketInbox() { VERIFY(empty()); }

    bool empty() const { return records_.empty(); }
    uint32_t bytes() const { return ring_.count(); }
    uint32_t first_bytes() const { return empty() ? 0 : records_.front()->bytes; }
    // Records count too, so that empty messages can't fill memory.
    uint32_t used() const { return ring_.count() + record_count_ * kRecordCost; }
    uint32_t room() const { return used() < limit_ ? limit_ - used() : 0; }
    // Writers that wait for room are woken then: not for each byte that is taken out.
    bool roomy() const { return used() <= limit_ / 4; }
    bool fits(uint32_t bytes) const { return empty() || room() >= bytes + kRecordCost; }
    uint32_t limit() const { return limit_; }
    void set_limit(uint32_t bytes) { limit_ = std::clamp(bytes, kLeastLimit, kMostLimit); }

    // Of a stream: what there is room for, some at least. EFAULT, ENOMEM.
    Result<uint32_t> append(SendRequest& from);
    // One whole message, which fits. EFAULT, ENOMEM.
    Result<uint32_t> add(SendRequest& from, const Ref<SocketName>& name);
    // Of a stream, not empty: what is there and asked for, up to where the sender changes or
    // rights came along. EFAULT.
    Result<uint32_t> take_bytes(ReceiveRequest& to);
    // The first message, not empty; what is not asked for of it is lost. EFAULT.
    Result<uint32_t> take_message(ReceiveRequest& to);
    // Empties it; the records are for release_records(), outside the lock.
    void take_all(SocketRecords& to);
    // For the collector: visit(rights) for all that are on their way.
    template <typename F>
    void for_each_rights(F&& visit) {
        for (SocketRecord& record : records_)
            if (record.rights) visit(*record.rights);
    }

  private:
    static constexpr uint32_t kRecordCost = 128;

    Result<SocketRecord*> fresh_record();
    void queue(SocketRecord& record, SendRequest& from);
    void drop_front();

    Ring ring_;
    SocketRecords records_;
    uint32_t record_count_ = 0, limit_ = kDefaultLimit;
    Box<SocketRecord> spare_;  // the one used last, so that a conversation never allocates
};
