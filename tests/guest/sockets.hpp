// What the tests of named local sockets share: a socket that is closed at its end, names, events.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstddef>

#include "tests/guest/check.hpp"

namespace sockets {

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
inline int bind_to(int fd, const Name& name) {
    return bind(fd, (const sockaddr*)&name.address, name.bytes);
}
inline int connect_to(int fd, const Name& name) {
    return connect(fd, (const sockaddr*)&name.address, name.bytes);
}
inline long send_to(int fd, const Name& name, std::string_view text, int flags = 0) {
    return sendto(fd, text.data(), text.size(), flags, (const sockaddr*)&name.address, name.bytes);
}
inline std::string text_of(const sockaddr_un& address, socklen_t bytes) {
    if (bytes <= offsetof(sockaddr_un, sun_path)) return "";
    std::string text(address.sun_path, bytes - offsetof(sockaddr_un, sun_path));
    if (!text[0]) return "@" + text.substr(1);
    return text.c_str();
}
inline std::string name_of_socket(int fd, bool peer = false) {
    sockaddr_un address;
    socklen_t bytes = sizeof address;
    if ((peer ? getpeername : getsockname)(fd, (sockaddr*)&address, &bytes) < 0) return "?";
    return text_of(address, bytes);
}
inline int option(int fd, int which) {
    int value = -1;
    socklen_t bytes = sizeof value;
    needs("getsockopt", getsockopt(fd, SOL_SOCKET, which, &value, &bytes));
    return value;
}
inline int events_of(int fd) {
    pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    needs("poll", poll(&one, 1, 0));
    return one.revents;
}

// The test's own directory, in which it stands from then on; gone at its end.
class OwnDirectory {
  public:
    OwnDirectory() {
        needs("mkdtemp", mkdtemp(path_) ? 0 : -1);
        chmod(path_, 0755);
        needs("chdir", chdir(path_));
    }
    ~OwnDirectory() { rmdir(path_); }

  private:
    char path_[32] = "/tmp/sockets-XXXXXX";
};

}  // namespace sockets
