// Pairs of local sockets: streams, datagrams, and connections that keep message boundaries. What
// goes through and in what pieces, ends and broken ends, blocking and not, time-outs, polling.
// Spec: socketpair(2), unix(7), socket(7), send(2), recv(2), shutdown(2).
// needs: wing
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct Pair {
    int a = -1, b = -1;
    explicit Pair(int type) {
        int ends[2];
        needs("socketpair", socketpair(AF_UNIX, type, 0, ends));
        a = ends[0];
        b = ends[1];
    }
    ~Pair() {
        close_a();
        close_b();
    }
    void close_a() { a = a < 0 ? a : (close(a), -1); }
    void close_b() { b = b < 0 ? b : (close(b), -1); }
};

int events_of(int fd, int wanted = POLLIN | POLLOUT | POLLRDHUP) {
    pollfd one = {fd, short(wanted), 0};
    needs("poll", poll(&one, 1, 0));
    return one.revents;
}

void test_making() {
    int ends[2];
    fails("only local ones", socketpair(99, SOCK_STREAM, 0, ends), EAFNOSUPPORT);
    fails("no such type", socketpair(AF_UNIX, 9, 0, ends), ESOCKTNOSUPPORT);
    fails("no such protocol", socketpair(AF_UNIX, SOCK_STREAM, 7, ends), EPROTONOSUPPORT);
    fails("no such flag", socketpair(AF_UNIX, SOCK_STREAM | 0x40, 0, ends), EINVAL);
    fails("nowhere to tell", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr), EFAULT);
    Pair pair(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    equal("SOCK_CLOEXEC", fcntl(pair.a, F_GETFD), FD_CLOEXEC);
    equal("SOCK_NONBLOCK", fcntl(pair.b, F_GETFL), O_RDWR | O_NONBLOCK);
    struct stat info;
    needs("fstat", fstat(pair.a, &info));
    that("its kind", S_ISSOCK(info.st_mode));
    fails("no seeking", lseek(pair.a, 0, SEEK_SET), ESPIPE);
    char text[64] = {};
    readlink(("/proc/self/fd/" + std::to_string(pair.a)).c_str(), text, sizeof text - 1);
    same("its name in /proc", text, "socket:[" + std::to_string(info.st_ino) + "]");
    fails("a file is no socket", send(1, "x", 1, 0), ENOTSOCK);
    fails("nor is nothing", send(99, "x", 1, 0), EBADF);
}

void test_stream() {
    Pair pair(SOCK_STREAM);
    char text[64];
    equal("write", write(pair.a, "one", 3), 3);
    equal("send", send(pair.a, "two", 3, 0), 3);
    int there = 0;
    needs("FIONREAD", ioctl(pair.b, FIONREAD, &there));
    equal("FIONREAD", there, 6);
    equal("peek", recv(pair.b, text, 4, MSG_PEEK), 4);
    equal("a stream has no boundaries", read(pair.b, text, sizeof text), 6);
    that("in order", memcmp(text, "onetwo", 6) == 0);
    equal("the other way", write(pair.b, "back", 4), 4);
    equal("read a part", recv(pair.a, text, 1, 0), 1);
    equal("and the rest", recvfrom(pair.a, text, 9, 0, nullptr, nullptr), 3);
    fails("MSG_DONTWAIT", recv(pair.a, text, 1, MSG_DONTWAIT), EAGAIN);
    equal("reading nothing", read(pair.a, text, 0), 0);
    iovec out[2] = {{const_cast<char*>("ab"), 2}, {const_cast<char*>("cde"), 3}};
    equal("writev", writev(pair.a, out, 2), 5);
    char first[4] = {}, second[4] = {};
    iovec in[2] = {{first, 2}, {second, 3}};
    equal("readv", readv(pair.b, in, 2), 5);
    same("in both", std::string(first) + second, "abcde");
    sockaddr_un name = {AF_UNIX, "x"};
    fails("sendto() when connected", sendto(pair.a, "x", 1, 0, (sockaddr*)&name, sizeof name),
          EISCONN);
    fails("a bad address", send(pair.a, (void*)16, 9, 0), EFAULT);
    write(pair.a, "x", 1);
    fails("a bad place", recv(pair.b, (void*)16, 9, 0), EFAULT);
    equal("loses nothing", read(pair.b, text, 9), 1);
}

