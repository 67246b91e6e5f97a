// Local sockets with names: paths, abstract names and ones that the kernel chooses; listening,
// connecting and accepting; datagrams to sockets with a name; who connects as whom.
// Spec: bind(2), listen(2), accept(2), connect(2), getsockname(2), unix(7), socket(7).
// needs: wing
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>
#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

struct Socket {
    int fd;
    explicit Socket(int type = SOCK_STREAM) : fd(needs("socket", socket(AF_UNIX, type, 0))) {}
    explicit Socket(const Socket& listener) : fd(needs("accept", accept(listener.fd, 0, 0))) {}
    ~Socket() { end(); }
    void end() { fd = fd < 0 ? fd : (close(fd), -1); }
    operator int() const { return fd; }
};

// "@name" is abstract.
struct Name {
    sockaddr_un address = {AF_UNIX, {}};
    socklen_t bytes = offsetof(sockaddr_un, sun_path);
    explicit Name(const std::string& text) {
        memcpy(address.sun_path, text.data(), text.size());
        bytes += text.size();
        if (text[0] == '@')
            address.sun_path[0] = 0;
        else
            ++bytes;
    }
};
int bind_to(int fd, const Name& name) {
    return bind(fd, (const sockaddr*)&name.address, name.bytes);
}
int connect_to(int fd, const Name& name) {
    return connect(fd, (const sockaddr*)&name.address, name.bytes);
}
long send_to(int fd, const Name& name, std::string_view text, int flags = 0) {
    return sendto(fd, text.data(), text.size(), flags, (const sockaddr*)&name.address, name.bytes);
}
std::string text_of(const sockaddr_un& address, socklen_t bytes) {
    if (bytes <= offsetof(sockaddr_un, sun_path)) return "";
    std::string text(address.sun_path, bytes - offsetof(sockaddr_un, sun_path));
    if (!text[0]) return "@" + text.substr(1);
    return text.c_str();
}
std::string name_of_socket(int fd, bool peer = false) {
    sockaddr_un address;
    socklen_t bytes = sizeof address;
    if ((peer ? getpeername : getsockname)(fd, (sockaddr*)&address, &bytes) < 0) return "?";
    return text_of(address, bytes);
}
int option(int fd, int which) {
    int value = -1;
    socklen_t bytes = sizeof value;
    needs("getsockopt", getsockopt(fd, SOL_SOCKET, which, &value, &bytes));
    return value;
}
int events_of(int fd) {
    pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    needs("poll", poll(&one, 1, 0));
    return one.revents;
}

