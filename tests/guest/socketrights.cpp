// What goes beside the bytes of a message: open files (SCM_RIGHTS), who sent it (SCM_CREDENTIALS),
// several messages at once; files that are on their way when nobody is left to receive them.
// Spec: unix(7), cmsg(3), sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2).
// needs: wing
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <cstddef>
#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct Pair {
    int a = -1, b = -1;
    explicit Pair(int type = SOCK_STREAM) {
        int ends[2];
        needs("socketpair", socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends));
        a = ends[0];
        b = ends[1];
    }
    Pair(const Pair&) = delete;
    ~Pair() {
        close(a);
        close(b);
    }
};

// A message with room for what goes beside it.
struct Message {
    char text[64] = {};
    alignas(cmsghdr) char control[2048];
    iovec range = {text, sizeof text};
    msghdr header = {};
    explicit Message(std::string_view bytes = {}, size_t room = sizeof control) {
        memcpy(text, bytes.data(), bytes.size());
        if (!bytes.empty()) range.iov_len = bytes.size();
        memset(control, 0, sizeof control);
        header.msg_iov = &range;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = room;
    }
    void add(int type, const void* data, size_t bytes) {
        if (header.msg_controllen == sizeof control) header.msg_controllen = 0;
        auto* at = (cmsghdr*)(control + header.msg_controllen);
        at->cmsg_level = SOL_SOCKET;
        at->cmsg_type = type;
        at->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(at), data, bytes);
        header.msg_controllen += CMSG_SPACE(bytes);
    }
    // Of a type, the data; empty if there is none.
    template <typename T>
    std::vector<T> all(int type) {
        std::vector<T> found;
        for (cmsghdr* at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at))
            if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == type)
                found.insert(found.end(), (T*)CMSG_DATA(at), (T*)((char*)at + at->cmsg_len));
        return found;
    }
    std::vector<int> files() { return all<int>(SCM_RIGHTS); }
};

long send_files(int fd, std::vector<int> files, std::string_view text = "x") {
    Message message(text);
    message.add(SCM_RIGHTS, files.data(), files.size() * sizeof(int));
    return sendmsg(fd, &message.header, MSG_NOSIGNAL);
}

struct Pipe {
    int out, in;
    Pipe() {
        int ends[2];
        needs("pipe", pipe2(ends, O_CLOEXEC | O_NONBLOCK));
        out = ends[0];
        in = ends[1];
    }
    ~Pipe() {
        close(out);
        if (in >= 0) close(in);
    }
    // The writing end is open nowhere any more.
    bool ended() {
        char byte;
        return read(out, &byte, 1) == 0;
    }
    void give_to(int socket) {
        needs("sendmsg", send_files(socket, {in}));
        close(in);
        in = -1;
    }
};

void test_files(int type) {
    Pair pair(type);
    Pipe pipe;
    equal("send a descriptor", send_files(pair.a, {pipe.in, pipe.out}, "two"), 3);
    Message got;
    equal("receive it", recvmsg(pair.b, &got.header, MSG_CMSG_CLOEXEC), 3);
    auto files = got.files();
    equal("two of them", files.size(), 2);
    equal("the room that took", got.header.msg_controllen, CMSG_SPACE(8));
    equal("flags", got.header.msg_flags, MSG_CMSG_CLOEXEC);
    equal("close-on-exec", fcntl(files[0], F_GETFD), FD_CLOEXEC);
    that("new numbers", files[0] != pipe.in && files[1] != pipe.out);
    equal("for the same file", write(files[0], "through", 7), 7);
    char text[16];
    equal("read there", read(pipe.out, text, sizeof text), 7);
    close(files[0]);
    close(files[1]);
    send_files(pair.a, {pipe.in});
    Message plain;
    equal("again", recvmsg(pair.b, &plain.header, 0), 1);
    equal("not close-on-exec", fcntl(plain.files()[0], F_GETFD), 0);
    close(plain.files()[0]);
}

