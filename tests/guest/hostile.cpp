// What one program can take from all others: threads, signals that wait, files in messages, bytes in
// pipes and sockets. Each has a bound, and the user who made it pays; the superuser keeps a reserve.
// Also: the end of a robust list of a program's own making, and a long chain of closed sockets.
// Spec: getrlimit(2), sigqueue(3), unix(7), set_robust_list(2), sigtimedwait(2), rt_sigqueueinfo(2).
// timeout: 180
// needs: wing
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstddef>

#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr uid_t kUser = 1000;

void become_user() {
    needs("setgid", setresgid(kUser, kUser, kUser));
    needs("setuid", setresuid(kUser, kUser, kUser));
}

// How often CALL succeeds, and with what it ends.
template <typename Call>
int count_until_error(int most, int& error, Call call) {
    for (int n = 0; n < most; ++n)
        if (call() < 0) {
            error = errno;
            return n;
        }
    error = 0;
    return most;
}

long limit_of(int which) {
    rlimit limit;
    needs("getrlimit", getrlimit(static_cast<__rlimit_resource>(which), &limit));
    return static_cast<long>(limit.rlim_cur);
}

// --- signals

int queue_signal(pid_t to) {
    sigval value{};
    return sigqueue(to, SIGRTMIN, value);
}

void test_signals() {
    exits("signals that wait are bounded", 0, [] {
        become_user();
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, nullptr);
        int error;
        const int queued =
            count_until_error(1'000'000, error, [] { return queue_signal(getpid()); });
        equal("sigqueue ends", error, EAGAIN);
        equal("at RLIMIT_SIGPENDING", queued, limit_of(RLIMIT_SIGPENDING));
        equal("one user, one count", status_of([] { return queue_signal(getpid()) ? errno : 0; }),
              EAGAIN << 8);
        succeeds("a standard signal still comes", kill(getpid(), SIGUSR1));
        fails("a timer would need one", timer_create(CLOCK_MONOTONIC, nullptr, new timer_t),
              EAGAIN);
        sigset_t wanted;
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGRTMIN);
        for (int i = 0; i < queued; ++i)
            if (sigwaitinfo(&wanted, nullptr) != SIGRTMIN) return 1;
        succeeds("taken ones make room", queue_signal(getpid()));
        return done();
    });
    exits("a user's that ended count no more", 0, [] {
        become_user();
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, nullptr);
        return queue_signal(getpid()) ? errno : 0;
    });

    siginfo_t info{};
    info.si_code = SI_QUEUE;
    fails("rt_sigqueueinfo to all", syscall(SYS_rt_sigqueueinfo, -1, SIGUSR1, &info), ESRCH);
    fails("rt_sigqueueinfo to a group", syscall(SYS_rt_sigqueueinfo, 0, 0, &info), ESRCH);
}

// A signal whose default is to be ignored, for a process that blocked it and waits.
void test_waiting() {
    exits("SIGCHLD ends sigtimedwait", SIGCHLD, [] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        const pid_t self = getpid();
        const pid_t child = start([=] {
            wait_until(self);
            return 0;
        });
        const timespec limit{20, 0};
        const int got = sigtimedwait(&set, nullptr, &limit);
        wait_for(child);
        return got;
    });
    exits("SIGWINCH ends sigwait", SIGWINCH, [] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGWINCH);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        const pid_t self = getpid();
        const pid_t child = start([=] {
            wait_until(self);
            return kill(self, SIGWINCH);
        });
        int got = 0;
        sigwait(&set, &got);
        wait_for(child);
        return got;
    });
}

// --- sockets and pipes

int send_files(int socket, const int* files, int count, int flags = 0) {
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
    char byte = 'x';
    iovec piece{&byte, 1};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), files, count * sizeof(int));
    return static_cast<int>(sendmsg(socket, &message, flags));
}

