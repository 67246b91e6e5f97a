// Processes that end while they connect, accept, send, receive or have files in messages: see
// endings.hpp. Spec: unix(7), connect(2), accept(2), send(2), recv(2).
// needs: wing
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/guest/endings.hpp"

namespace {

using namespace check;

sockaddr_un address(const char* name) {
    sockaddr_un it = {AF_UNIX, {}};
    strcpy(it.sun_path + 1, name);  // abstract
    return it;
}
bool connect_to(int socket, const sockaddr_un& name) {
    return connect(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
}
int bound_socket(int type, const sockaddr_un& name) {
    const int made = needs("socket", socket(AF_UNIX, type, 0));
    needs("bind", bind(made, reinterpret_cast<const sockaddr*>(&name), sizeof name));
    return made;
}

// Sends a descriptor.
void pass(int socket, int file) {
    char byte = 0, control[CMSG_SPACE(sizeof file)] = {};
    iovec data = {&byte, 1};
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(header), &file, sizeof file);
    sendmsg(socket, &message, 0);
}

void test_connections() {
    const sockaddr_un name = address("endings");
    const int listener = bound_socket(SOCK_STREAM, name);
    listen(listener, 0);
    ending("waits for a connection", [=](int) { accept(listener, nullptr, nullptr); });
    int first = needs("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    connect_to(first, name);  // the only place
    ending("waits to be let in", [=](int) { connect_to(socket(AF_UNIX, SOCK_STREAM, 0), name); });
    close(first);
    close(accept(listener, nullptr, nullptr));
    ending_at_work(
        "connecting and accepting",
        [=](int i) {
            const int fd = i ? socket(AF_UNIX, SOCK_STREAM, 0) : accept(listener, nullptr, nullptr);
            if (i) connect_to(fd, name);
            write(fd, bytes, 100);
            close(fd);
        },
        [=] {
            fcntl(listener, F_SETFL, O_NONBLOCK);
            for (int fd; (fd = accept(listener, nullptr, nullptr)) >= 0;) close(fd);
            fcntl(listener, F_SETFL, 0);
            return true;
        });
    close(listener);
}

void test_transfers(int type) {
    signal(SIGPIPE, SIG_IGN);
    int pair[2];
    needs("socketpair", socketpair(AF_UNIX, type, 0, pair));
    const int one = pair[0], other = pair[1];
    // Closing a socket makes the kernel look for those that are only in each other's messages.
    auto emptied = [=] { return drain(other), drain(one), close(socket(AF_UNIX, type, 0)) == 0; };
    ending(
        "receives", [=](int) { recv(other, bytes, sizeof bytes, 0); }, emptied);
    ending(
        "sends",
        [=](int) {
            for (int i = 0; i < 64; ++i) send(one, bytes, sizeof bytes, 0);
        },
        emptied);
    ending(
        "leaves files in messages",
        [=](int) {
            int own[2];
            socketpair(AF_UNIX, type, 0, own);
            pass(one, own[0]);
            pass(own[0], own[1]);
            pass(own[1], own[0]);  // a circle that only the collector finds
            pause();
        },
        emptied);
    ending_at_work(
        "messages with files",
        [=](int i) {
            if (i)
                pass(one, other);
            else
                recv(other, bytes, sizeof bytes, 0);
        },
        emptied);
    ending_at_work(
        "sending and receiving",
        [=](int i) {
            if (i)
                send(one, bytes, 3000, 0);
            else
                recv(other, bytes, 5000, 0);
        },
        emptied);
    close(one);
    close(other);
}

void test_datagrams() {
    const sockaddr_un name = address("endings-box");
    const int box = bound_socket(SOCK_DGRAM, name);
    ending(
        "waits for room in a peer's box",
        [=](int) {
            const int own = socket(AF_UNIX, SOCK_DGRAM, 0);
            connect_to(own, name);
            for (int i = 0; i < 64; ++i) send(own, bytes, sizeof bytes, 0);
        },
        [=] { return drain(box), true; });
    close(box);
}

}  // namespace

int main() {
    fill_caches();
    test_connections();
    for (int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) test_transfers(type);
    test_datagrams();
    return done();
}
