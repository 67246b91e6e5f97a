// Sockets: names, and who is connected to whom. See socket.hpp.
// Spec: unix(7), bind(2), listen(2), connect(2), accept(2); what they leave open is as on Linux.
#include "kernel/linux/socket_names.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/sched/clock.hpp"

namespace {

// The socket there. ECONNREFUSED: none; else as a look-up of the path.
Result<Ref<Socket>> find_socket(const FsContext& who, const SocketAddress& address,
                                SocketType type) {
    Ref<Socket> found;
    if (address.abstract()) {
        found = SocketNames::find(address.view(), type);
    } else {
        const Path place = TRY(resolve(who, working_directory(who), address.path(), Follow::yes));
        Inode& inode = inode_of(place);
        TRY(check_permission(inode.ownership(), who.credentials, kMayWrite));
        if ((inode.ownership().mode & kTypeMask) == kTypeSocket) found = SocketNames::find(inode);
    }
    if (!found) return Errno::connrefused;
    if (found->type() != type) return Errno::prototype;
    return found;
}

}  // namespace

Result<void> Socket::bind(const FsContext& who, const SocketAddress& address) {
    if (name()) {
        const bool taken = !address.abstract() &&
                           resolve(who, working_directory(who), address.path(), Follow::no).is_ok();
        return taken ? Errno::addrinuse : Errno::inval;
    }
    Ref<SocketName> named = TRY(make_ref<SocketName>(address));
    if (address.abstract()) return SocketNames::give(*this, std::move(named), nullptr);
    const Path start = working_directory(who);
    Result<void> made = vfs_mknod(who, start, address.path(), kTypeSocket | 0777, 0);
    if (made.is_error()) return made.error() == Errno::exist ? Errno::addrinuse : made.error();
    const Path place = TRY(resolve(who, start, address.path(), Follow::no));
    return SocketNames::give(*this, std::move(named), &inode_of(place));
}

Result<void> Socket::bind_to_any() {
    static constinit Atomic<uint32_t> last = 0;
    constexpr uint32_t kNames = 1u << 20;
    if (name()) return {};
    for (uint32_t tries = 0; tries < kNames; ++tries) {
        const uint32_t number = last.add(1) % kNames;
        SocketAddress address{.bytes = 6};
        BufferSink text({address.text + 1, 5});
        format_to(text, "{:05x}", number);
        Result<void> given = SocketNames::give(*this, TRY(make_ref<SocketName>(address)), nullptr);
        if (given.is_ok() || given.error() != Errno::addrinuse) return given;
    }
    return Errno::nospc;
}

Result<void> Socket::listen(uint32_t backlog, SenderId who) {
    if (is_datagram()) return Errno::opnotsupp;
    LockGuard guard(inbox_lock_);
    {
        LockGuard inner(lock_);
        if (!name_ || state() == SocketState::connected) return Errno::inval;
        maker_ = who;
        set_state(SocketState::listening);
    }
    const bool more = backlog > backlog_limit_;
    backlog_limit_ = std::min(backlog, kMostBacklog);
    if (more) space_.wake_all();
    return {};
}

Result<void> Socket::connect(const FsContext& who, const SocketAddress& address, SenderId id,
                             bool wait) {
    if (tell_sender) TRY(bind_to_any());
    if (is_datagram()) {
        Ref<Socket> to = TRY(find_socket(who, address, type_));
        if (!to->accepts_from(*this)) return Errno::perm;
        set_peer(to);
        return {};
    }
    Ref<Socket> to = TRY(find_socket(who, address, type_));
    if (state() == SocketState::connected) return Errno::isconn;
    if (state() == SocketState::listening) return Errno::inval;
    Ref<Socket> end = TRY(make(type_, id));
    end->set_first_limit(send_limit());
    TRY(to->enqueue(*this, std::move(end), id, wait));
    arrivals_.wake_all();  // for who watches: there is a peer to look at now
    return {};
}