void test_stream_stops() {
    Pair pair;
    Pipe pipe;
    write(pair.a, "before", 6);
    send_files(pair.a, {pipe.in}, "with");
    write(pair.a, "after", 5);
    Message got;
    long n = recvmsg(pair.b, &got.header, 0);
    equal("up to and with the descriptor's bytes", n, 10);
    equal("comes one", got.files().size(), 1);
    close(got.files()[0]);
    Message rest;
    equal("then the rest", recvmsg(pair.b, &rest.header, 0), 5);
    equal("comes none", rest.files().size(), 0);
    equal("and no room is taken", rest.header.msg_controllen, 0);
}

void test_truncation() {
    Pair pair;
    {
        Pipe pipe;
        pipe.give_to(pair.a);
        char byte;
        equal("read() takes the bytes", read(pair.b, &byte, 1), 1);
        that("and closes the descriptor", pipe.ended());
    }
    {
        Pipe pipe;
        pipe.give_to(pair.a);
        Message got({}, 0);
        equal("no room", recvmsg(pair.b, &got.header, 0), 1);
        equal("MSG_CTRUNC", got.header.msg_flags, MSG_CTRUNC);
        that("closed", pipe.ended());
    }
    Pipe one, two;
    send_files(pair.a, {one.in, two.in});
    Message got({}, CMSG_LEN(sizeof(int)));
    equal("room for one", recvmsg(pair.b, &got.header, 0), 1);
    equal("MSG_CTRUNC", got.header.msg_flags, MSG_CTRUNC);
    equal("one", got.files().size(), 1);
    close(got.files()[0]);
    Pipe peeked;
    peeked.give_to(pair.a);
    Message look;
    equal("peek", recvmsg(pair.b, &look.header, MSG_PEEK), 1);
    equal("gives one", look.files().size(), 1);
    Message again;
    equal("take", recvmsg(pair.b, &again.header, 0), 1);
    equal("gives another", again.files().size(), 1);
    close(look.files()[0]);
    that("of the same", !peeked.ended());
    close(again.files()[0]);
    that("and that was all", peeked.ended());
}

void test_bad_messages() {
    Pair pair(SOCK_DGRAM);
    fails("no such descriptor", send_files(pair.a, {99}), EBADF);
    std::vector<int> many(254, pair.a);
    fails("too many", send_files(pair.a, many), EINVAL);
    many.pop_back();
    equal("as many as may be", send_files(pair.a, many), 1);
    Message got;
    recvmsg(pair.b, &got.header, 0);
    equal("arrive", got.files().size(), 253);
    for (int fd : got.files()) close(fd);
    int value = 0;
    Message odd("x");
    odd.add(77, &value, sizeof value);
    fails("no such kind", sendmsg(pair.a, &odd.header, 0), EINVAL);
    Message short_header("x");
    short_header.add(SCM_RIGHTS, &value, sizeof value);
    ((cmsghdr*)short_header.control)->cmsg_len = 3;
    fails("a length that can't be", sendmsg(pair.a, &short_header.header, 0), EINVAL);
    ((cmsghdr*)short_header.control)->cmsg_len = 3000;
    fails("nor can this", sendmsg(pair.a, &short_header.header, 0), EINVAL);
    msghdr bad = {};
    bad.msg_iov = (iovec*)16;
    bad.msg_iovlen = 1;
    fails("bad ranges", sendmsg(pair.a, &bad, 0), EFAULT);
    bad.msg_iovlen = 2000;
    fails("too many ranges", sendmsg(pair.a, &bad, 0), EMSGSIZE);
    fails("a bad header", syscall(SYS_sendmsg, pair.a, 16, 0), EFAULT);
    fails("nothing there", recv(pair.b, &value, 1, MSG_DONTWAIT), EAGAIN);
}

// --- what becomes of files that are never received

void test_closed_on_the_way() {
    Pipe pipe, deep;
    {
        Pair pair(SOCK_DGRAM);
        pipe.give_to(pair.a);
        that("kept while they may be received", !pipe.ended());
        Pair inner;
        deep.give_to(inner.a);
        send_files(pair.a, {inner.b});
    }
    that("closed with the socket", pipe.ended());
    that("and what was in that", deep.ended());
}

