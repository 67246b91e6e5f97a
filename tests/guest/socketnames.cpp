// Names of local sockets: paths, abstract names and ones that the kernel chooses; who may connect, and as
// whom; /proc/net/unix.
// Spec: bind(2), getsockname(2), unix(7).
// needs: wing
#include "tests/guest/sockets.hpp"

namespace {

using namespace sockets;

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
    const OwnDirectory here;
    test_paths();
    test_abstract_names();
    test_permission();
    test_listing();
    return done();
}
