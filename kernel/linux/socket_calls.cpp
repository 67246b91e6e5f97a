// Sockets: making, naming and connecting them, sending and receiving plain bytes; socketcall, the
// old multiplexer of all these calls.
// Spec: socket(2), socketpair(2), bind(2), listen(2), accept(2), connect(2), getsockname(2),
// send(2), recv(2), shutdown(2), socketcall(2).
#include "kernel/syscall/system_call.hpp"
#include "kernel/linux/socket_arguments.hpp"

namespace {

constexpr uint32_t kFamilyUnix = 1, kFamilyNetlink = 16, kFamilyNone = 0, kFamilyBytes = 2;
constexpr uint32_t kTypeFlags = kOpenNonBlock | kOpenCloseOnExec;  // SOCK_NONBLOCK, SOCK_CLOEXEC

Result<SocketType> checked_type(uint32_t family, uint32_t type, uint32_t protocol) {
    if (type & ~(0xfu | kTypeFlags)) return Errno::inval;
    // The C library has mq_notify() write to one for SIGEV_THREAD. No protocol but that one's exists.
    if (family == kFamilyNetlink && protocol) return Errno::protonosupport;
    if (family == kFamilyNetlink)
        return (type & 0xf) == 2 || (type & 0xf) == 3 ? Result(SocketType::datagram)
                                                      : Errno::socktnosupport;
    if (family != kFamilyUnix) return Errno::afnosupport;
    if (protocol > 1) return Errno::protonosupport;
    switch (type & 0xf) {
        case 1: return SocketType::stream;
        case 2:
        case 3: return SocketType::datagram;  // SOCK_RAW, as on Linux
        case 5: return SocketType::messages;
        default: return Errno::socktnosupport;
    }
}

// As whom a connection is made: its SO_PEERCRED. Messages carry the real ids (socket_caller).
SenderId effective_caller() {
    const Credentials& who = context().credentials;
    return {current_process().pid, who.euid, who.egid};
}

Result<uint16_t> family_of(UserPtr<const void> address, uint32_t bytes) {
    if (bytes < kFamilyBytes || bytes > 128) return Errno::inval;
    return uint16_t(TRY(read_user(address.cast<const uint16_t>())));
}

}  // namespace

Result<OpenSocket> socket_of(int fd) {
    OpenSocket found{TRY(file_of(fd))};
    if (found.file->flags() & kOpenPath) return Errno::badf;
    if (!socket_behind(*found.file)) return Errno::notsock;
    return found;
}

Result<SocketAddress> read_address(UserPtr<const void> from, uint32_t bytes) {
    const uint16_t family = TRY(family_of(from, bytes));
    SocketAddress address;
    if (family != kFamilyUnix || bytes == kFamilyBytes) return Errno::inval;
    address.bytes = bytes - kFamilyBytes;
    if (address.bytes > SocketAddress::kMost) return Errno::inval;
    TRY(copy_from_user(address.text, from.address() + kFamilyBytes, address.bytes));
    if (!address.abstract())
        address.bytes = static_cast<uint32_t>(__builtin_strlen(address.text)) + 1;
    return address;
}

Result<void> write_address(const Ref<SocketName>& name, UserPtr<void> to, UserPtr<uint32_t> bytes) {
    struct {
        uint16_t family = kFamilyUnix;
        char text[SocketAddress::kMost + 1];
    } out;
    const uint32_t length = kFamilyBytes + (name ? name->address.bytes : 0);
    if (name) __builtin_memcpy(out.text, name->address.text, sizeof out.text);
    const uint32_t room = TRY(read_user(bytes));
    if (static_cast<int32_t>(room) < 0) return Errno::inval;
    TRY(copy_to_user(to.address(), &out, std::min(room, length)));
    return write_user(bytes, length);
}

Result<uint32_t> send_to(const OpenSocket& socket, SendRequest& request, uint32_t flags) {
    if (flags & message_oob) return Errno::opnotsupp;
    request.wait = socket.waits(flags);
    request.who = &context();
    Result<uint32_t> result = socket->send(request);
    if (result.is_error() && result.error() == Errno::pipe && socket->is_stream() &&
        !(flags & message_no_signal))
        raise_signal(kSigPipe);
    return result;
}

