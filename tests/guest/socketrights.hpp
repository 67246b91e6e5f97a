// What the tests of descriptors in messages share: two connected sockets, a message with what goes beside
// its bytes, a pipe that tells whether its writing end is open anywhere.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <vector>

#include "tests/guest/check.hpp"

namespace rights {

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

inline long send_files(int fd, std::vector<int> files, std::string_view text = "x") {
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

}  // namespace rights
