// What can be set about a socket and asked of it. Options of networks that mean nothing here are
// remembered, so that programs which set them get on.
// Spec: getsockopt(2), socket(7), unix(7); Linux i386 numbers.
#include "kernel/syscall/system_call.hpp"
#include "kernel/linux/socket_arguments.hpp"

namespace {

constexpr uint32_t kLevelSocket = 1, kUnixFamily = 1;

enum SocketOption : uint32_t {
    option_debug = 1,
    option_reuse_address = 2,
    option_type = 3,
    option_error = 4,
    option_dont_route = 5,
    option_broadcast = 6,
    option_send_buffer = 7,
    option_receive_buffer = 8,
    option_keep_alive = 9,
    option_oob_inline = 10,
    option_linger = 13,
    option_pass_credentials = 16,
    option_peer_credentials = 17,
    option_receive_low = 18,
    option_send_low = 19,
    option_receive_timeout = 20,
    option_send_timeout = 21,
    option_accepts = 30,
    option_send_buffer_force = 32,
    option_receive_buffer_force = 33,
    option_protocol = 38,
    option_domain = 39,
    option_receive_timeout64 = 66,
    option_send_timeout64 = 67,
};
// A bit each in Socket::switches.
constexpr uint32_t kSwitches = 1u << option_debug | 1u << option_reuse_address |
                               1u << option_dont_route | 1u << option_broadcast |
                               1u << option_keep_alive | 1u << option_oob_inline;
constexpr bool is_switch(uint32_t option) { return option < 32 && (kSwitches >> option & 1); }

struct TimeVal64 {
    int64_t seconds, microseconds;
};

// For ever is told as 0, and 0 means it.
template <typename T>
Result<Nanoseconds> read_timeout(UserPtr<const void> from, uint32_t bytes) {
    if (bytes < sizeof(T)) return Errno::inval;
    const T time = TRY(read_user(from.cast<const T>()));
    if (time.microseconds < 0 || time.microseconds >= 1'000'000) return Errno::dom;
    if (time.seconds < 0) return Nanoseconds(1);  // not at all
    return nanoseconds_of(time.seconds, static_cast<int32_t>(time.microseconds) * 1000);
}

Result<void> give_option(UserPtr<void> to, UserPtr<uint32_t> bytes, const void* value,
                         uint32_t size) {
    const uint32_t room = TRY(read_user(bytes));
    if (static_cast<int32_t>(room) < 0) return Errno::inval;
    TRY(copy_to_user(to.address(), value, std::min(room, size)));
    return write_user(bytes, std::min(room, size));
}

Result<void> give_timeout(UserPtr<void> to, UserPtr<uint32_t> bytes, Nanoseconds time, bool wide) {
    const TimeVal32 narrow = to_time<TimeVal32>(time);
    const TimeVal64 full{narrow.seconds, narrow.microseconds};
    return wide ? give_option(to, bytes, &full, sizeof full)
                : give_option(to, bytes, &narrow, sizeof narrow);
}

// Programs set half of what they want to get: the kernel's own book-keeping needs the other half.
uint32_t doubled(uint32_t bytes) { return std::min(bytes, SocketInbox::kDefaultLimit) * 2; }

}  // namespace

Result<void> sys_setsockopt(int fd, uint32_t level, uint32_t option, UserPtr<const void> from,
                            uint32_t bytes) {
    OpenSocket socket = TRY(socket_of(fd));
    if (static_cast<int32_t>(bytes) < 0) return Errno::inval;
    if (level != kLevelSocket) return Errno::opnotsupp;
    switch (option) {
        case option_receive_timeout:
            socket->receive_timeout = TRY(read_timeout<TimeVal32>(from, bytes));
            return {};
        case option_send_timeout:
            socket->send_timeout = TRY(read_timeout<TimeVal32>(from, bytes));
            return {};
        case option_receive_timeout64:
            socket->receive_timeout = TRY(read_timeout<TimeVal64>(from, bytes));
            return {};
        case option_send_timeout64:
            socket->send_timeout = TRY(read_timeout<TimeVal64>(from, bytes));
            return {};
        default: break;
    }
    if (bytes < sizeof(uint32_t)) return Errno::inval;
    const uint32_t value = TRY(read_user(from.cast<const uint32_t>()));
    switch (option) {
        case option_send_buffer:
        case option_send_buffer_force: socket->set_send_limit(doubled(value)); return {};
        case option_receive_buffer:
        case option_receive_buffer_force:
            socket->receive_limit = std::max(doubled(value), 2304u);
            return {};
        case option_pass_credentials: socket->tell_sender = value != 0; return {};
        case option_linger: return bytes < 8 ? Errno::inval : Result<void>();
        default: break;
    }
    if (!is_switch(option)) return Errno::noprotoopt;
    if (value)
        socket->switches.set_bits(1u << option);
    else
        socket->switches.clear_bits(1u << option);
    return {};
}

Result<void> sys_getsockopt(int fd, uint32_t level, uint32_t option, UserPtr<void> to,
                            UserPtr<uint32_t> bytes) {
    OpenSocket socket = TRY(socket_of(fd));
    if (level != kLevelSocket) return Errno::opnotsupp;
    uint32_t value = 0;
    switch (option) {
        case option_peer_credentials: {
            const SenderId peer = socket->peer_id();
            return give_option(to, bytes, &peer, sizeof peer);
        }
        case option_linger: {
            const uint32_t none[2] = {};
            return give_option(to, bytes, none, sizeof none);
        }
        case option_receive_timeout:
        case option_receive_timeout64:
            return give_timeout(to, bytes, socket->receive_timeout,
                                option == option_receive_timeout64);
        case option_send_timeout:
        case option_send_timeout64:
            return give_timeout(to, bytes, socket->send_timeout, option == option_send_timeout64);
        case option_type: value = static_cast<uint32_t>(socket->type()); break;
        case option_error: value = static_cast<uint32_t>(socket->take_error()); break;
        case option_send_buffer: value = socket->send_limit(); break;
        case option_receive_buffer: value = socket->receive_limit; break;
        case option_pass_credentials: value = socket->tell_sender; break;
        case option_receive_low:
        case option_send_low: value = 1; break;
        case option_accepts: value = socket->state() == SocketState::listening; break;
        case option_protocol: value = 0; break;
        case option_domain: value = kUnixFamily; break;
        default:
            if (!is_switch(option)) return Errno::noprotoopt;
            value = socket->switches >> option & 1;
    }
    return give_option(to, bytes, &value, sizeof value);
}

constexpr SystemCall kSocketOptionsCalls[] = {
    CALL(365, getsockopt, sys_getsockopt),
    CALL(366, setsockopt, sys_setsockopt),
};
SYSTEM_CALLS(kSocketOptionsCalls);
