// sendmsg, recvmsg and their kin for several messages: bytes from several ranges, and what goes
// beside them: open files and who sent it.
// Spec: send(2), recv(2), sendmmsg(2), recvmmsg(2), cmsg(3), unix(7).
#include "kernel/sched/clock.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/linux/socket_arguments.hpp"

namespace {

constexpr uint32_t kSocketLevel = 1, kRights = 1, kCredentials = 2;
constexpr uint32_t kMostAtOnce = 1024;

struct ControlHeader {  // struct cmsghdr
    uint32_t bytes;     // its own too
    uint32_t level, type;
};

// --- what goes beside the bytes of a message that is sent

Result<void> add_files(SendRequest& request, std::span<const uint8_t> data) {
    if (!request.rights) request.rights = TRY(make_box<SocketRights>());
    for (uint32_t at = 0; at + sizeof(int) <= data.size(); at += sizeof(int)) {
        int fd;
        __builtin_memcpy(&fd, &data[at], sizeof fd);
        Ref<File> file = TRY(file_of(fd));
        if (file->flags() & kOpenPath) return Errno::badf;
        TRY(request.rights->add(std::move(file)));
    }
    return {};
}

// One may only claim to be who one is; the superuser may claim anything.
Result<void> set_sender(SendRequest& request, std::span<const uint8_t> data) {
    if (data.size() != sizeof(SenderId)) return Errno::inval;
    SenderId claimed;
    __builtin_memcpy(&claimed, data.data(), sizeof claimed);
    const Credentials& who = context().credentials;
    const bool is_self = claimed.pid == current_process().pid;
    const bool is_user =
        claimed.uid == who.uid || claimed.uid == who.euid || claimed.uid == who.suid;
    const bool is_group =
        claimed.gid == who.gid || claimed.gid == who.egid || claimed.gid == who.sgid;
    if ((!is_self && !who.may(Capability::sys_admin)) ||
        (!is_user && !who.may(Capability::setuid)) || (!is_group && !who.may(Capability::setgid)))
        return Errno::perm;
    if (!is_self && !find_process(claimed.pid)) return Errno::srch;
    request.sender = claimed;
    return {};
}

Result<void> read_control(const MessageHeader& header, SendRequest& request) {
    if (!header.control_bytes) return {};
    if (header.control_bytes > kPageSize) return Errno::nobufs;
    SmallArray<uint8_t, 128> text;
    TRY(text.resize(header.control_bytes));
    TRY(copy_from_user(text.data(), VirtAddr(header.control), text.size()));
    for (uint32_t at = 0; text.size() - at >= sizeof(ControlHeader);) {
        ControlHeader control;
        __builtin_memcpy(&control, &text[at], sizeof control);
        if (control.bytes < sizeof control || control.bytes > text.size() - at) return Errno::inval;
        const std::span<const uint8_t> data(&text[at] + sizeof control,
                                            control.bytes - sizeof control);
        if (control.level == kSocketLevel) {
            if (control.type != kRights && control.type != kCredentials) return Errno::inval;
            TRY(control.type == kRights ? add_files(request, data) : set_sender(request, data));
        }
        at = std::min(at + align_up(control.bytes, 4u), text.size());
    }
    if (request.rights && request.rights->files().empty()) request.rights = nullptr;
    return {};
}

// --- and of one that is received

class ControlWriter {
  public:
    ControlWriter(uint32_t at, uint32_t room) : at_(at), room_(room) {}
    bool truncated() const { return truncated_; }
    uint32_t used() const { return used_; }
    uint32_t room_for_data() const {
        const uint32_t left = room_ - used_;
        return left < sizeof(ControlHeader) ? 0 : left - sizeof(ControlHeader);
    }
    void set_truncated() { truncated_ = true; }

    Result<void> put(uint32_t type, const void* data, uint32_t bytes) {
        const uint32_t left = room_ - used_;
        if (left < sizeof(ControlHeader)) return set_truncated(), Result<void>();
        if (room_for_data() < bytes) bytes = room_for_data(), truncated_ = true;
        const ControlHeader header{sizeof header + bytes, kSocketLevel, type};
        TRY(copy_to_user(VirtAddr(at_ + used_), &header, sizeof header));
        TRY(copy_to_user(VirtAddr(at_ + used_ + sizeof header), data, bytes));
        used_ += std::min(align_up(header.bytes, 4u), left);
        return {};
    }