void test_stream_ends() {
    signal(SIGPIPE, SIG_DFL);
    Pair pair(SOCK_STREAM);
    char text[64];
    write(pair.a, "end", 3);
    pair.close_a();
    equal("hang-up", events_of(pair.b), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    equal("the last bytes outlive the sender", read(pair.b, text, 9), 3);
    equal("then the end", read(pair.b, text, 9), 0);
    fails("EPIPE", send(pair.b, "x", 1, MSG_NOSIGNAL), EPIPE);
    killed("SIGPIPE of send()", SIGPIPE, [&] { return int(send(pair.b, "x", 1, 0)); });
    killed("SIGPIPE of write()", SIGPIPE, [&] { return int(write(pair.b, "x", 1)); });
    Pair other(SOCK_STREAM);
    write(other.a, "unread", 6);
    write(other.b, "said", 4);
    other.close_b();
    that("an error is pending", events_of(other.a) & POLLERR);
    equal("what was said before", read(other.a, text, 9), 4);
    fails("left without reading all", read(other.a, text, 9), ECONNRESET);
    equal("which is told once", read(other.a, text, 9), 0);
}

void test_shutdown() {
    signal(SIGPIPE, SIG_IGN);
    Pair pair(SOCK_STREAM);
    char text[8];
    fails("no such way", shutdown(pair.a, 3), EINVAL);
    fails("no socket", shutdown(1, SHUT_RD), ENOTSOCK);
    write(pair.a, "x", 1);
    equal("SHUT_WR", shutdown(pair.a, SHUT_WR), 0);
    fails("no more writing", write(pair.a, "x", 1), EPIPE);
    equal("half a hang-up", events_of(pair.b), POLLIN | POLLOUT | POLLRDHUP);
    equal("the rest arrives", read(pair.b, text, 8), 1);
    equal("then the end", read(pair.b, text, 8), 0);
    equal("the other way is open", write(pair.b, "yz", 2), 2);
    equal("for both", read(pair.a, text, 8), 2);
    equal("SHUT_RD", shutdown(pair.a, SHUT_RD), 0);
    fails("nobody will read it", write(pair.b, "x", 1), EPIPE);
    equal("nothing to read", read(pair.a, text, 8), 0);
    equal("both ways", events_of(pair.a), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    Pair sleepers(SOCK_STREAM);
    pid_t reader = start([&] {
        char byte;
        return int(read(sleepers.a, &byte, 1));
    });
    wait_until(reader);
    shutdown(sleepers.a, SHUT_RD);
    equal("wakes who reads", wait_for(reader), 0);
    pid_t writer = start([&] {
        std::vector<char> much(1 << 20);
        while (write(sleepers.a, much.data(), much.size()) > 0) {
        }
        return errno == EPIPE ? 0 : 1;
    });
    wait_until(writer);
    shutdown(sleepers.a, SHUT_WR);
    equal("wakes who writes", wait_for(writer), 0);
}

void test_filling(int type, const char* kind) {
    Pair pair(type | SOCK_NONBLOCK);
    std::vector<char> text(4096);
    long sent = 0, got = 0;
    int small = 8192;
    needs("SO_SNDBUF", setsockopt(pair.a, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
    while (long n = write(pair.a, text.data(), text.size())) {
        if (n < 0) break;
        sent += n;
    }
    std::string prefix = std::string(kind) + ": ";
    fails(prefix + "full", write(pair.a, text.data(), 4096), EAGAIN);
    that(prefix + "not endless", sent >= 4096 && sent <= 1 << 20);
    equal(prefix + "no room", events_of(pair.a), 0);
    that(prefix + "something there", events_of(pair.b) & POLLIN);
    pid_t poller = start([&] {
        pollfd one = {pair.a, POLLOUT, 0};
        return poll(&one, 1, -1) == 1 && one.revents == POLLOUT ? 0 : 1;
    });
    wait_until(poller);
    while (long n = read(pair.b, text.data(), text.size())) {
        if (n < 0) break;
        got += n;
    }
    fails(prefix + "empty", read(pair.b, text.data(), 1), EAGAIN);
    equal(prefix + "all came through", got, sent);
    equal(prefix + "room wakes who polls for it", wait_for(poller), 0);
    equal(prefix + "room again", events_of(pair.a), POLLOUT);
}

// Much more than fits, from one process to another, in changing pieces.
void test_throughput(int type, const char* name) {
    Pair pair(type);
    constexpr long kTotal = 3 << 20;
    auto piece = [](long at) { return long(1 + at * 7919ul % 9000); };
    pid_t writer = start([&] {
        pair.close_b();
        std::vector<char> text(9001);
        for (long at = 0; at < kTotal;) {
            long bytes = std::min(piece(at), kTotal - at);
            for (long i = 0; i < bytes; ++i) text[i] = char((at + i) * 31 >> 3);
            if (write(pair.a, text.data(), bytes) != bytes) return 1;
            at += bytes;
        }
        return 0;
    });
    pair.close_a();
    std::vector<char> text(9001);
    long at = 0, n;
    bool right = true;
    while ((n = read(pair.b, text.data(), text.size())) > 0) {
        if (type != SOCK_STREAM) right &= n == std::min(piece(at), kTotal - at);
        for (long i = 0; i < n; ++i) right &= text[i] == char((at + i) * 31 >> 3);
        if ((at += n) >= kTotal) break;
    }
    equal(std::string(name) + " writer", wait_for(writer), 0);
    equal(std::string(name) + ": everything arrives", at, kTotal);
    that(std::string(name) + ": as it was sent", right);
}

void test_waiting_for_all() {
    Pair pair(SOCK_STREAM);
    pid_t writer = start([&] {
        for (int i = 0; i < 10; ++i) {
            write(pair.a, "0123456789", 10);
            sched_yield();
        }
        return 0;
    });
    char text[100];
    equal("MSG_WAITALL", recv(pair.b, text, sizeof text, MSG_WAITALL), 100);
    wait_for(writer);
    write(pair.a, "abc", 3);
    pair.close_a();
    equal("as much as there ever will be", recv(pair.b, text, sizeof text, MSG_WAITALL), 3);
}

void test_messages(int type, const std::string& kind) {
    Pair pair(type);
    char text[64];
    equal(kind + "send", send(pair.a, "first", 5, 0), 5);
    equal(kind + "an empty message", send(pair.a, "", 0, 0), 0);
    equal(kind + "write", write(pair.a, "second", 6), 6);
    int there = 0;
    ioctl(pair.b, FIONREAD, &there);
    equal(kind + "FIONREAD", there, type == SOCK_DGRAM ? 5 : 11);
    equal(kind + "peek", recv(pair.b, text, sizeof text, MSG_PEEK), 5);
    equal(kind + "one by one", recv(pair.b, text, sizeof text, 0), 5);
    equal(kind + "nothing is something", recv(pair.b, text, sizeof text, 0), 0);
    equal(kind + "what does not fit", recv(pair.b, text, 3, 0), 3);
    fails(kind + "is lost", recv(pair.b, text, 3, MSG_DONTWAIT), EAGAIN);
    write(pair.a, "second", 6);
    equal(kind + "MSG_TRUNC tells how long it was", recv(pair.b, text, 3, MSG_TRUNC), 6);
    write(pair.a, "third", 5);
    iovec in = {text, 2};
    msghdr message = {};
    message.msg_iov = &in;
    message.msg_iovlen = 1;
    equal(kind + "recvmsg", recvmsg(pair.b, &message, 0), 2);
    equal(kind + "and that it was cut", message.msg_flags, MSG_TRUNC);
    std::vector<char> large(1 << 20);
    fails(kind + "too long", send(pair.a, large.data(), large.size(), 0), EMSGSIZE);
    fails(kind + "a bad address", send(pair.a, (void*)16, 9, 0), EFAULT);
    fails(kind + "leaves nothing behind", recv(pair.b, text, 9, MSG_DONTWAIT), EAGAIN);
    equal(kind + "a long one", send(pair.a, large.data(), 100000, 0), 100000);
    equal(kind + "in one piece", recv(pair.b, large.data(), large.size(), 0), 100000);
    write(pair.a, "last", 4);
    shutdown(pair.a, SHUT_WR);
    fails(kind + "no more sending", send(pair.a, "x", 1, MSG_NOSIGNAL), EPIPE);
    equal(kind + "what came before", recv(pair.b, text, 9, 0), 4);
    write(pair.b, "x", 1);
    pair.close_a();
    if (type == SOCK_DGRAM) {
        fails(kind + "nobody there", send(pair.b, "x", 1, 0), ECONNREFUSED);
        fails(kind + "nor connected to", send(pair.b, "x", 1, 0), ENOTCONN);
        fails(kind + "more may come", recv(pair.b, text, 9, MSG_DONTWAIT), EAGAIN);
    } else {
        fails(kind + "left without reading all", recv(pair.b, text, 9, 0), ECONNRESET);
        equal(kind + "the end", recv(pair.b, text, 9, 0), 0);
        fails(kind + "EPIPE", send(pair.b, "x", 1, MSG_NOSIGNAL), EPIPE);
    }
}

void test_many_senders() {
    Pair pair(SOCK_DGRAM);
    constexpr int kSenders = 3, kEach = 200;
    pid_t senders[kSenders];
    for (int s = 0; s < kSenders; ++s)
        senders[s] = start([&] {
            std::string text(500, char('a' + s));
            for (int i = 0; i < kEach; ++i)
                if (send(pair.a, text.data(), text.size(), 0) != 500) return 1;
            return 0;
        });
    int counts[kSenders] = {};
    bool whole = true;
    for (int i = 0; i < kSenders * kEach; ++i) {
        char text[600];
        long n = recv(pair.b, text, sizeof text, 0);
        whole &= n == 500 &&
                 std::string_view(text, 500).find_first_not_of(text[0]) == std::string_view::npos;
        if (n > 0 && text[0] >= 'a' && text[0] < 'a' + kSenders) ++counts[text[0] - 'a'];
    }
    that("messages of several senders stay whole", whole);
    for (int s = 0; s < kSenders; ++s) {
        equal("a sender's", counts[s], kEach);
        equal("and it ends", wait_for(senders[s]), 0);
    }
}

void test_time_outs() {
    Pair pair(SOCK_STREAM);
    timeval soon = {0, 20000}, told = {};
    needs("SO_RCVTIMEO", setsockopt(pair.a, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
    socklen_t bytes = sizeof told;
    needs("getsockopt", getsockopt(pair.a, SOL_SOCKET, SO_RCVTIMEO, &told, &bytes));
    that("a time-out is told", told.tv_sec == 0 && told.tv_usec >= 20000 && told.tv_usec < 40000);
    char byte;
    fails("and ends a wait", read(pair.a, &byte, 1), EAGAIN);
    needs("SO_SNDTIMEO", setsockopt(pair.b, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon));
    std::vector<char> much(4 << 20);
    long sent = write(pair.b, much.data(), much.size());
    that("what fitted", sent > 0 && sent < long(much.size()));
    fails("full", write(pair.b, much.data(), much.size()), EAGAIN);
    timeval odd = {0, 1000000};
    fails("no such time", setsockopt(pair.a, SOL_SOCKET, SO_RCVTIMEO, &odd, sizeof odd), EDOM);
}

volatile sig_atomic_t signals_seen;

void test_interruption() {
    struct sigaction action = {};
    action.sa_handler = [](int) { signals_seen = signals_seen + 1; };
    sigaction(SIGUSR1, &action, nullptr);
    Pair pair(SOCK_STREAM);
    pid_t reader = start([&] {
        char byte;
        return read(pair.a, &byte, 1) < 0 && errno == EINTR && signals_seen == 1 ? 0 : 1;
    });
    wait_until(reader);
    kill(reader, SIGUSR1);
    equal("a signal ends a wait", wait_for(reader), 0);
    pid_t writer = start([&] {
        std::vector<char> much(1 << 20);
        for (;;) write(pair.b, much.data(), much.size());
        return 0;
    });
    wait_until(writer);
    kill(writer, SIGKILL);
    that("so does its end", WIFSIGNALED(wait_for(writer)));
    pair.close_b();
    char text[4096];
    long n;
    while ((n = read(pair.a, text, sizeof text)) > 0) {
    }
    equal("whose bytes end then", n, 0);
}

void test_multiplexer() {
    int ends[2];
    long pair_arguments[] = {AF_UNIX, SOCK_STREAM, 0, (long)ends};
    equal("socketcall: socketpair", syscall(SYS_socketcall, 8, pair_arguments), 0);
    char text[8] = {};
    long send_arguments[] = {ends[0], (long)"old", 3, 0},
         recv_arguments[] = {ends[1], (long)text, 8, 0};
    equal("socketcall: send", syscall(SYS_socketcall, 9, send_arguments), 3);
    equal("socketcall: recv", syscall(SYS_socketcall, 10, recv_arguments), 3);
    same("what was sent", text, "old");
    fails("no such call", syscall(SYS_socketcall, 21, send_arguments), EINVAL);
    fails("no arguments", syscall(SYS_socketcall, 9, 16), EFAULT);
    close(ends[0]);
    close(ends[1]);
}

}  // namespace

int main() {
    test_making();
    test_stream();
    test_stream_ends();
    test_shutdown();
    test_filling(SOCK_STREAM, "stream");
    test_filling(SOCK_DGRAM, "datagrams");
    test_filling(SOCK_SEQPACKET, "messages");
    test_throughput(SOCK_STREAM, "stream");
    test_throughput(SOCK_SEQPACKET, "messages");
    test_waiting_for_all();
    test_messages(SOCK_DGRAM, "datagram: ");
    test_messages(SOCK_SEQPACKET, "seqpacket: ");
    test_many_senders();
    test_time_outs();
    test_interruption();
    test_multiplexer();
    return done();
}
