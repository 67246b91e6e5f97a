// Local sockets (AF_UNIX): streams, datagrams, and connections that keep message boundaries.
// SocketFile is the open file; it keeps its Socket, which others may refer to as their peer or by
// its name, and closes it when the file dies. Each Socket has an inbox: sending puts bytes straight
// into the peer's, with one copy in and one out, as through a pipe.
// Invariant: the peer of a stream or seqpacket socket never changes once it is connected, and stays
// until the socket itself is closed; so who uses the file may follow it without a lock.
// Locks: `inbox_lock_` (a Mutex of rank inode, held while user memory is copied) guards the inbox,
// the backlog and what their sleepers wait for; never two of them at once. `lock_` guards the rest.
// Spec: unix(7), socket(7), socket(2) and the pages of the other calls.
#pragma once

#include "fs/vfs.hpp"
#include "kernel/linux/socket_inbox.hpp"

enum class SocketType : uint8_t { stream = 1, datagram = 2, messages = 5 };
enum SocketShut : uint8_t { shut_read = 1, shut_write = 2, shut_both = 3 };
enum class SocketState : uint8_t { unconnected, listening, connected };

class Socket final : public RefCounted {
  public:
    static constexpr uint32_t kMostBacklog = 4096;

    static Result<Ref<Socket>> make(SocketType type, SenderId maker);
    explicit Socket(SocketType type, SenderId maker);
    ~Socket() override;
    static void connect_pair(Socket& a, Socket& b);  // fresh ones, of the same maker

    Result<uint32_t> send(SendRequest& request);
    Result<uint32_t> receive(ReceiveRequest& request);
    void deliver(std::span<const uint8_t> message);  // from the kernel; lost if there is no room
    Result<void> shut_down(SocketShut which);        // ENOTCONN
    uint32_t poll(PollTable* table);
    Result<uint32_t> unread() const;  // FIONREAD: EINVAL
    uint32_t unsent();                // SIOCOUTQ
    // The file is gone, or (reset) the connection will not be accepted.
    void close(bool reset = false);

    // --- names and connections (socket_names.cpp, socket_connect.cpp)
    Result<void> bind(const FsContext& who, const SocketAddress& address);
    Result<void> bind_to_any();
    Result<void> listen(uint32_t backlog, SenderId who);
    Result<void> connect(const FsContext& who, const SocketAddress& address, SenderId id,
                         bool wait);
    Result<void> disconnect();  // datagrams: connect(2) to AF_UNSPEC
    Result<Ref<File>> accept(uint32_t flags, bool wait, Ref<SocketName>& from);
    Ref<SocketName> name();
    Result<Ref<SocketName>> peer_name();  // ENOTCONN; null: unnamed

    // --- options
    SocketType type() const { return type_; }
    bool is_stream() const { return type_ == SocketType::stream; }
    bool is_datagram() const { return type_ == SocketType::datagram; }
    uint32_t number() const { return number_; }
    SocketState state() const { return static_cast<SocketState>(state_.load()); }
    SenderId peer_id();  // SO_PEERCRED
    Errno take_error();  // SO_ERROR; Errno{} for none
    uint32_t send_limit() const { return send_limit_.relaxed(); }
    void set_send_limit(uint32_t bytes);
    Atomic<uint32_t> switches = 0;  // options that are remembered and do nothing, a bit each
    // Written and read whole, by one option call each.
    uint32_t receive_limit = SocketInbox::kDefaultLimit;  // told, but of no effect
    bool tell_sender = false;                             // SO_PASSCRED
    Nanoseconds send_timeout{0}, receive_timeout{0};      // 0: none

  private:
    friend class SocketFile;
    friend void collect_sockets();
    friend class SocketCollector;
    friend class SocketRights;
    friend class SocketNames;