// One socket inside the other, far more than a stack is deep.
void test_long_chain() {
    Pipe pipe;
    int last[2];
    needs("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, last));
    pipe.give_to(last[0]);
    for (int i = 0; i < 300; ++i) {
        int next[2];
        needs("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, next));
        if (send_files(next[0], {last[1]}) < 0) {
            equal("a bound on nesting", errno, ETOOMANYREFS);
            close(next[0]);
            close(next[1]);
            break;
        }
        close(last[0]);
        close(last[1]);
        last[0] = next[0];
        last[1] = next[1];
    }
    that("a chain is kept", !pipe.ended());
    close(last[0]);
    close(last[1]);
    that("and all of it closed", pipe.ended());
}

// Sockets that only messages refer to, in each other's buffers.
void make_circle(Pipe& pipe) {
    Pair pair, other;
    pipe.give_to(pair.a);
    send_files(pair.a, {other.b, pair.b});  // lies in pair.b's
    send_files(other.a, {pair.b, pair.a});  // lies in other.b's
}

// Makes and breaks smaller ones, which is when the kernel looks; it may do so a little later.
bool collected(Pipe& pipe) {
    for (int i = 0; i < 2000 && !pipe.ended(); ++i) {
        Pair pair;
        send_files(pair.a, {pair.a});
        sched_yield();
    }
    return pipe.ended();
}

void test_circles() {
    Pipe first, second;
    make_circle(first);
    make_circle(second);
    that("circles are found", collected(first) && collected(second));
    // The same with a connection that nobody has accepted.
    Pipe third;
    {
        int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un name = {AF_UNIX, {}};
        memcpy(name.sun_path, "\0circle", 7);
        bind(listener, (sockaddr*)&name, offsetof(sockaddr_un, sun_path) + 7);
        listen(listener, 1);
        needs("connect", connect(client, (sockaddr*)&name, offsetof(sockaddr_un, sun_path) + 7));
        third.give_to(client);
        send_files(client, {listener, client});
        close(listener);
        close(client);
    }
    that("in a backlog too", collected(third));
    // What can still be reached stays.
    Pair root;
    Pipe kept;
    {
        Pair inner;
        kept.give_to(inner.a);
        send_files(inner.a, {inner.a, inner.b});
        send_files(root.a, {inner.b});
    }
    Pipe lost;
    make_circle(lost);
    that("what can be received stays", collected(lost) && !kept.ended());
    Message got;
    recvmsg(root.b, &got.header, 0);
    int inner = got.files().at(0);
    Message inside;
    equal("and can be", recvmsg(inner, &inside.header, 0), 1);
    for (int fd : inside.files()) close(fd);
    close(inner);
    that("until it is not", collected(kept));
}

// Files that go round while others look for circles.
void test_going_round() {
    std::vector<Pair> pairs(3);
    Pipe pipe;
    constexpr int kRounds = 300;
    pid_t collector = start([] {
        for (int i = 0; i < 300; ++i) {
            Pair pair;
            send_files(pair.a, {pair.a});
        }
        return 0;
    });
    auto pass_on = [&](int from, int to) {
        return start([&, from, to] {
            for (int i = 0; i < kRounds; ++i) {
                Message got;
                if (recvmsg(pairs[from].b, &got.header, 0) != 1 || got.files().size() != 1)
                    return 1;
                if (send_files(pairs[to].a, got.files()) != 1) return 2;
                close(got.files()[0]);
            }
            return 0;
        });
    };
    pid_t first = pass_on(0, 1), second = pass_on(1, 2);
    Pair travelling;
    write(travelling.a, "inside", 6);
    int fd = dup(travelling.b);
    close(travelling.b);
    travelling.b = -1;
    bool whole = true;
    for (int i = 0; i < kRounds && whole; ++i) {
        whole &= send_files(pairs[0].a, {fd}) == 1;
        close(fd);
        Message got;
        whole &= recvmsg(pairs[2].b, &got.header, 0) == 1 && got.files().size() == 1;
        if (whole) fd = got.files()[0];
    }
    that("a socket goes round", whole);
    equal("first", wait_for(first), 0);
    equal("second", wait_for(second), 0);
    equal("collector", wait_for(collector), 0);
    char text[8] = {};
    equal("with what is in it", recv(fd, text, sizeof text, MSG_DONTWAIT), 6);
    close(fd);
}

// --- who sent it

void test_credentials(int type) {
    Pair pair(type);
    int on = 1;
    needs("SO_PASSCRED", setsockopt(pair.b, SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    pid_t child = start([&] { return write(pair.a, "x", 1) == 1 ? 0 : 1; });
    equal("child", wait_for(child), 0);
    Message got;
    equal("a message", recvmsg(pair.b, &got.header, 0), 1);
    auto who = got.all<ucred>(SCM_CREDENTIALS);
    equal("and who sent it", who.size(), 1);
    that("the child", who.size() == 1 && who[0].pid == child && who[0].uid == getuid());
    Message claim("x");
    ucred mine = {getpid(), getuid(), getgid()};
    claim.add(SCM_CREDENTIALS, &mine, sizeof mine);
    equal("saying who one is", sendmsg(pair.a, &claim.header, 0), 1);
    Message second;
    recvmsg(pair.b, &second.header, 0);
    that("is believed", second.all<ucred>(SCM_CREDENTIALS).at(0).pid == getpid());
    exits("others are not", 0, [&] {
        needs("setgid", setgid(1000));
        needs("setuid", setuid(1000));
        Message lie("x");
        ucred other = {getpid(), 0, 1000};
        lie.add(SCM_CREDENTIALS, &other, sizeof other);
        fails("claiming to be root", sendmsg(pair.a, &lie.header, 0), EPERM);
        return done();
    });
    Message odd("x");
    odd.add(SCM_CREDENTIALS, &mine, 4);
    fails("half of one", sendmsg(pair.a, &odd.header, 0), EINVAL);
    if (type != SOCK_STREAM) return;
    pid_t one = start([&] { return write(pair.a, "abc", 3) == 3 ? 0 : 1; });
    wait_for(one);
    write(pair.a, "de", 2);
    Message first;
    equal("bytes of different senders are not mixed", recvmsg(pair.b, &first.header, 0), 3);
    that("the first", first.all<ucred>(SCM_CREDENTIALS).at(0).pid == one);
}

void test_many() {
    Pair pair(SOCK_DGRAM);
    char texts[3][8] = {"one", "two2", "three"};
    iovec ranges[3];
    mmsghdr messages[3] = {};
    for (int i = 0; i < 3; ++i) {
        ranges[i] = {texts[i], strlen(texts[i])};
        messages[i].msg_hdr.msg_iov = &ranges[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    equal("sendmmsg", sendmmsg(pair.a, messages, 3, 0), 3);
    equal("how much of each", messages[1].msg_len, 4);
    char in[4][8] = {};
    iovec places[4];
    mmsghdr got[4] = {};
    for (int i = 0; i < 4; ++i) {
        places[i] = {in[i], sizeof in[i]};
        got[i].msg_hdr.msg_iov = &places[i];
        got[i].msg_hdr.msg_iovlen = 1;
    }
    equal("recvmmsg", recvmmsg(pair.b, got, 4, MSG_WAITFORONE, nullptr), 3);
    same("one of them", in[2], "three");
    equal("how long", got[2].msg_len, 5);
    fails("none", recvmmsg(pair.b, got, 4, MSG_DONTWAIT, nullptr), EAGAIN);
    sendmmsg(pair.a, messages, 3, 0);
    timespec soon = {0, 0};
    equal("the time is up after one", recvmmsg(pair.b, got, 3, 0, &soon), 1);
    timespec odd = {0, -1};
    fails("no such time", recvmmsg(pair.b, got, 3, 0, &odd), EINVAL);
    close(pair.b);
    fails("no socket", sendmmsg(pair.b, messages, 3, 0), EBADF);
    fails("nobody there", sendmmsg(pair.a, messages, 3, 0), ECONNREFUSED);
}

}  // namespace

int main() {
    for (int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
        test_files(type);
        test_credentials(type);
    }
    test_stream_stops();
    test_truncation();
    test_bad_messages();
    test_closed_on_the_way();
    test_long_chain();
    test_circles();
    test_going_round();
    test_many();
    return done();
}
