// What the handlers of socket calls have in common: sockets, addresses and messages as programs
// pass them. Locks: none held. Spec: unix(7), send(2), recv(2), cmsg(3); Linux i386 layouts.
#pragma once

#include "kernel/linux/socket.hpp"
#include "kernel/syscall/system_call.hpp"

enum MessageFlag : uint32_t {
    message_oob = 1,
    message_peek = 2,
    message_control_truncated = 8,
    message_truncated = 0x20,
    message_dont_wait = 0x40,
    message_wait_all = 0x100,
    message_no_signal = 0x4000,
    message_wait_for_one = 0x10000,
    message_close_on_exec = 0x40000000,
};

// An open file that is a socket.
struct OpenSocket {
    Ref<File> file;
    Socket* operator->() const { return socket_behind(*file); }
    bool waits(uint32_t flags) const {
        return !file->non_blocking() && !(flags & message_dont_wait);
    }
};
Result<OpenSocket> socket_of(int fd);  // EBADF, ENOTSOCK

Result<SocketAddress> read_address(UserPtr<const void> from, uint32_t bytes);  // EINVAL, EFAULT
// As much as there is room for, and how much it is; no name: `unnamed` bytes.
Result<void> write_address(const Ref<SocketName>& name, UserPtr<void> to, UserPtr<uint32_t> bytes);

// Sends and sees to SIGPIPE.
Result<uint32_t> send_to(const OpenSocket& socket, SendRequest& request, uint32_t flags);
Result<uint32_t> receive_from(const OpenSocket& socket, ReceiveRequest& request, uint32_t flags);

struct MessageHeader {  // struct msghdr
    uint32_t name, name_bytes;
    uint32_t ranges, range_count;
    uint32_t control, control_bytes;
    uint32_t flags;
};
static_assert(sizeof(MessageHeader) == 28);
struct CountedMessage {  // struct mmsghdr
    MessageHeader header;
    uint32_t bytes;
};

// --- socket_messages.cpp, socket_options.cpp: socketcall(2) reaches them too
Result<uint32_t> sys_sendmsg(int fd, UserPtr<const MessageHeader> from, uint32_t flags);
Result<uint32_t> sys_recvmsg(int fd, UserPtr<MessageHeader> to, uint32_t flags);
Result<uint32_t> sys_sendmmsg(int fd, UserPtr<CountedMessage> from, uint32_t count, uint32_t flags);
template <typename T>
Result<uint32_t> sys_recvmmsg(int fd, UserPtr<CountedMessage> to, uint32_t count, uint32_t flags,
                              UserPtr<T> timeout);
Result<void> sys_setsockopt(int fd, uint32_t level, uint32_t option, UserPtr<const void> from,
                            uint32_t bytes);
Result<void> sys_getsockopt(int fd, uint32_t level, uint32_t option, UserPtr<void> to,
                            UserPtr<uint32_t> bytes);
