// Sockets: sending and receiving. See socket.hpp.
// Wake-ups: receivers sleep only while the inbox is empty, so the first message wakes them all;
// a watcher of edges hears of each one.
// Senders sleep while there is no room and are woken once three quarters are free, so that sender
// and receiver switch seldom; for a message that needs more than that, once the inbox is empty.
// Spec: send(2), recv(2), socket(7) for the time-outs.
#include "kernel/linux/socket.hpp"
#include "kernel/sched/clock.hpp"

namespace {

Nanoseconds deadline_in(Nanoseconds timeout) {
    return timeout == Nanoseconds(0) ? timeout : monotonic_now() + timeout.raw();
}

// A call with a time-out can't be repeated, for it would wait for all of it again.
Errno wait_error(Woken woken, Nanoseconds timeout) {
    if (woken == Woken::timed_out) return Errno::again;
    return timeout == Nanoseconds(0) ? Errno::restart : Errno::intr;
}

// A poll for room at a peer that may change meanwhile waits here, for any datagram socket's.
constinit WaitQueue datagram_space;

constexpr uint32_t kMessageOverhead = 32;  // Linux's, between SO_SNDBUF and the largest message

}  // namespace

Result<uint32_t> Socket::send(SendRequest& request) {
    if (is_datagram()) return send_datagram(request);
    Socket* to = connected_peer();
    if (request.to && is_stream()) return to ? Errno::isconn : Errno::opnotsupp;
    if (!to) return Errno::notconn;
    return is_stream() ? send_stream(*to, request) : send_message(*to, request);
}

Result<uint32_t> Socket::send_stream(Socket& peer, SendRequest& request) {
    uint32_t sent = 0;
    LockGuard guard(peer.inbox_lock_);
    SocketInbox& inbox = peer.inbox_;
    while (true) {
        if (peer.refuses(*this)) return sent ? Result(sent) : Errno::pipe;
        if (!request.bytes.remaining()) return sent;
        const uint32_t expected = std::min(request.bytes.remaining(), inbox.room());
        if (!expected) {
            if (!request.wait) return sent ? Result(sent) : Errno::again;
            Woken woken = peer.space_.wait(
                peer.inbox_lock_,
                [&]() NO_LOCK_ANALYSIS { return inbox.roomy() || peer.refuses(*this); },
                {.deadline = deadline_in(send_timeout), .reason = "socket_send"});
            if (woken != Woken::condition)
                return sent ? Result(sent) : wait_error(woken, send_timeout);
            continue;
        }
        const bool was_empty = inbox.empty();
        Result<uint32_t> done = inbox.append(request);
        if (done.is_error()) return sent ? Result(sent) : done.error();
        if (was_empty || peer.arrivals_.watched()) peer.arrivals_.wake_next();
        sent += done.value();
        if (done.value() < expected) return sent;
    }
}

Result<uint32_t> Socket::send_message(Socket& to, SendRequest& request) {
    const uint32_t bytes = request.bytes.remaining();
    if (bytes > send_limit() - kMessageOverhead) return Errno::msgsize;
    Ref<SocketName> from = name();
    LockGuard guard(to.inbox_lock_);
    auto settled = [&]() NO_LOCK_ANALYSIS { return to.refuses(*this) || to.inbox_.fits(bytes); };
    if (!settled()) {
        if (!request.wait) return Errno::again;
        ++to.waiting_;
        Woken woken =
            to.space_.wait(to.inbox_lock_, settled,
                           {.deadline = deadline_in(send_timeout), .reason = "socket_send"});
        --to.waiting_;
        if (woken != Woken::condition) return wait_error(woken, send_timeout);
    }
    if (is_datagram() && to.closed_) return Errno::connrefused;
    if (to.refuses(*this)) return Errno::pipe;
    const bool was_empty = to.inbox_.empty();
    const uint32_t sent = TRY(to.inbox_.add(request, from));
    if (was_empty || to.arrivals_.watched()) to.arrivals_.wake_next();
    return sent;
}

void Socket::deliver(std::span<const uint8_t> message) {
    KernelSource bytes(message);
    SendRequest request{.bytes = bytes};
    LockGuard guard(inbox_lock_);
    if (closed_ || !inbox_.fits(bytes.remaining())) return;
    if (inbox_.add(request, {}).is_ok()) arrivals_.wake_all();
}

void Socket::tell_room() {
    space_.wake_all();
    if (is_datagram()) datagram_space.wake_all();
}

Result<uint32_t> Socket::receive(ReceiveRequest& request) {
    if (!is_datagram() && !connected_peer()) return is_stream() ? Errno::inval : Errno::notconn;
    uint32_t got = 0;
    LockGuard guard(inbox_lock_);
    while (true) {
        while (!inbox_.empty()) {
            const bool was_roomy = inbox_.roomy();
            Result<uint32_t> done =
                is_stream() ? inbox_.take_bytes(request) : inbox_.take_message(request);
            if ((!was_roomy && inbox_.roomy()) || (waiting_ && inbox_.empty())) tell_room();
            if (!inbox_.empty()) arrivals_.wake_another();
            if (done.is_error()) return got ? Result(got) : done.error();
            got += done.value();
            if (!request.all || !is_stream() || request.peek || request.rights ||
                !request.bytes.remaining() || !inbox_.empty())
                return got;
        }
        if (error_ != Errno{}) return got ? Result(got) : std::exchange(error_, Errno{});
        if (is_shut(shut_read)) return got;
        if (!request.wait) return got ? Result(got) : Errno::again;
        Woken woken =
            arrivals_.wait(inbox_lock_,
                           [&]() NO_LOCK_ANALYSIS {
                               return !inbox_.empty() || error_ != Errno{} || is_shut(shut_read);
                           },
                           {.deadline = deadline_in(receive_timeout),
                            .reason = "socket_receive",
                            .one_is_enough = true});
        if (woken != Woken::condition)
            return got ? Result(got) : wait_error(woken, receive_timeout);
    }
}

uint32_t Socket::poll(PollTable* table) {
    if (table) table->watch(arrivals_);
    const bool listens = state() == SocketState::listening;
    uint32_t events = listens && backlog_count() ? kPollIn : 0;
    if (has_error()) events |= kPollError;
    if (has_input()) events |= kPollIn;
    if (is_shut(shut_read)) events |= kPollIn | kPollReadHangUp;
    if (is_shut(shut_read) && is_shut(shut_write)) events |= kPollHangUp;
    if (listens) return events;
    if (is_datagram()) {
        if (table) table->watch(datagram_space, kPollOut);
        Ref<Socket> to = peer();
        return events | (!to || to->has_room() ? kPollOut : 0);
    }
    Socket* to = connected_peer();
    if (!to) return events | kPollHangUp | kPollOut;
    if (table) table->watch(to->space_, kPollOut);
    return events | (to->has_room() ? kPollOut : 0);
}