Result<uint32_t> receive_from(const OpenSocket& socket, ReceiveRequest& request, uint32_t flags) {
    if (flags & message_oob) return Errno::opnotsupp;
    request.wait = socket.waits(flags);
    request.peek = flags & message_peek;
    request.all = flags & message_wait_all;
    request.tell_sender = socket->tell_sender;
    Result<uint32_t> got = socket->receive(request);
    if (got.is_ok() && socket->is_stream()) request.from = TRY(socket->peer_name());
    return request.truncated && (flags & message_truncated) ? Result(request.length)
                                                            : std::move(got);
}

// --- making them

Result<int> sys_socket(uint32_t family, uint32_t type, uint32_t protocol) {
    const SocketType kind = TRY(checked_type(family, type, protocol));
    Ref<Socket> socket = TRY(Socket::make(kind, effective_caller()));
    return install(TRY(open_socket(std::move(socket), type)), type & kOpenCloseOnExec);
}

Result<void> sys_socketpair(uint32_t family, uint32_t type, uint32_t protocol,
                            UserPtr<PipeDescriptors> to) {
    if (family == kFamilyNetlink) return Errno::opnotsupp;
    const SocketType kind = TRY(checked_type(family, type, protocol));
    Ref<Socket> sockets[2];
    Ref<File> files[2];
    for (uint32_t i = 0; i < 2; ++i) {
        sockets[i] = TRY(Socket::make(kind, effective_caller()));
        files[i] = TRY(open_socket(sockets[i], type));
    }
    Socket::connect_pair(*sockets[0], *sockets[1]);
    return install_pair(std::move(files[0]), std::move(files[1]), type & kOpenCloseOnExec, to);
}

// --- names and connections

Result<void> sys_bind(int fd, UserPtr<const void> address, uint32_t bytes) {
    OpenSocket socket = TRY(socket_of(fd));
    if (bytes == kFamilyBytes && TRY(family_of(address, bytes)) == kFamilyUnix)
        return socket->bind_to_any();
    return socket->bind(context(), TRY(read_address(address, bytes)));
}

Result<void> sys_connect(int fd, UserPtr<const void> address, uint32_t bytes) {
    OpenSocket socket = TRY(socket_of(fd));
    if (TRY(family_of(address, bytes)) == kFamilyNone) return socket->disconnect();
    return socket->connect(context(), TRY(read_address(address, bytes)), effective_caller(),
                           socket.waits(0));
}

Result<void> sys_listen(int fd, uint32_t backlog) {
    return TRY(socket_of(fd))->listen(backlog, effective_caller());
}

Result<int> sys_accept4(int fd, UserPtr<void> address, UserPtr<uint32_t> bytes, uint32_t flags) {
    if (flags & ~kTypeFlags) return Errno::inval;
    OpenSocket socket = TRY(socket_of(fd));
    return install_opened(flags & kOpenCloseOnExec, [&]() -> Result<Ref<File>> {
        Ref<SocketName> from;
        Ref<File> file = TRY(socket->accept(flags, socket.waits(0), from));
        if (address) TRY(write_address(from, address, bytes));
        return file;
    });
}

Result<void> sys_getsockname(int fd, UserPtr<void> address, UserPtr<uint32_t> bytes) {
    return write_address(TRY(socket_of(fd))->name(), address, bytes);
}
Result<void> sys_getpeername(int fd, UserPtr<void> address, UserPtr<uint32_t> bytes) {
    OpenSocket socket = TRY(socket_of(fd));
    return write_address(TRY(socket->peer_name()), address, bytes);
}

Result<void> sys_shutdown(int fd, uint32_t how) {
    OpenSocket socket = TRY(socket_of(fd));
    if (how > 2) return Errno::inval;
    return socket->shut_down(static_cast<SocketShut>(how + 1));
}

// --- bytes

Result<uint32_t> sys_sendto(int fd, UserPtr<void> from, uint32_t count, uint32_t flags,
                            UserPtr<const void> address, uint32_t bytes) {
    UserSource source(TRY(user_range(from, count)));
    OpenSocket socket = TRY(socket_of(fd));
    SendRequest request{.bytes = source, .sender = socket_caller()};
    SocketAddress to;
    if (address) {
        to = TRY(read_address(address, bytes));
        request.to = &to;
    }
    return send_to(socket, request, flags);
}

Result<uint32_t> sys_recvfrom(int fd, UserPtr<void> to, uint32_t count, uint32_t flags,
                              UserPtr<void> address, UserPtr<uint32_t> bytes) {
    UserSink sink(TRY(user_range(to, count)));
    OpenSocket socket = TRY(socket_of(fd));
    ReceiveRequest request{.bytes = sink};
    const uint32_t got = TRY(receive_from(socket, request, flags));
    if (address && request.from)
        TRY(write_address(request.from, address, bytes));
    else if (address)
        TRY(write_user(bytes, 0u));
    return got;
}