// In the listener: `client` gets `end` for its peer, which accept() will find.
Result<void> Socket::enqueue(Socket& client, Ref<Socket> end, SenderId id, bool wait) {
    LockGuard guard(inbox_lock_);
    auto settled = [&]() NO_LOCK_ANALYSIS {
        return closed_ || state() != SocketState::listening || is_shut(shut_read) ||
               backlog_count_ <= backlog_limit_;
    };
    if (!settled()) {
        if (!wait) return Errno::again;
        const Nanoseconds timeout = client.send_timeout;
        const Nanoseconds until =
            timeout == Nanoseconds(0) ? timeout : monotonic_now() + timeout.raw();
        Woken woken =
            space_.wait(inbox_lock_, settled, {.deadline = until, .reason = "socket_connect"});
        if (woken == Woken::timed_out) return Errno::again;
        if (woken == Woken::interrupted)
            return timeout == Nanoseconds(0) ? Errno::restart : Errno::intr;
    }
    if (closed_ || state() != SocketState::listening || is_shut(shut_read))
        return Errno::connrefused;
    SenderId listener;
    Ref<SocketName> named;
    {
        LockGuard inner(lock_);
        listener = maker_;
        named = name_;
    }
    end->tell_sender = tell_sender;
    {
        LockGuard inner(end->lock_);
        end->name_ = std::move(named);
        end->peer_ = Ref<Socket>(client);
        end->peer_id_ = id;
        end->set_state(SocketState::connected);
    }
    {
        LockGuard inner(client.lock_);
        if (client.state() == SocketState::unconnected) {
            client.peer_ = end;
            client.peer_id_ = listener;
            client.set_state(SocketState::connected);
        }
    }
    if (client.connected_peer() != end.get()) {  // another thread was faster
        LockGuard inner(end->lock_);
        Ref<Socket> none = std::move(end->peer_);
        return Errno::isconn;
    }
    if (backlog_.empty() || arrivals_.watched()) arrivals_.wake_next();
    backlog_.push_back(*end.leak());
    ++backlog_count_;
    return {};
}

Result<Ref<File>> Socket::accept(uint32_t flags, bool wait, Ref<SocketName>& from) {
    if (is_datagram()) return Errno::opnotsupp;
    Ref<Socket> end;
    Ref<File> file;
    {
        LockGuard guard(inbox_lock_);
        if (state() != SocketState::listening) return Errno::inval;
        auto settled = [&]() NO_LOCK_ANALYSIS { return backlog_count_ || is_shut(shut_read); };
        if (!settled()) {
            if (!wait) return Errno::again;
            const Nanoseconds until = receive_timeout == Nanoseconds(0)
                                          ? receive_timeout
                                          : monotonic_now() + receive_timeout.raw();
            Woken woken = arrivals_.wait(
                inbox_lock_, settled,
                {.deadline = until, .reason = "socket_accept", .one_is_enough = true});
            if (woken == Woken::timed_out) return Errno::again;
            if (woken == Woken::interrupted)
                return until == Nanoseconds(0) ? Errno::restart : Errno::intr;
        }
        if (!backlog_count_) return Errno::inval;
        Result<Ref<File>> opened = open_socket(Ref<Socket>(*backlog_.front()), flags);
        if (opened.is_error() || backlog_count_ > 1) arrivals_.wake_another();
        file = TRY(std::move(opened));
        end = Ref<Socket>::adopt(backlog_.pop_front());
        if (backlog_count_-- > backlog_limit_) space_.wake_all();
        note_reception();
    }
    from = TRY(end->peer_name());
    return file;
}

// --- datagrams

bool Socket::accepts_from(const Socket& sender) {
    LockGuard guard(lock_);
    return !peer_ || peer_.get() == &sender;
}

// What the old peer sent is lost; it learns that if it is still connected to us.
void Socket::set_peer(const Ref<Socket>& peer) {
    Ref<Socket> old = peer;
    {
        LockGuard guard(lock_);
        set_state(peer ? SocketState::connected : SocketState::unconnected);
        std::swap(peer_, old);
    }
    if (!old || old == peer) return;
    SocketRecords dead;
    {
        LockGuard guard(inbox_lock_);
        inbox_.take_all(dead);
        tell_room();
    }
    if (dead.empty()) return;
    release_records(dead);
    Ref<Socket> back = old->peer();
    if (back.get() != this) return;
    LockGuard guard(old->inbox_lock_);
    if (!old->closed_) old->error_ = Errno::connreset;
    old->arrivals_.wake_all();
}

Result<void> Socket::disconnect() {
    if (!is_datagram()) return Errno::inval;
    set_peer(nullptr);
    return {};
}

Result<uint32_t> Socket::send_datagram(SendRequest& request) {
    if (tell_sender) TRY(bind_to_any());
    if (is_shut(shut_write)) return Errno::pipe;
    Ref<Socket> connected = peer();
    Ref<Socket> to = connected;
    if (request.to) to = TRY(find_socket(*request.who, *request.to, type_));
    if (!to) return Errno::notconn;
    if (!to->accepts_from(*this)) return Errno::perm;
    Result<uint32_t> sent = send_message(*to, request);
    if (sent.is_error() && sent.error() == Errno::connrefused && to == connected) set_peer(nullptr);
    return sent;
}