void test_making() {
    fails("no such family", socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
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

void test_paths() {
    unlink("s");
    Name name("s");
    Socket listener;
    fails("listening without a name", listen(listener, 1), EINVAL);
    equal("bind", bind_to(listener, name), 0);
    fails("a second name", bind_to(listener, Name("t")), EINVAL);
    Socket other;
    fails("taken", bind_to(other, name), EADDRINUSE);
    fails("no such directory", bind_to(other, Name("no/s")), ENOENT);
    fails("no name", bind(other, (sockaddr*)&name, 1), EINVAL);
    fails("too long", bind(other, (sockaddr*)&name, 200), EINVAL);
    struct stat info;
    needs("stat", stat("s", &info));
    that("a socket in the directory", S_ISSOCK(info.st_mode));
    fails("that can't be opened", open("s", O_RDWR), ENXIO);
    same("its name", name_of_socket(listener), "s");
    fails("nobody listens yet", connect_to(other, name), ECONNREFUSED);
    fails("nor can it be accepted from", accept(listener, nullptr, nullptr), EINVAL);
    equal("listen", listen(listener, 4), 0);
    equal("SO_ACCEPTCONN", option(listener, SO_ACCEPTCONN), 1);
    equal("nothing to accept", events_of(listener), 0);
    equal("connect", connect_to(other, name), 0);
    fails("again", connect_to(other, name), EISCONN);
    equal("something to accept", events_of(listener), POLLIN);
    Socket wrong(SOCK_SEQPACKET);
    fails("another type", connect_to(wrong, name), EPROTOTYPE);
    fails("a listener does not connect", connect_to(listener, name), EINVAL);
    Socket accepted(listener);
    same("its name is the listener's", name_of_socket(accepted), "s");
    same("the peer has none", name_of_socket(accepted, true), "");
    same("whom one reaches", name_of_socket(other, true), "s");
    write(other, "hello", 5);
    char text[16];
    equal("bytes go through", read(accepted, text, sizeof text), 5);
    unlink("s");
    fails("no name any more", connect_to(Socket(), name), ENOENT);
    equal("but the connection stays", write(accepted, "x", 1), 1);
    close(needs("a file", open("s", O_CREAT | O_RDWR, 0666)));
    fails("a file is no socket", connect_to(Socket(), name), ECONNREFUSED);
    unlink("s");
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

void test_abstract_names() {
    Socket a, b;
    equal("abstract", bind_to(a, Name("@a\0b")), 0);
    fails("taken", bind_to(b, Name("@a\0b")), EADDRINUSE);
    equal("every byte counts", bind_to(b, Name(std::string("@a\0b", 4))), 0);
    same("with zeros in it", name_of_socket(b), std::string("@a\0b", 4));
    a.end();
    Socket c;
    equal("free again", bind_to(c, Name("@a")), 0);
    Socket any, another;
    sockaddr_un family = {AF_UNIX, {}};
    equal("whichever is free", bind(any, (sockaddr*)&family, sizeof(sa_family_t)), 0);
    bind(another, (sockaddr*)&family, sizeof(sa_family_t));
    std::string chosen = name_of_socket(any);
    that("five digits", chosen.size() == 6 && chosen[0] == '@' &&
                            chosen.find_first_not_of("0123456789abcdef", 1) == std::string::npos);
    that("each its own", name_of_socket(another) != chosen);
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

void test_permission() {
    Socket listener;
    unlink("private");
    mode_t mask = umask(077);
    bind_to(listener, Name("private"));
    umask(mask);
    listen(listener, 4);
    struct stat info;
    stat("private", &info);
    equal("umask counts", info.st_mode & 0777, 0700);
    chmod("private", 0755);
    exits("connecting needs the right to write", 0, [] {
        needs("setuid", setuid(1000));
        Socket mine;
        fails("connect", connect_to(mine, Name("private")), EACCES);
        return done();
    });
    chmod("private", 0722);
    pid_t client = start([] {
        needs("setgid", setgid(2000));
        needs("setuid", setuid(1000));
        Socket mine;
        needs("connect", connect_to(mine, Name("private")));
        ucred peer = {};
        socklen_t bytes = sizeof peer;
        needs("SO_PEERCRED", getsockopt(mine, SOL_SOCKET, SO_PEERCRED, &peer, &bytes));
        that("who listens", peer.pid == getppid() && peer.uid == 0 && peer.gid == 0);
        return done();
    });
    Socket accepted(listener);
    ucred peer = {};
    socklen_t bytes = sizeof peer;
    needs("SO_PEERCRED", getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &peer, &bytes));
    that("who connected", peer.pid == client && peer.uid == 1000 && peer.gid == 2000);
    equal("client", wait_for(client), 0);
    unlink("private");
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

void test_listing() {
    Socket listener;
    bind_to(listener, Name("@listed"));
    listen(listener, 1);
    FILE* file = fopen("/proc/net/unix", "r");
    that("/proc/net/unix", file != nullptr);
    if (!file) return;
    char line[256];
    bool found = false;
    while (fgets(line, sizeof line, file)) {
        char name[128] = {};
        unsigned references, protocol, flags, type, state;
        if (sscanf(line, "%*x: %x %x %x %x %x %*u %127s", &references, &protocol, &flags, &type,
                   &state, name) == 6 &&
            std::string(name) == "@listed")
            found = flags == 0x10000 && type == SOCK_STREAM && state == 1;
    }
    fclose(file);
    that("names it", found);
}

}  // namespace

int main() {
    char directory[] = "/tmp/sockets-XXXXXX";
    needs("mkdtemp", mkdtemp(directory) ? 0 : -1);
    chmod(directory, 0755);
    needs("chdir", chdir(directory));
    test_making();
    test_paths();
    test_ends_of_listeners();
    test_backlog();
    test_abstract_names();
    test_datagrams();
    test_permission();
    test_options();
    test_service(SOCK_STREAM);
    test_service(SOCK_SEQPACKET);
    test_killed();
    test_listing();
    rmdir(directory);
    return done();
}
