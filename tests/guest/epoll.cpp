// Epoll sets: what may be watched and how, level and edge, one shot, sets in sets, files that are
// closed. What a wait is, and costs, is in epollwaits.cpp.
// run: --smp 4
// Spec: epoll(7), epoll_create(2), epoll_ctl(2), epoll_wait(2).
// needs: wing
#include "tests/guest/epoll.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

using namespace epoll;

namespace {

// As the compiler would not let it be called.
long wait_at(int set, void* to, int room) { return syscall(SYS_epoll_wait, set, to, room, 0); }

void test_bad_calls() {
    fails("epoll_create(0)", syscall(SYS_epoll_create, 0), EINVAL);
    fails("unknown flags", epoll_create1(1), EINVAL);
    const int set = needs("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    equal("EPOLL_CLOEXEC", fcntl(set, F_GETFD), FD_CLOEXEC);
    Pipe pipe;
    const int file = needs("open", open("/etc/passwd", O_RDONLY));
    const int folder = needs("open", open("/", O_RDONLY));
    fails("a regular file", add(set, file, EPOLLIN), EPERM);
    fails("a directory", add(set, folder, EPOLLIN), EPERM);
    fails("no such descriptor", add(set, 99, EPOLLIN), EBADF);
    fails("no such set", add(99, pipe.in, EPOLLIN), EBADF);
    fails("not a set", add(pipe.out, pipe.in, EPOLLIN), EINVAL);
    fails("itself", add(set, set, EPOLLIN), EINVAL);
    fails("an unknown operation", ctl(set, 4, pipe.in), EINVAL);
    fails("a bad pointer", epoll_ctl(set, EPOLL_CTL_ADD, pipe.in, nullptr), EFAULT);
    fails("to change what isn't there", ctl(set, EPOLL_CTL_MOD, pipe.in, EPOLLIN), ENOENT);
    fails("to remove what isn't there", ctl(set, EPOLL_CTL_DEL, pipe.in), ENOENT);
    succeeds("to add", add(set, pipe.in, EPOLLIN));
    fails("to add it again", add(set, pipe.in, EPOLLIN), EEXIST);
    const int copy = dup(pipe.in);
    succeeds("a duplicate is another one", add(set, copy, EPOLLIN));
    succeeds("to remove without an event", epoll_ctl(set, EPOLL_CTL_DEL, copy, nullptr));
    epoll_event event;
    fails("room for none", wait_at(set, &event, 0), EINVAL);
    fails("a negative room", wait_at(set, &event, -1), EINVAL);
    fails("to wait on a pipe", epoll_wait(pipe.in, &event, 1, 0), EINVAL);
    fails("to wait on nothing", epoll_wait(99, &event, 1, 0), EBADF);
    pipe.put();
    fails("no room at all", wait_at(set, reinterpret_cast<void*>(16), 1), EFAULT);
    fails("room in the kernel", wait_at(set, reinterpret_cast<void*>(0xf0000000), 1), EFAULT);
    equal("and the event is not lost", events_now(set), EPOLLIN);
    char byte;
    fails("read", read(set, &byte, 1), EINVAL);
    fails("write", write(set, &byte, 1), EINVAL);
    fails("a mask of another size", syscall(SYS_epoll_pwait, set, &event, 1, 0, &event, 4), EINVAL);
    close(copy);
    close(file);
    close(folder);
    close(set);
}

void test_level_and_edge() {
    const int set = needs("epoll_create1", epoll_create1(0));
    Pipe pipe;
    succeeds("level", add(set, pipe.in, EPOLLIN, 0x123456789abcdefull));
    equal("nothing yet", events_now(set), 0);
    pipe.put(2);
    epoll_event event = {};
    equal("one", epoll_wait(set, &event, 1, -1), 1);
    that("its data", event.data.u64 == 0x123456789abcdefull);
    pipe.take();
    equal("the level stays", events_now(set), EPOLLIN);
    pipe.take();
    equal("and goes", events_now(set), 0);

    succeeds("edge", ctl(set, EPOLL_CTL_MOD, pipe.in, EPOLLIN | EPOLLET));
    pipe.put(2);
    equal("the edge", events_now(set), EPOLLIN);
    equal("once", events_now(set), 0);
    pipe.take();
    equal("reading is no edge", events_now(set), 0);
    pipe.put();
    equal("more is one, though there was some", events_now(set), EPOLLIN);
    succeeds("changing tells of what is there",
             ctl(set, EPOLL_CTL_MOD, pipe.in, EPOLLIN | EPOLLET));
    equal("again", events_now(set), EPOLLIN);

    succeeds("one shot", ctl(set, EPOLL_CTL_MOD, pipe.in, EPOLLIN | EPOLLONESHOT));
    equal("told", events_now(set), EPOLLIN);
    pipe.put();
    equal("and no more", events_now(set), 0);
    succeeds("armed again", ctl(set, EPOLL_CTL_MOD, pipe.in, EPOLLIN | EPOLLONESHOT));
    equal("told again", events_now(set), EPOLLIN);
    close(pipe.out);
    equal("not even of its end", events_now(set), 0);
    succeeds("armed for nothing", ctl(set, EPOLL_CTL_MOD, pipe.in, 0));
    equal("the end is told unasked", events_now(set), EPOLLHUP);
    pipe.out = -1;
    close(set);
}

void test_kinds() {
    const int set = needs("epoll_create1", epoll_create1(0));
    Pipe pipe;
    succeeds("a writer", add(set, pipe.out, EPOLLOUT));
    equal("has room", events_now(set), EPOLLOUT);
    while (write(pipe.out, std::string(4096, 'x').data(), 4096) > 0) {
    }
    equal("has none", events_now(set), 0);
    char page[4096];
    needs("read", read(pipe.in, page, sizeof page));
    equal("has again", events_now(set), EPOLLOUT);
    close(pipe.in);
    equal("lost its readers", events_now(set), EPOLLOUT | EPOLLERR);
    pipe.in = -1;
    succeeds("leaves", ctl(set, EPOLL_CTL_DEL, pipe.out));

    const int counter = eventfd(0, 0);
    succeeds("a counter", add(set, counter, EPOLLIN | EPOLLET));
    equal("is 0", events_now(set), 0);
    eventfd_write(counter, 1);
    equal("isn't", events_now(set), EPOLLIN);
    eventfd_write(counter, 1);
    equal("another edge", events_now(set), EPOLLIN);
    equal("and no more", events_now(set), 0);
    close(counter);

    int ends[2];
    needs("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    succeeds("a socket", add(set, ends[0], EPOLLIN | EPOLLRDHUP | EPOLLET));
    equal("is silent", events_now(set), 0);
    needs("send", send(ends[1], "a", 1, 0));
    equal("speaks", events_now(set), EPOLLIN);
    needs("send", send(ends[1], "a", 1, 0));
    equal("speaks again", events_now(set), EPOLLIN);
    shutdown(ends[1], SHUT_WR);
    equal("says goodbye", events_now(set), EPOLLIN | EPOLLRDHUP);
    close(ends[1]);
    equal("is gone", events_now(set), EPOLLIN | EPOLLRDHUP | EPOLLHUP);
    close(ends[0]);
    equal("nothing is watched", count_now(set), 0);

    sockaddr_un name = {AF_UNIX, "\0epoll-test"};
    const int server = needs("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    needs("bind", bind(server, reinterpret_cast<sockaddr*>(&name), 13));
    needs("listen", listen(server, 4));
    succeeds("a listener", add(set, server, EPOLLIN));
    equal("hears nobody", events_now(set), 0);
    const int client = needs("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    succeeds("an unconnected socket", add(set, client, EPOLLIN | EPOLLOUT | EPOLLET, 1));
    equal("hangs", events_now(set), EPOLLOUT | EPOLLHUP);
    needs("connect", connect(client, reinterpret_cast<sockaddr*>(&name), 13));
    epoll_event events[4] = {};
    that("the listener has news", epoll_wait(set, events, 4, 0) >= 1);  // the client may, too
    const int accepted = needs("accept", accept(server, nullptr, nullptr));
    needs("send", send(accepted, "a", 1, 0));
    equal("what came", events_now(set), EPOLLIN | EPOLLOUT);
    for (int fd : {server, client, accepted, set}) close(fd);
}

void test_closed_files() {
    const int set = needs("epoll_create1", epoll_create1(0));
    auto* pipe = new Pipe;
    succeeds("add", add(set, pipe->in, EPOLLIN));
    pipe->put();
    const int copy = dup(pipe->in);
    close(pipe->in);
    equal("another descriptor has it open", events_now(set), EPOLLIN);
    fails("but its number is gone", ctl(set, EPOLL_CTL_DEL, pipe->in), EBADF);
    close(copy);
    equal("the last one closed", count_now(set), 0);
    pipe->in = -1;
    delete pipe;

    Pipe other;
    succeeds("a new file of the same number", add(set, other.in, EPOLLIN));
    other.put();
    exits("a child shares the set", 0, [&] { return events_now(set) == EPOLLIN ? 0 : 1; });
    exits("and what it removes is removed", 0, [&] { return ctl(set, EPOLL_CTL_DEL, other.in); });
    equal("for all", count_now(set), 0);
    succeeds("and back", add(set, other.in, EPOLLIN));
    close(set);  // with a file in it
    succeeds("the file lives on", write(other.out, "a", 1));
}

void test_nesting() {
    int sets[7];
    for (int& set : sets) set = needs("epoll_create1", epoll_create1(0));
    Pipe pipe;
    succeeds("a pipe in the first", add(sets[0], pipe.in, EPOLLIN));
    for (int i = 1; i < 5; ++i) succeeds("a set in the next", add(sets[i], sets[i - 1], EPOLLIN));
    fails("a sixth", add(sets[5], sets[4], EPOLLIN), ELOOP);
    fails("a circle", add(sets[0], sets[4], EPOLLIN), ELOOP);
    fails("a small circle", add(sets[0], sets[1], EPOLLIN), ELOOP);
    fails("a chain on a chain",
          add(sets[5], sets[6], EPOLLIN) < 0 ? 0 : add(sets[0], sets[5], EPOLLIN), ELOOP);
    fails("EPOLLEXCLUSIVE of a set", add(sets[6], sets[1], EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
    equal("nothing inside", events_now(sets[4]), 0);
    pollfd polled = {sets[4], POLLIN, 0};
    equal("nor for poll", poll(&polled, 1, 0), 0);
    pipe.put();
    equal("news comes up", events_now(sets[4]), EPOLLIN);
    equal("to poll too", poll(&polled, 1, 0), 1);
    pipe.take();
    equal("and goes", events_now(sets[4]), 0);
    const pid_t child = start([&] {
        pollfd one = {sets[4], POLLIN, 0};
        return poll(&one, 1, -1) == 1 ? 0 : 1;
    });
    wait_until(child);
    pipe.put();
    equal("a sleeper in poll is woken through five sets", wait_for(child), 0);
    close(sets[2]);
    equal("a set that is closed leaves", events_now(sets[4]), 0);
    for (int set : sets)
        if (set != sets[2]) close(set);
}

void test_exclusive() {
    const int set = needs("epoll_create1", epoll_create1(0));
    Pipe pipe;
    fails("with EPOLLONESHOT", add(set, pipe.in, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
    fails("with EPOLLRDHUP", add(set, pipe.in, EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP), EINVAL);
    succeeds("alone", add(set, pipe.in, EPOLLIN | EPOLLEXCLUSIVE));
    fails("can't be changed", ctl(set, EPOLL_CTL_MOD, pipe.in, EPOLLIN), EINVAL);
    pipe.put();
    equal("works", events_now(set), EPOLLIN);
    fails("nor be given later", ctl(set, EPOLL_CTL_MOD, pipe.in, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
    close(set);
}

void test_limit() {
    const char* path = "/proc/sys/fs/epoll/max_user_watches";
    const int fd = needs(path, open(path, O_RDWR));
    char before[16] = {};
    needs(path, read(fd, before, sizeof before));
    that("some thousands", atoi(before) > 2000);
    needs(path, pwrite(fd, "2", 1, 0));
    exits("of each user", 0, [] {
        needs("setuid", setuid(100));
        Pipe first, second;
        const int set = needs("epoll_create1", epoll_create1(0));
        const int other = needs("epoll_create1", epoll_create1(0));
        succeeds("one", add(set, first.in, EPOLLIN));
        succeeds("two", add(other, first.in, EPOLLIN));
        fails("three", add(set, second.in, EPOLLIN), ENOSPC);
        close(other);
        succeeds("and another when one is gone", add(set, second.in, EPOLLIN));
        return done();
    });
    fails("no number", pwrite(fd, "x", 1, 0), EINVAL);
    needs(path, pwrite(fd, before, strlen(before), 0));
    close(fd);
}

void test_names() {
    char text[64] = {};
    const int set = epoll_create1(0), counter = eventfd(0, 0);
    readlink(("/proc/self/fd/" + std::to_string(set)).c_str(), text, sizeof text - 1);
    same("its link", text, "anon_inode:[eventpoll]");
    memset(text, 0, sizeof text);
    readlink(("/proc/self/fd/" + std::to_string(counter)).c_str(), text, sizeof text - 1);
    same("a counter's", text, "anon_inode:[eventfd]");
    close(set);
    close(counter);
}

}  // namespace

int main() {
    test_bad_calls();
    test_level_and_edge();
    test_kinds();
    test_closed_files();
    test_nesting();
    test_exclusive();
    test_limit();
    test_names();
    return done();
}
