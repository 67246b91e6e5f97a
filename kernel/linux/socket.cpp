// Sockets: their life, their files, how they end. See socket.hpp.
#include "kernel/linux/socket.hpp"

#include "fs/timestamp.hpp"
#include "kernel/linux/socket_names.hpp"
#include "kernel/proc/process.hpp"

SenderId socket_caller() {
    const Process& self = current_process();
    return SenderId{self.pid, self.fs.credentials.uid, self.fs.credentials.gid};
}

namespace {

constexpr uint32_t kIoctlUnread = 0x541B, kIoctlUnsent = 0x5411;  // FIONREAD, TIOCOUTQ
constexpr uint32_t kSocketDevice = device_number(0, 8);

constinit Atomic<uint32_t> last_socket = 0;

}  // namespace

Socket::Socket(SocketType type, SenderId maker)
    : type_(type), number_(last_socket.add(1)), maker_(maker) {
    SocketNames::add(*this);
}

Socket::~Socket() { SocketNames::remove(*this); }

Result<Ref<Socket>> Socket::make(SocketType type, SenderId maker) {
    return make_ref<Socket>(type, maker);
}

// Nobody else knows them yet.
void Socket::connect_pair(Socket& a, Socket& b) NO_LOCK_ANALYSIS {
    a.peer_ = Ref<Socket>(b);
    b.peer_ = Ref<Socket>(a);
    a.peer_id_ = b.peer_id_ = a.maker_;
    a.set_state(SocketState::connected);
    b.set_state(SocketState::connected);
}

Ref<Socket> Socket::peer() {
    LockGuard guard(lock_);
    return peer_;
}

Ref<SocketName> Socket::name() {
    LockGuard guard(lock_);
    return name_;
}

Result<Ref<SocketName>> Socket::peer_name() {
    Ref<Socket> other = peer();
    if (!other) return Errno::notconn;
    return other->name();
}

SenderId Socket::peer_id() {
    LockGuard guard(lock_);
    return peer_id_;
}

Errno Socket::take_error() {
    LockGuard guard(inbox_lock_);
    return std::exchange(error_, Errno{});
}

void Socket::set_send_limit(uint32_t bytes) {
    bytes = std::clamp(bytes, SocketInbox::kLeastLimit, SocketInbox::kMostLimit);
    send_limit_.store_relaxed(bytes);
    Socket* to = is_datagram() ? nullptr : connected_peer();
    if (!to) return;
    LockGuard guard(to->inbox_lock_);
    to->inbox_.set_limit(bytes);
    to->space_.wake_all();
}

Result<uint32_t> Socket::unread() const NO_LOCK_ANALYSIS {
    if (state() == SocketState::listening) return Errno::inval;
    return is_datagram() ? inbox_.first_bytes() : inbox_.bytes();
}

uint32_t Socket::unsent() NO_LOCK_ANALYSIS {
    Ref<Socket> to = peer();
    return to ? to->inbox_.bytes() : 0;
}

// --- ends

Result<void> Socket::shut_down(SocketShut which) {
    Ref<Socket> other = is_datagram() ? peer() : Ref<Socket>(connected_peer());
    const bool both_ends = other && !is_datagram();
    if (which & shut_read) {
        LockGuard guard(inbox_lock_);
        set_shut(shut_read);
        if (both_ends) other->set_shut(shut_write);
        arrivals_.wake_all();
        space_.wake_all();
    }
    if ((which & shut_write) && !other) set_shut(shut_write);
    if ((which & shut_write) && other) {
        LockGuard guard(other->inbox_lock_);
        set_shut(shut_write);
        if (both_ends) other->set_shut(shut_read);
        other->arrivals_.wake_all();
        other->space_.wake_all();
    }
    // A poll of an end waits for what comes to it; it may have been cut off from sending.
    arrivals_.wake_all();
    if (both_ends) other->arrivals_.wake_all();
    return {};
}

// `reset`: it left without having received all.
void Socket::peer_closed(bool reset) {
    LockGuard guard(inbox_lock_);
    set_shut(shut_both);
    if (reset) error_ = Errno::connreset;
    arrivals_.wake_all();
}

void Socket::close(bool reset) {
    SocketNames::forget(*this);
    SocketRecords dead;
    Backlog refused;
    {
        LockGuard guard(inbox_lock_);
        closed_ = true;
        reset |= !inbox_.empty();
        inbox_.take_all(dead);
        refused.splice_back(backlog_);
        backlog_count_ = 0;
        tell_room();
    }
    Ref<Socket> other;
    {
        LockGuard guard(lock_);
        other = std::move(peer_);
        file_ = nullptr;
    }
    if (other && !is_datagram()) other->peer_closed(reset);
    release_records(dead);
    while (Socket* socket = refused.pop_front()) Ref<Socket>::adopt(socket)->close(true);
}

// --- the open file

class SocketFile final : public File {
  public:
    SocketFile(uint32_t flags, Ref<Socket> socket) : File(flags), socket_(std::move(socket)) {
        LockGuard guard(socket_->lock_);
        socket_->file_ = this;
    }
    ~SocketFile() override {
        socket_->close();
        collect_after_close();
    }

    static constexpr char kKind = 0;
    const void* kind() const override { return &kKind; }
    Socket* socket() { return socket_.get(); }
    Result<uint32_t> read_at(ByteSink& to, uint64_t) override {
        if (!to.remaining()) return 0u;
        ReceiveRequest request{.bytes = to, .wait = !non_blocking()};
        return socket_->receive(request);
    }
    Result<uint32_t> write_at(ByteSource& from, uint64_t) override {
        SendRequest request{.bytes = from, .wait = !non_blocking(), .sender = socket_caller()};
        return socket_->send(request);
    }
    uint32_t poll(PollTable* table) override { return socket_->poll(table); }
    bool pollable() const override { return true; }
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override {
        if (request != kIoctlUnread && request != kIoctlUnsent) return Errno::notty;
        const uint32_t bytes = request == kIoctlUnread ? TRY(socket_->unread()) : socket_->unsent();
        TRY(write_user(UserPtr<uint32_t>(argument), bytes));
        return 0;
    }
    Result<Attributes> attributes() override {
        Attributes a;
        a.mode = kTypeSocket | 0777;
        a.device = kSocketDevice;
        a.inode = InodeNo(socket_->number());
        a.accessed = a.modified = a.changed = made_;
        return a;
    }

  private:
    Ref<Socket> socket_;
    Timestamp made_ = timestamp_now();
};

Socket* socket_behind(File& file) {
    auto* socket = file_as<SocketFile>(file);
    return socket ? socket->socket() : nullptr;
}

Result<Ref<File>> open_socket(Ref<Socket> socket, uint32_t flags) {
    flags = (flags & kOpenNonBlock) | kOpenReadWrite;
    return Ref<File>(TRY(make_ref<SocketFile>(flags, std::move(socket))));
}
