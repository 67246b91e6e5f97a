// Killed in the middle: for each call of inter-process communication that can sleep, a process is
// killed where it sleeps in it; then the object must work for others as if it had never come.
// run: --smp 4
// Spec: the pages of the calls; signal(7).
// needs: wing
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

constexpr int kRounds = 3;

// Several times: a child that sleeps in CALL is killed there.
template <typename Call>
void kill_in(const char* name, Call call) {
    for (int i = 0; i < kRounds; ++i) {
        const pid_t child = start([&] {
            call();
            return 1;
        });
        wait_until(child);
        kill(child, SIGKILL);
        const int status = wait_for(child);
        that(name, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

char page[65536];

void test_pipes() {
    int ends[2];
    needs("pipe", pipe(ends));
    kill_in("read a pipe", [&] { read(ends[0], page, 1); });
    equal("it works", write(ends[1], "ab", 2), 2);
    equal("whole", read(ends[0], page, 9), 2);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], page, 4096) > 0) {
    }
    fcntl(ends[1], F_SETFL, 0);
    kill_in("write to a full pipe", [&] { write(ends[1], page, 4096); });
    equal("a page out", read(ends[0], page, 4096), 4096);
    equal("a page in", write(ends[1], page, 4096), 4096);
    for (int end : ends) close(end);
    needs("mkfifo", mkfifo("/tmp/killed.fifo", 0600));
    kill_in("open a FIFO to read", [] { open("/tmp/killed.fifo", O_RDONLY); });
    fails("nobody reads it", open("/tmp/killed.fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    kill_in("open a FIFO to write", [] { open("/tmp/killed.fifo", O_WRONLY); });
    const int reader = needs("open", open("/tmp/killed.fifo", O_RDONLY | O_NONBLOCK));
    equal("nobody writes it", read(reader, page, 1), 0);
    close(reader);
    unlink("/tmp/killed.fifo");
}

void test_messages() {
    struct {
        long type = 1;
        char text[4096] = {};
    } message;
    const int queue = needs("msgget", msgget(IPC_PRIVATE, 0600));
    kill_in("msgrcv", [&] { msgrcv(queue, &message, 4096, 0, 0); });
    needs("msgsnd", msgsnd(queue, &message, 5, 0));
    equal("nobody dead took it", msgrcv(queue, &message, 4096, 0, IPC_NOWAIT), 5);
    while (msgsnd(queue, &message, 4096, IPC_NOWAIT) == 0) {
    }
    msqid_ds before, after;
    needs("msgctl", msgctl(queue, IPC_STAT, &before));
    kill_in("msgsnd", [&] { msgsnd(queue, &message, 4096, 0); });
    needs("msgctl", msgctl(queue, IPC_STAT, &after));
    equal("nor sent any", after.msg_qnum, before.msg_qnum);
    needs("msgctl", msgctl(queue, IPC_RMID, nullptr));

    mq_attr attributes = {};
    attributes.mq_maxmsg = 1, attributes.mq_msgsize = 64;
    const mqd_t posix = needs("mq_open", mq_open("/killed", O_RDWR | O_CREAT, 0600, &attributes));
    kill_in("mq_receive", [&] { mq_receive(posix, page, 64, nullptr); });
    needs("mq_send", mq_send(posix, "abc", 3, 1));
    kill_in("mq_send", [&] { mq_send(posix, "defg", 4, 1); });
    equal("the first is there", mq_receive(posix, page, 64, nullptr), 3);
    needs("mq_getattr", mq_getattr(posix, &attributes));
    equal("and no other", attributes.mq_curmsgs, 0);
    mq_close(posix);
    mq_unlink("/killed");
}

int operate(int set, short change, short flags = 0) {
    sembuf operation = {0, change, flags};
    return semop(set, &operation, 1);
}

void test_semaphores() {
    const int set = needs("semget", semget(IPC_PRIVATE, 1, 0600));
    kill_in("semop", [&] { operate(set, -1); });
    equal("nobody waits", semctl(set, 0, GETNCNT), 0);
    needs("semop", operate(set, 1));
    equal("nobody dead took it", semctl(set, 0, GETVAL), 1);
    kill_in("semop for zero", [&] { operate(set, 0); });
    equal("nobody waits for zero", semctl(set, 0, GETZCNT), 0);
    kill_in("holding with SEM_UNDO", [&] {
        operate(set, -1, SEM_UNDO);
        operate(set, -1);
    });
    equal("what it held is given back", semctl(set, 0, GETVAL), 1);
    needs("semctl", semctl(set, 0, IPC_RMID));

    auto* word = static_cast<int*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    kill_in("futex", [&] { syscall(SYS_futex, word, FUTEX_WAIT, 0, nullptr, nullptr, 0); });
    equal("nobody dead is woken", syscall(SYS_futex, word, FUTEX_WAKE, 9, nullptr, nullptr, 0), 0);
    munmap(word, 4096);
}

void test_memory() {
    const int id = needs("shmget", shmget(IPC_PRIVATE, 8192, 0600));
    kill_in("with a segment attached", [&] {
        if (shmat(id, nullptr, 0) != reinterpret_cast<void*>(-1)) pause();
    });
    shmid_ds status;
    needs("shmctl", shmctl(id, IPC_STAT, &status));
    equal("nobody has it", status.shm_nattch, 0);
    needs("shmctl", shmctl(id, IPC_RMID, nullptr));
    fails("it is gone", shmctl(id, IPC_STAT, &status), EINVAL);
}

void test_sockets() {
    int ends[2];
    needs("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    kill_in("recv", [&] { recv(ends[0], page, 1, 0); });
    while (send(ends[1], page, 4096, MSG_DONTWAIT) > 0) {
    }
    kill_in("send", [&] { send(ends[1], page, sizeof page, 0); });
    long got = 0;
    for (ssize_t n; (n = recv(ends[0], page, sizeof page, MSG_DONTWAIT)) > 0;) got += n;
    that("what was sent before", got >= 4096);
    equal("it works", send(ends[1], "abc", 3, 0), 3);
    equal("whole", recv(ends[0], page, 9, 0), 3);
    for (int end : ends) close(end);

    sockaddr_un name = {AF_UNIX, "\0killed"};
    auto* address = reinterpret_cast<sockaddr*>(&name);
    const int server = needs("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    needs("bind", bind(server, address, 9));
    needs("listen", listen(server, 0));
    kill_in("accept", [&] { accept(server, nullptr, nullptr); });
    const int first = needs("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    needs("connect", connect(first, address, 9));
    kill_in("connect", [&] {
        const int another = socket(AF_UNIX, SOCK_STREAM, 0);
        connect(another, address, 9);
    });
    fcntl(server, F_SETFL, O_NONBLOCK);
    const int accepted = needs("accept", accept(server, nullptr, nullptr));
    fails("nobody dead is in the queue", accept(server, nullptr, nullptr), EAGAIN);
    for (int fd : {server, first, accepted}) close(fd);
}

void test_waiting_for_files() {
    const int counter = needs("eventfd", eventfd(0, EFD_NONBLOCK));
    const int set = needs("epoll_create1", epoll_create1(0));
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLET;
    needs("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, counter, &event));
    kill_in("epoll_wait", [&] { epoll_wait(set, &event, 1, -1); });
    kill_in("poll", [&] {
        pollfd both[2] = {{counter, POLLIN, 0}, {set, POLLIN, 0}};
        poll(both, 2, -1);
    });
    kill_in("select", [&] {
        fd_set wanted;
        FD_ZERO(&wanted);
        FD_SET(counter, &wanted);
        select(counter + 1, &wanted, nullptr, nullptr, nullptr);
    });
    needs("eventfd_write", eventfd_write(counter, 1));
    equal("nobody dead took the edge", epoll_wait(set, &event, 1, 10000), 1);
    eventfd_t value;
    needs("eventfd_read", eventfd_read(counter, &value));
    fcntl(counter, F_SETFL, 0);
    kill_in("read a counter", [&] { eventfd_read(counter, &value); });
    needs("eventfd_write", eventfd_write(counter, UINT64_MAX - 1));
    kill_in("write to a full one", [&] { eventfd_write(counter, 1); });
    needs("eventfd_read", eventfd_read(counter, &value));
    that("it has what it had", value == UINT64_MAX - 1);
    close(set);
    close(counter);

    const int timer = needs("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0));
    kill_in("read a timer", [&] { read(timer, page, 8); });
    const itimerspec soon = {{0, 0}, {0, 1000}};
    needs("timerfd_settime", timerfd_settime(timer, 0, &soon, nullptr));
    equal("it expires for others", read(timer, page, 8), 8);
    close(timer);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    const int signal = needs("signalfd", signalfd(-1, &signals, 0));
    kill_in("read signals", [&] { read(signal, page, 128); });
    raise(SIGUSR1);
    equal("ours are ours", read(signal, page, 128), 128);
    close(signal);
}

void test_locks() {
    const int file = needs("open", open("/tmp/killed.lock", O_RDWR | O_CREAT, 0600));
    needs("flock", flock(file, LOCK_EX));
    kill_in("flock", [] { flock(open("/tmp/killed.lock", O_RDWR), LOCK_EX); });
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    needs("F_SETLK", fcntl(file, F_SETLK, &whole));
    kill_in("F_SETLKW", [&] { fcntl(file, F_SETLKW, &whole); });
    flock(file, LOCK_UN);
    kill_in("holding a lock", [] {
        flock(open("/tmp/killed.lock", O_RDWR), LOCK_EX);
        pause();
    });
    succeeds("it is free", flock(file, LOCK_EX | LOCK_NB));
    close(file);
    unlink("/tmp/killed.lock");
}

}  // namespace

int main() {
    test_pipes();
    test_messages();
    test_semaphores();
    test_memory();
    test_sockets();
    test_waiting_for_files();
    test_locks();
    return done();
}
