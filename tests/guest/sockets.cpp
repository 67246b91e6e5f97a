// Local sockets that listen and connect: accepting, how many wait, ends of listeners, datagrams to sockets
// with a name, options, whole services.
// Spec: listen(2), accept(2), connect(2), unix(7), socket(7).
// needs: wing
#include <vector>

#include "tests/guest/sockets.hpp"

namespace {

using namespace sockets;

void test_making() {
    fails("no such family", socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    for (int family : {AF_INET, AF_INET6, AF_PACKET, AF_BLUETOOTH})
        fails("no network", socket(family, SOCK_DGRAM, 0), EAFNOSUPPORT);
    // su, sudo and cron of a distribution ask for the audit's, and go on without it at this answer.
    constexpr int kAudit = 9;
    fails("no protocol of the kernel", socket(AF_NETLINK, SOCK_RAW, kAudit), EPROTONOSUPPORT);
    fails("no such type", socket(AF_UNIX, 9, 0), ESOCKTNOSUPPORT);
    Socket fresh;
    char byte;
    fails("sending without a peer", send(fresh, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    fails("receiving, a stream", recv(fresh, &byte, 1, 0), EINVAL);
    equal("polling", events_of(fresh), POLLOUT | POLLHUP);
    Socket messages(SOCK_SEQPACKET);
    fails("receiving, messages", recv(messages, &byte, 1, 0), ENOTCONN);
    Socket datagrams(SOCK_DGRAM);
    fails("sending to nobody", send(datagrams, "x", 1, 0), ENOTCONN);
    fails("no datagram", recv(datagrams, &byte, 1, MSG_DONTWAIT), EAGAIN);
    equal("polling", events_of(datagrams), POLLOUT);
    fails("no listening for datagrams", listen(datagrams, 1), EOPNOTSUPP);
    fails("nor accepting", accept(datagrams, nullptr, nullptr), EOPNOTSUPP);
    fails("no peer's name", getpeername(fresh, (sockaddr*)&byte, nullptr), ENOTCONN);
    same("no name", name_of_socket(fresh), "");
    fails("open() of one", open("/proc/self/fd/99", O_RDONLY), ENOENT);
}

void test_ends_of_listeners() {
    Name name("@ends");
    Socket client, server;
    {
        Socket listener;
        bind_to(listener, name);
        listen(listener, 4);
        connect_to(client, name);
        connect_to(server, name);
        write(client, "x", 1);
    }
    char byte;
    fails("never accepted", read(client, &byte, 1), ECONNRESET);
    fails("and gone", send(client, "x", 1, MSG_NOSIGNAL), EPIPE);
    fails("nobody has the name", connect_to(Socket(), name), ECONNREFUSED);
    unlink("left");
    {
        Socket listener;
        bind_to(listener, Name("left"));
        listen(listener, 1);
    }
    fails("a path stays, without a socket", connect_to(Socket(), Name("left")), ECONNREFUSED);
    fails("and is taken", bind_to(Socket(), Name("left")), EADDRINUSE);
    unlink("left");
}

void test_backlog() {
    Name name("@backlog");
    Socket listener;
    bind_to(listener, name);
    listen(listener, 1);
    std::vector<Socket*> clients;
    int connected = 0;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(new Socket(SOCK_STREAM | SOCK_NONBLOCK));
        if (connect_to(*clients.back(), name) < 0) break;
        ++connected;
    }
    fails("no more wait", connect_to(*clients.back(), name), EAGAIN);
    equal("than one more than asked for", connected, 2);
    pid_t waiter = start([&] {
        Socket late;
        return connect_to(late, name) == 0 && write(late, "late", 4) == 4 ? 0 : 1;
    });
    wait_until(waiter);
    Socket first(listener), second(listener), third(listener);
    equal("who waited is connected", wait_for(waiter), 0);
    char text[8];
    equal("last", read(third, text, 8), 4);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    fails("nobody else", accept(listener, nullptr, nullptr), EAGAIN);
    sockaddr_un address;
    socklen_t bytes = sizeof address;
    connect_to(*clients.back(), name);
    int fd = accept4(listener, (sockaddr*)&address, &bytes, SOCK_CLOEXEC | SOCK_NONBLOCK);
    needs("accept4", fd);
    equal("whose peer has no name", bytes, 2);
    equal("SOCK_CLOEXEC", fcntl(fd, F_GETFD), FD_CLOEXEC);
    equal("SOCK_NONBLOCK", fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    fails("odd flags", accept4(listener, nullptr, nullptr, 1), EINVAL);
    close(fd);
    for (Socket* client : clients) delete client;
}

void test_datagrams() {
    Name one("@one"), two("@two");
    Socket a(SOCK_DGRAM), b(SOCK_DGRAM), c(SOCK_DGRAM);
    bind_to(a, one);
    bind_to(b, two);
    equal("sendto", send_to(a, two, "hello"), 5);
    char text[16];
    sockaddr_un from;
    socklen_t bytes = sizeof from;
    equal("recvfrom", recvfrom(b, text, sizeof text, 0, (sockaddr*)&from, &bytes), 5);
    same("whose it is", text_of(from, bytes), "@one");
    send_to(c, two, "x");
    bytes = sizeof from;
    recvfrom(b, text, sizeof text, 0, (sockaddr*)&from, &bytes);
    equal("from a socket without a name", bytes, 0);
    fails("to nobody", send_to(a, Name("@nobody"), "x"), ECONNREFUSED);
    equal("connect", connect_to(a, two), 0);
    same("the peer", name_of_socket(a, true), "@two");
    equal("send", send(a, "hi", 2, 0), 2);
    equal("recv", recv(b, text, sizeof text, 0), 2);
    equal("connect back", connect_to(b, one), 0);
    fails("now only the peer may send", send_to(c, two, "x"), EPERM);
    fails("or connect", connect_to(c, two), EPERM);
    sockaddr none = {AF_UNSPEC, {}};
    needs("send", send(a, "unread", 6, 0));
    equal("no peer", connect(b, &none, sizeof none), 0);
    fails("its peer learns that it was not listened to", recv(a, text, sizeof text, MSG_DONTWAIT),
          ECONNRESET);
    fails("that is lost", recv(b, text, sizeof text, MSG_DONTWAIT), EAGAIN);
    equal("now others may again", send_to(c, two, "x"), 1);
    Socket stream;
    bind_to(stream, Name("@stream"));
    fails("names of streams are others", connect_to(c, Name("@stream")), ECONNREFUSED);
    int left = 0;
    while (send(a, text, sizeof text, MSG_DONTWAIT) > 0) ++left;
    that("a receiver's buffer is full some time", errno == EAGAIN && left > 0);
    equal("which poll knows", events_of(a) & POLLOUT, 0);
}

void test_options() {
    Socket stream(SOCK_SEQPACKET);
    equal("SO_TYPE", option(stream, SO_TYPE), SOCK_SEQPACKET);
    equal("SO_DOMAIN", option(stream, SO_DOMAIN), AF_UNIX);
    equal("SO_PROTOCOL", option(stream, SO_PROTOCOL), 0);
    equal("SO_ERROR", option(stream, SO_ERROR), 0);
    equal("SO_ACCEPTCONN", option(stream, SO_ACCEPTCONN), 0);
    int value = 10000;
    equal("SO_SNDBUF", setsockopt(stream, SOL_SOCKET, SO_SNDBUF, &value, sizeof value), 0);
    equal("doubled", option(stream, SO_SNDBUF), 20000);
    equal("SO_RCVBUF", setsockopt(stream, SOL_SOCKET, SO_RCVBUF, &value, sizeof value), 0);
    equal("doubled", option(stream, SO_RCVBUF), 20000);
    value = 1;
    equal("SO_REUSEADDR", setsockopt(stream, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value), 0);
    equal("is remembered", option(stream, SO_REUSEADDR), 1);
    equal("SO_PASSCRED", setsockopt(stream, SOL_SOCKET, SO_PASSCRED, &value, sizeof value), 0);
    equal("is remembered", option(stream, SO_PASSCRED), 1);
    fails("no such option", setsockopt(stream, SOL_SOCKET, 9999, &value, sizeof value),
          ENOPROTOOPT);
    fails("too short", setsockopt(stream, SOL_SOCKET, SO_SNDBUF, &value, 1), EINVAL);
    fails("a bad address", setsockopt(stream, SOL_SOCKET, SO_SNDBUF, (void*)16, 4), EFAULT);
    fails("no such level", setsockopt(stream, 6, 1, &value, sizeof value), EOPNOTSUPP);
    ucred peer = {};
    socklen_t bytes = sizeof peer;
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &bytes);
    that("a pair's peer is oneself", peer.pid == getpid() && peer.uid == getuid());
    close(pair[0]);
    close(pair[1]);
}

// A server and some clients, each with a few conversations.
void test_service(int type) {
    Name name("service");
    unlink("service");
    Socket listener(type);
    bind_to(listener, name);
    listen(listener, 2);
    constexpr int kClients = 4, kEach = 25;
    pid_t clients[kClients];
    for (int c = 0; c < kClients; ++c)
        clients[c] = start([&] {
            for (int i = 0; i < kEach; ++i) {
                Socket mine(type);
                needs("connect", connect_to(mine, name));
                int number = c * 1000 + i, answer = 0;
                needs("write", write(mine, &number, sizeof number));
                if (read(mine, &answer, sizeof answer) != sizeof answer || answer != ~number)
                    return 1;
            }
            return 0;
        });
    for (int i = 0; i < kClients * kEach; ++i) {
        Socket one(listener);
        int number = 0;
        needs("read", read(one, &number, sizeof number));
        number = ~number;
        needs("write", write(one, &number, sizeof number));
    }
    for (pid_t client : clients) equal("a client of a service", wait_for(client), 0);
    unlink("service");
}

void test_killed() {
    Name name("@killed");
    pid_t server = start([&] {
        Socket listener;
        bind_to(listener, name);
        listen(listener, 4);
        Socket accepted(listener);
        pause();
        return 0;
    });
    Socket client;
    while (connect_to(client, name) < 0) sched_yield();
    Socket unaccepted;
    wait_until(server);
    needs("connect", connect_to(unaccepted, name));
    pid_t reader = start([&] {
        char byte;
        return read(client, &byte, 1) == 0 ? 0 : 1;
    });
    wait_until(reader);
    kill(server, SIGKILL);
    equal("who reads from a killed server sees its end", wait_for(reader), 0);
    wait_for(server);
    char byte;
    fails("who was not accepted yet is told", read(unaccepted, &byte, 1), ECONNRESET);
    fails("its name is free", connect_to(Socket(), name), ECONNREFUSED);
}

}  // namespace

int main() {
    const OwnDirectory here;
    test_making();
    test_ends_of_listeners();
    test_backlog();
    test_datagrams();
    test_options();
    test_service(SOCK_STREAM);
    test_service(SOCK_SEQPACKET);
    test_killed();
    return done();
}
