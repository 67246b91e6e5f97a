// What becomes of open files in messages that nobody is left to receive: they are closed, however deep
// they lie, and so are sockets that only messages in each other's buffers refer to.
// Spec: unix(7).
// needs: wing
#include "tests/guest/socketrights.hpp"

#include <sys/un.h>

using namespace rights;

namespace {

void test_closed_on_the_way() {
    Pipe pipe, deep;
    {
        Pair pair(SOCK_DGRAM);
        pipe.give_to(pair.a);
        that("kept while they may be received", !pipe.ended());
        Pair inner;
        deep.give_to(inner.a);
        send_files(pair.a, {inner.b});
    }
    that("closed with the socket", pipe.ended());
    that("and what was in that", deep.ended());
}

// One socket inside the other, far more than a stack is deep.
void test_long_chain() {
    Pipe pipe;
    int last[2];
    needs("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, last));
    pipe.give_to(last[0]);
    for (int i = 0; i < 300; ++i) {
        int next[2];
        needs("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, next));
        if (send_files(next[0], {last[1]}) < 0) {
            equal("a bound on nesting", errno, ETOOMANYREFS);
            close(next[0]);
            close(next[1]);
            break;
        }
        close(last[0]);
        close(last[1]);
        last[0] = next[0];
        last[1] = next[1];
    }
    that("a chain is kept", !pipe.ended());
    close(last[0]);
    close(last[1]);
    that("and all of it closed", pipe.ended());
}

// Sockets that only messages refer to, in each other's buffers.
void make_circle(Pipe& pipe) {
    Pair pair, other;
    pipe.give_to(pair.a);
    send_files(pair.a, {other.b, pair.b});  // lies in pair.b's
    send_files(other.a, {pair.b, pair.a});  // lies in other.b's
}

// Makes and breaks smaller ones, which is when the kernel looks; it may do so a little later.
bool collected(Pipe& pipe) {
    for (int i = 0; i < 2000 && !pipe.ended(); ++i) {
        Pair pair;
        send_files(pair.a, {pair.a});
        sched_yield();
    }
    return pipe.ended();
}

void test_circles() {
    Pipe first, second;
    make_circle(first);
    make_circle(second);
    that("circles are found", collected(first) && collected(second));
    // The same with a connection that nobody has accepted.
    Pipe third;
    {
        int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un name = {AF_UNIX, {}};
        memcpy(name.sun_path, "\0circle", 7);
        bind(listener, (sockaddr*)&name, offsetof(sockaddr_un, sun_path) + 7);
        listen(listener, 1);
        needs("connect", connect(client, (sockaddr*)&name, offsetof(sockaddr_un, sun_path) + 7));
        third.give_to(client);
        send_files(client, {listener, client});
        close(listener);
        close(client);
    }
    that("in a backlog too", collected(third));
    // What can still be reached stays.
    Pair root;
    Pipe kept;
    {
        Pair inner;
        kept.give_to(inner.a);
        send_files(inner.a, {inner.a, inner.b});
        send_files(root.a, {inner.b});
    }
    Pipe lost;
    make_circle(lost);
    that("what can be received stays", collected(lost) && !kept.ended());
    Message got;
    recvmsg(root.b, &got.header, 0);
    int inner = got.files().at(0);
    Message inside;
    equal("and can be", recvmsg(inner, &inside.header, 0), 1);
    for (int fd : inside.files()) close(fd);
    close(inner);
    that("until it is not", collected(kept));
}

// Files that go round while others look for circles.
void test_going_round() {
    std::vector<Pair> pairs(3);
    Pipe pipe;
    constexpr int kRounds = 300;
    pid_t collector = start([] {
        for (int i = 0; i < 300; ++i) {
            Pair pair;
            send_files(pair.a, {pair.a});
        }
        return 0;
    });
    auto pass_on = [&](int from, int to) {
        return start([&, from, to] {
            for (int i = 0; i < kRounds; ++i) {
                Message got;
                if (recvmsg(pairs[from].b, &got.header, 0) != 1 || got.files().size() != 1)
                    return 1;
                if (send_files(pairs[to].a, got.files()) != 1) return 2;
                close(got.files()[0]);
            }
            return 0;
        });
    };
    pid_t first = pass_on(0, 1), second = pass_on(1, 2);
    Pair travelling;
    write(travelling.a, "inside", 6);
    int fd = dup(travelling.b);
    close(travelling.b);
    travelling.b = -1;
    bool whole = true;
    for (int i = 0; i < kRounds && whole; ++i) {
        whole &= send_files(pairs[0].a, {fd}) == 1;
        close(fd);
        Message got;
        whole &= recvmsg(pairs[2].b, &got.header, 0) == 1 && got.files().size() == 1;
        if (whole) fd = got.files()[0];
    }
    that("a socket goes round", whole);
    equal("first", wait_for(first), 0);
    equal("second", wait_for(second), 0);
    equal("collector", wait_for(collector), 0);
    char text[8] = {};
    equal("with what is in it", recv(fd, text, sizeof text, MSG_DONTWAIT), 6);
    close(fd);
}

}  // namespace

int main() {
    test_closed_on_the_way();
    test_long_chain();
    test_circles();
    test_going_round();
    return done();
}
