// What the tests of pseudo-terminals share: pairs, and bytes in and out of them.
#pragma once

#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include <algorithm>
#include <vector>

#include "tests/guest/check.hpp"

using namespace check;

struct Pair {
    int master, slave;
    ~Pair() { close(slave), close(master); }
};

inline std::string slave_name(int master) {
    char name[64];
    needs("ptsname", ptsname_r(master, name, sizeof name) ? -1 : 0);
    return name;
}
inline int new_master(int flags = O_RDWR | O_NOCTTY) {
    int master = static_cast<int>(needs("open /dev/ptmx", open("/dev/ptmx", flags)));
    needs("unlockpt", unlockpt(master));
    return master;
}
inline Pair open_pair() {
    int master = new_master();
    return {master, int(needs("open slave", open(slave_name(master).c_str(), O_RDWR | O_NOCTTY)))};
}
inline std::string take(int fd, size_t most = 4096) {
    std::string text(most, 0);
    ssize_t got = read(fd, text.data(), most);
    text.resize(got < 0 ? 0 : size_t(got));
    return text;
}
inline void put(int fd, std::string_view text) {
    needs("write", write(fd, text.data(), text.size()) == ssize_t(text.size()) ? 0 : -1);
}
inline void raw(int fd) {
    termios t;
    tcgetattr(fd, &t);
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
}
inline short ready(int fd, short wanted = POLLIN | POLLOUT | POLLPRI) {
    pollfd p{fd, wanted, 0};
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

// On Linux what is written at one end takes a moment to the other.
inline void await(int fd, short what = POLLIN) {
    pollfd p{fd, what, 0};
    poll(&p, 1, 10'000);
}