  private:
    uint32_t at_, room_, used_ = 0;
    bool truncated_ = false;
};

// As many as there is room for get descriptors; the others are closed.
Result<void> install_files(ControlWriter& control, SocketRights& rights, bool close_on_exec) {
    Vector<Ref<File>>& files = rights.files();
    const uint32_t most = std::min(control.room_for_data() / uint32_t(sizeof(int)), files.size());
    SmallArray<int, 16> numbers;
    TRY(numbers.resize(most));
    uint32_t count = 0;
    for (; count < most; ++count) {
        Result<int> fd = install(std::move(files[count]), close_on_exec);
        if (fd.is_error()) break;
        numbers[count] = fd.value();
    }
    if (count < files.size()) control.set_truncated();
    return count ? control.put(kRights, numbers.data(), count * sizeof(int)) : Result<void>();
}

// --- one message

Result<uint32_t> send_one(const OpenSocket& socket, const MessageHeader& header, uint32_t flags) {
    RangeList ranges;
    if (header.range_count > 1024) return Errno::msgsize;
    TRY(ranges.load(UserPtr<const UserRange>(header.ranges), header.range_count));
    UserVectorSource source(ranges.span());
    SendRequest request{.bytes = source, .sender = socket_caller()};
    SocketAddress to;
    if (header.name && header.name_bytes) {
        to = TRY(read_address(UserPtr<const void>(header.name), header.name_bytes));
        request.to = &to;
    }
    TRY(read_control(header, request));
    if (request.rights) {
        const bool superuser = context().credentials.may(Capability::sys_resource);
        TRY(request.rights->charge(current_process().account,
                                   superuser ? UINT32_MAX : current_process().fd_limit()));
        collect_before_send();
    }
    return send_to(socket, request, flags);
}

// What changes in `header` is for the program to see.
Result<uint32_t> receive_one(const OpenSocket& socket, MessageHeader& header, uint32_t flags,
                             UserPtr<uint32_t> name_bytes) {
    RangeList ranges;
    if (header.range_count > 1024) return Errno::msgsize;
    TRY(ranges.load(UserPtr<const UserRange>(header.ranges), header.range_count));
    UserVectorSink sink(ranges.span());
    ReceiveRequest request{.bytes = sink};
    const uint32_t got = TRY(receive_from(socket, request, flags));
    ControlWriter control(header.control, header.control ? header.control_bytes : 0);
    if (socket->tell_sender) TRY(control.put(kCredentials, &request.sender, sizeof(SenderId)));
    if (request.rights) TRY(install_files(control, *request.rights, flags & message_close_on_exec));
    if (header.name && request.from)
        TRY(write_address(request.from, UserPtr<void>(header.name), name_bytes));
    else if (header.name)
        TRY(write_user(name_bytes, 0u));
    header.control_bytes = control.used();
    header.flags = flags & message_close_on_exec;
    if (request.truncated) header.flags |= message_truncated;
    if (control.truncated()) header.flags |= message_control_truncated;
    return got;
}

Result<uint32_t> receive_into(const OpenSocket& socket, UserPtr<MessageHeader> to, uint32_t flags) {
    MessageHeader header = TRY(read_user(to));
    const uint32_t at = to.address().raw();
    const uint32_t got = TRY(receive_one(
        socket, header, flags, UserPtr<uint32_t>(at + offsetof(MessageHeader, name_bytes))));
    TRY(write_user(UserPtr<uint32_t>(at + offsetof(MessageHeader, control_bytes)),
                   header.control_bytes));
    TRY(write_user(UserPtr<uint32_t>(at + offsetof(MessageHeader, flags)), header.flags));
    return got;
}

Result<void> tell_count(UserPtr<CountedMessage> message, uint32_t bytes) {
    return write_user(UserPtr<uint32_t>(message.address().raw() + offsetof(CountedMessage, bytes)),
                      bytes);
}

}  // namespace

Result<uint32_t> sys_sendmsg(int fd, UserPtr<const MessageHeader> from, uint32_t flags) {
    OpenSocket socket = TRY(socket_of(fd));
    return send_one(socket, TRY(read_user(from)), flags);
}

Result<uint32_t> sys_recvmsg(int fd, UserPtr<MessageHeader> to, uint32_t flags) {
    OpenSocket socket = TRY(socket_of(fd));
    return receive_into(socket, to, flags);
}

// --- several: an error counts only if it is the first one's

Result<uint32_t> sys_sendmmsg(int fd, UserPtr<CountedMessage> from, uint32_t count,
                              uint32_t flags) {
    OpenSocket socket = TRY(socket_of(fd));
    auto send = [&](UserPtr<CountedMessage> at) -> Result<void> {
        const MessageHeader header = TRY(read_user(at.cast<const MessageHeader>()));
        return tell_count(at, TRY(send_one(socket, header, flags)));
    };
    count = std::min(count, kMostAtOnce);
    for (uint32_t done = 0; done < count; ++done) {
        Result<void> result = send(from + done);
        if (result.is_error()) return done ? Result(done) : result.error();
    }
    return count;
}

// The time is looked at after each message only, as on Linux.
template <typename T>
Result<uint32_t> sys_recvmmsg(int fd, UserPtr<CountedMessage> to, uint32_t count, uint32_t flags,
                              UserPtr<T> timeout) {
    Nanoseconds until{0};
    if (timeout) {
        const Nanoseconds time = TRY(read_time(UserPtr<const T>(timeout.address().raw())));
        until = deadline_after(monotonic_now(), time);
    }
    OpenSocket socket = TRY(socket_of(fd));
    auto receive = [&](UserPtr<CountedMessage> at) -> Result<void> {
        return tell_count(at, TRY(receive_into(socket, at.cast<MessageHeader>(), flags)));
    };
    count = std::min(count, kMostAtOnce);
    uint32_t done = 0;
    while (done < count) {
        Result<void> result = receive(to + done);
        if (result.is_error() && !done) return result.error();
        if (result.is_error()) break;
        ++done;
        if (flags & message_wait_for_one) flags |= message_dont_wait;
        if (timeout && monotonic_now() >= until) break;
    }
    if (timeout) {
        const Nanoseconds now = monotonic_now();
        TRY(write_user(timeout, to_time<T>(Nanoseconds(until > now ? until - now : 0))));
    }
    return done;
}

constexpr SystemCall kSocketMessagesCalls[] = {
    CALL(337, recvmmsg, sys_recvmmsg<TimeSpec32>),
    CALL(345, sendmmsg, sys_sendmmsg),
    CALL(370, sendmsg, sys_sendmsg),
    CALL(372, recvmsg, sys_recvmsg),
    CALL(417, recvmmsg_time64, sys_recvmmsg<TimeSpec64>),
};
SYSTEM_CALLS(kSocketMessagesCalls);
