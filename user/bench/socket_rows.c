// Rows of the benchmark over local sockets: the same as those over pipes.
// Spec: socketpair(2), unix(7).
#include <sys/socket.h>

#include "bench.h"
#include "raw.h"

enum { kPageBytes = 4096 };
static char chunk[kPageBytes];

static long make_pair(int pair[2]) {
    return call4(kSocketpair, AF_UNIX, SOCK_STREAM, 0, (long)pair);
}
static void close_pair(const int pair[2]) {
    call(kClose, pair[0], 0, 0);
    call(kClose, pair[1], 0, 0);
}

static void answer(int socket) {
    call(kRead, socket, (long)chunk, 1);
    call(kWrite, socket, (long)chunk, 1);
}

int64_t socket_ping_pong(unsigned count) {
    int pair[2];
    long error = make_pair(pair);
    if (error) return error;
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        for (unsigned i = 0; i < count + 2; i++) answer(pair[1]);
        call(kExit, 0, 0, 0);
    }
    call(kWrite, pair[0], (long)chunk, 1);
    answer(pair[0]);  // both run now
    int64_t cost = COST_OF(count, answer(pair[0]));
    call4(kWait4, child, 0, 0, 0);
    close_pair(pair);
    return cost;
}

static void receive_page(int from) {
    for (long got = 0, more; got < kPageBytes; got += more)
        if ((more = call(kRead, from, (long)chunk, kPageBytes - got)) <= 0) return;
}

int64_t socket_4k(unsigned count) {
    int pair[2];
    long error = make_pair(pair);
    if (error) return error;
    long child = call(kFork, 0, 0, 0);
    if (child == 0) {
        for (unsigned i = 0; i < count + 1; i++) call(kWrite, pair[1], (long)chunk, kPageBytes);
        call(kExit, 0, 0, 0);
    }
    receive_page(pair[0]);
    int64_t cost = COST_OF(count, receive_page(pair[0]));
    call4(kWait4, child, 0, 0, 0);
    close_pair(pair);
    return cost;
}