    Result<uint32_t> send_stream(Socket& peer, SendRequest& request);
    Result<uint32_t> send_message(Socket& to, SendRequest& request);
    Result<uint32_t> send_datagram(SendRequest& request);
    Result<void> enqueue(Socket& client, Ref<Socket> end, SenderId id, bool wait);
    void set_first_limit(uint32_t bytes) NO_LOCK_ANALYSIS { inbox_.set_limit(bytes); }
    bool accepts_from(const Socket& sender);
    void show(TextSink& to);
    // Of a stream or seqpacket socket; null: it has none.
    Socket* connected_peer() const NO_LOCK_ANALYSIS {
        return state() == SocketState::connected ? peer_.get() : nullptr;
    }
    Ref<Socket> peer();
    void set_peer(const Ref<Socket>& peer);  // of a datagram socket; null: none
    // Whether what `from` sends will not be received. inbox_lock_ is held.
    bool refuses(const Socket& from) const REQUIRES(inbox_lock_) {
        return closed_ || is_shut(shut_read) || from.is_shut(shut_write);
    }
    // Unlocked looks, for poll: what changes them wakes the queue that poll() joined before.
    bool has_input() const NO_LOCK_ANALYSIS { return !inbox_.empty(); }
    bool has_room() const NO_LOCK_ANALYSIS { return inbox_.roomy() || closed_; }
    bool has_error() const NO_LOCK_ANALYSIS { return error_ != Errno{}; }
    uint32_t backlog_count() const NO_LOCK_ANALYSIS { return backlog_count_; }
    void tell_room() REQUIRES(inbox_lock_);
    void peer_closed(bool reset);
    bool is_shut(SocketShut which) const { return shut_.relaxed() & which; }
    void set_state(SocketState state) { state_.store(static_cast<uint8_t>(state)); }
    void set_shut(uint8_t which) { shut_.set_bits(which); }

    const SocketType type_;
    const uint32_t number_;
    ListNode backlog_node_, all_node_, name_node_;         // the latter two under SocketNames' lock
    using Backlog = List<Socket, &Socket::backlog_node_>;  // its references are the list's

    Mutex inbox_lock_{LockRank::inode};
    SocketInbox inbox_ GUARDED_BY(inbox_lock_);
    Backlog backlog_ GUARDED_BY(inbox_lock_);  // not yet accepted
    uint32_t backlog_count_ GUARDED_BY(inbox_lock_) = 0, backlog_limit_ GUARDED_BY(inbox_lock_) = 0;
    Errno error_ GUARDED_BY(inbox_lock_) = {};  // told once
    bool closed_ GUARDED_BY(inbox_lock_) = false;
    uint32_t waiting_ GUARDED_BY(inbox_lock_) = 0;  // for room for a message
    WaitQueue arrivals_;  // there is something to receive or accept, or there never will be
    WaitQueue space_;     // there is room in the inbox or the backlog, or nobody will look there
    // shut_read changes under the own inbox's lock, shut_write under the peer's. Atomic.
    Atomic<uint8_t> shut_ = 0;

    SpinLock lock_{LockRank::socket};
    Atomic<uint8_t> state_ = 0;  // a SocketState; written under lock_, with release
    Ref<Socket> peer_ GUARDED_BY(lock_);
    Ref<SocketName> name_ GUARDED_BY(lock_);
    Ref<Inode> inode_ GUARDED_BY(lock_);  // of a name that is a path
    SenderId maker_ GUARDED_BY(lock_), peer_id_ GUARDED_BY(lock_);
    uint32_t in_flight_ GUARDED_BY(lock_) = 0;  // references of files in messages
    File* file_ GUARDED_BY(lock_) = nullptr;    // while it is open
    Atomic<uint32_t> send_limit_ = SocketInbox::kDefaultLimit;

    // The collector's own.
    enum class Mark : uint8_t { unlisted, listed, suspect, reached } mark_ = Mark::unlisted;
    Socket* next_listed_ = nullptr;
    Socket* next_marked_ = nullptr;
};

// An open file on it, with O_NONBLOCK of `flags`. ENOMEM.
Result<Ref<File>> open_socket(Ref<Socket> socket, uint32_t flags);

// Who calls: set at start-up by the room that knows processes.
SenderId socket_caller();
Socket* socket_behind(File& file);  // null: it is no socket
