// select() over a pipe: what is ready, what is not open, and the times that it takes.
// Spec: select(2).
// needs: wing
#include <fcntl.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>

#include "tests/guest/check.hpp"

using namespace check;

int main() {
    int pipe_ends[2];
    needs("pipe", pipe(pipe_ends));
    const int from = pipe_ends[0], to = pipe_ends[1];
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(from, &in);
    FD_SET(to, &out);
    timeval at_once = {0, 0};
    int highest = std::max(to, from) + 1;
    equal("select: one is ready", select(highest, &in, &out, nullptr, &at_once), 1);
    that("the one to write to", !FD_ISSET(from, &in) && FD_ISSET(to, &out));
    write(to, "x", 1);
    FD_SET(from, &in);
    equal("select: both are", select(highest, &in, &out, nullptr, nullptr), 2);
    close(dup2(from, 50));
    FD_ZERO(&in);
    FD_SET(50, &in);
    fails("select: not open", select(51, &in, nullptr, nullptr, &at_once), EBADF);
    timeval many = {0, 2'000'000}, negative = {0, -1};
    FD_ZERO(&in);
    FD_SET(from, &in);
    equal("select: more than a second of them", select(highest, &in, nullptr, nullptr, &many), 1);
    fails("select: negative time", select(highest, &in, nullptr, nullptr, &negative), EINVAL);
    fails("select: negative count", select(-1, nullptr, nullptr, nullptr, &at_once), EINVAL);
    timeval brief = {0, 20'000};
    equal("select sleeps", select(0, nullptr, nullptr, nullptr, &brief), 0);
    return done();
}
