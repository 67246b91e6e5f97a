// What the tests of epoll share: changing a set, a pipe to watch, what a set tells now.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

#include "tests/guest/check.hpp"

namespace epoll {

using namespace check;

inline int ctl(int set, int operation, int fd, uint32_t events = 0, uint64_t data = 0) {
    epoll_event event = {};
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(set, operation, fd, &event);
}
inline int add(int set, int fd, uint32_t events, uint64_t data = 0) {
    return ctl(set, EPOLL_CTL_ADD, fd, events, data);
}

struct Pipe {
    int in, out;
    Pipe() {
        int ends[2];
        needs("pipe", pipe2(ends, O_NONBLOCK));
        in = ends[0], out = ends[1];
    }
    ~Pipe() {
        close(in);
        close(out);
    }
    void put(int bytes = 1) { needs("write", write(out, "12345678", bytes)); }
    void take(int bytes = 1) {
        char to[8];
        needs("read", read(in, to, bytes));
    }
};

// The events of the first ready file now; 0: nothing is ready.
inline uint32_t events_now(int set) {
    epoll_event event = {};
    const int n = epoll_wait(set, &event, 1, 0);
    return n < 0 ? UINT32_MAX : n ? event.events : 0;
}
inline int count_now(int set) {
    epoll_event events[16];
    return epoll_wait(set, events, 16, 0);
}

}  // namespace epoll