// --- socketcall

namespace {

enum SocketCall : uint32_t {
    call_socket = 1,
    call_bind,
    call_connect,
    call_listen,
    call_accept,
    call_getsockname,
    call_getpeername,
    call_socketpair,
    call_send,
    call_recv,
    call_sendto,
    call_recvfrom,
    call_shutdown,
    call_setsockopt,
    call_getsockopt,
    call_sendmsg,
    call_recvmsg,
    call_accept4,
    call_recvmmsg,
    call_sendmmsg,
};
constexpr uint8_t kArgumentCounts[] = {0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4,
                                       6, 6, 2, 5, 5, 3, 3, 4, 5, 4};

Result<int> number(Result<void> done) { return done.is_ok() ? Result(0) : done.error(); }
Result<int> number(Result<uint32_t> done) { return static_cast<int>(TRY(std::move(done))); }

}  // namespace

Result<int> sys_socketcall(uint32_t call, UserPtr<const uint32_t> from) {
    if (call < call_socket || call > call_sendmmsg) return Errno::inval;
    uint32_t a[6] = {};
    TRY(copy_from_user(a, from.address(), kArgumentCounts[call] * sizeof a[0]));
    const int fd = static_cast<int>(a[0]);
    const UserPtr<void> second(a[1]);
    const UserPtr<uint32_t> third(a[2]);
    switch (call) {
        case call_socket: return sys_socket(a[0], a[1], a[2]);
        case call_bind: return number(sys_bind(fd, UserPtr<const void>(a[1]), a[2]));
        case call_connect: return number(sys_connect(fd, UserPtr<const void>(a[1]), a[2]));
        case call_listen: return number(sys_listen(fd, a[1]));
        case call_accept: return sys_accept4(fd, second, third, 0);
        case call_getsockname: return number(sys_getsockname(fd, second, third));
        case call_getpeername: return number(sys_getpeername(fd, second, third));
        case call_socketpair:
            return number(sys_socketpair(a[0], a[1], a[2], UserPtr<PipeDescriptors>(a[3])));
        case call_send: return number(sys_sendto(fd, second, a[2], a[3], {}, 0));
        case call_recv: return number(sys_recvfrom(fd, second, a[2], a[3], {}, {}));
        case call_sendto:
            return number(sys_sendto(fd, second, a[2], a[3], UserPtr<const void>(a[4]), a[5]));
        case call_recvfrom:
            return number(
                sys_recvfrom(fd, second, a[2], a[3], UserPtr<void>(a[4]), UserPtr<uint32_t>(a[5])));
        case call_shutdown: return number(sys_shutdown(fd, a[1]));
        case call_setsockopt:
            return number(sys_setsockopt(fd, a[1], a[2], UserPtr<const void>(a[3]), a[4]));
        case call_getsockopt:
            return number(
                sys_getsockopt(fd, a[1], a[2], UserPtr<void>(a[3]), UserPtr<uint32_t>(a[4])));
        case call_sendmsg: return number(sys_sendmsg(fd, UserPtr<const MessageHeader>(a[1]), a[2]));
        case call_recvmsg: return number(sys_recvmsg(fd, UserPtr<MessageHeader>(a[1]), a[2]));
        case call_accept4: return sys_accept4(fd, second, third, a[3]);
        case call_recvmmsg:
            return number(sys_recvmmsg<TimeSpec32>(fd, UserPtr<CountedMessage>(a[1]), a[2], a[3],
                                                   UserPtr<TimeSpec32>(a[4])));
        default: return number(sys_sendmmsg(fd, UserPtr<CountedMessage>(a[1]), a[2], a[3]));
    }
}

constexpr SystemCall kSocketCalls[] = {
    CALL(102, socketcall, sys_socketcall),   CALL(359, socket, sys_socket),
    CALL(360, socketpair, sys_socketpair),   CALL(361, bind, sys_bind),
    CALL(362, connect, sys_connect),         CALL(363, listen, sys_listen),
    CALL(364, accept4, sys_accept4),         CALL(367, getsockname, sys_getsockname),
    CALL(368, getpeername, sys_getpeername), CALL(369, sendto, sys_sendto),
    CALL(371, recvfrom, sys_recvfrom),       CALL(373, shutdown, sys_shutdown),
};
SYSTEM_CALLS(kSocketCalls);