// Each pair travels in a message of the next one. How many were made; `last` holds the last.
int make_chain(int most, int (&last)[2], int& error) {
    needs("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, last));
    return count_until_error(most, error, [&] {
        int next[2];
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, next) < 0) return -1;
        if (send_files(next[0], last, 2, MSG_DONTWAIT) < 0) return -1;
        close(last[0]);
        close(last[1]);
        memcpy(last, next, sizeof last);
        return 0;
    });
}

long long milliseconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

void test_sockets() {
    exits("files in messages are bounded", 0, [] {
        become_user();
        int last[2], error;
        const int made = make_chain(100'000, last, error);
        equal("a chain ends", error, ETOOMANYREFS);
        that("at RLIMIT_NOFILE files", made <= limit_of(RLIMIT_NOFILE) / 2);
        const long long before = milliseconds();
        close(last[0]);
        close(last[1]);
        that("its end takes no second", milliseconds() - before < 1000);
        succeeds("and then there is room", make_chain(10, last, error));
        return done();
    });
    exits("bytes in pipes are bounded", 0, [] {
        become_user();
        static char bytes[65536];
        int error = 0, pipes = 0;
        long total = 0;
        for (; pipes < 500; ++pipes) {
            int ends[2];
            if (pipe2(ends, O_NONBLOCK) < 0) break;
            const ssize_t put = write(ends[1], bytes, sizeof bytes);
            if (put > 0) total += put;
            if (put == sizeof bytes) continue;
            error = put < 0 ? errno : ENOMEM;
            break;
        }
        equal("a pipe has no room", error, ENOMEM);
        that("before half of the memory is full", total < 64L << 20);
        return done();
    });
}

// --- threads

void test_threads() {
    exits("a fork bomb leaves the superuser room", 0, [] {
        Gate full;
        const pid_t bomb = start([&] {
            setsid();
            become_user();
            std::vector<pid_t> children;
            int error = 0;
            for (;;) {
                const pid_t child = fork();
                if (child == 0) {
                    pause();
                    _exit(0);
                }
                if (child < 0) {
                    error = errno;
                    break;
                }
                children.push_back(child);
            }
            full.pass(static_cast<char>(error));
            pause();
            return 0;
        });
        equal("it ends with", full.wait(), EAGAIN);
        for (int i = 0; i < 20; ++i) exits("the superuser forks", 7, [] { return 7; });
        exits("another user forks", 7, [] {
            needs("setuid", setresuid(kUser + 1, kUser + 1, kUser + 1));
            return status_of([] { return 7; }) >> 8;
        });
        kill(-bomb, SIGKILL);
        wait_for(bomb);
        return done();
    });
}

// --- robust lists

// A list that never ends, in a space of many regions.
void test_robust_list() {
    struct Link {
        Link* next;
        unsigned words[8];
    };
    exits("an endless robust list", 0, [] {
        constexpr int kPages = 20'000;
        const pid_t child = start([] {
            auto* pages = static_cast<char*>(
                mmap(nullptr, kPages * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
            for (int i = 0; i < kPages; i += 2)
                mprotect(pages + i * 4096, 4096, PROT_READ | PROT_WRITE);
            static Link link;
            static robust_list_head head;
            link.next = &link;
            head.list.next = reinterpret_cast<robust_list*>(&link);
            head.futex_offset = offsetof(Link, words);
            syscall(SYS_set_robust_list, &head, sizeof head);
            const long long before = milliseconds();
            for (int i = 0; i < 1000; ++i) syscall(SYS_futex, link.words, FUTEX_WAKE, 1, 0, 0, 0);
            that("1000 shared wakes take no second", milliseconds() - before < 1000);
            _exit(done());
            return 0;
        });
        const long long before = milliseconds();
        const int status = wait_for(child);
        that("its end takes few seconds", milliseconds() - before < 5000);
        return status >> 8;
    });
    fails("FUTEX_WAKE where nothing is",
          syscall(SYS_futex, nullptr, FUTEX_WAKE, 1, nullptr, nullptr, 0), EFAULT);
}

}  // namespace

int main() {
    test_signals();
    test_waiting();
    test_sockets();
    test_threads();
    test_robust_list();
    return done();
}
