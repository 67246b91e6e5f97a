// Waits on epoll sets: time-outs and signals, many waiters, sets that change meanwhile, and that a wait costs
// what is ready and not what is watched.
// run: --smp 4
// Spec: epoll_wait(2), epoll_pwait2(2).
// needs: wing
#include "tests/guest/epoll.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <ctime>
#include <vector>

using namespace epoll;

namespace {

long long nanoseconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

void nothing(int) {}

void test_time_and_signals() {
    const int set = needs("epoll_create1", epoll_create1(0));
    epoll_event event;
    const long long before = nanoseconds();
    equal("a time-out", epoll_wait(set, &event, 1, 30), 0);
    const long long after = nanoseconds();
    that("of that length", after - before >= 30'000'000);
    const long long short_time[2] = {0, 1000}, bad_time[2] = {0, 1000000000};
    equal("epoll_pwait2", syscall(SYS_epoll_pwait2, set, &event, 1, short_time, nullptr, 0), 0);
    fails("with a bad time", syscall(SYS_epoll_pwait2, set, &event, 1, bad_time, nullptr, 0),
          EINVAL);

    struct sigaction action = {};
    action.sa_handler = nothing;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    pid_t child = start([&] {
        fails("a handler ends it, SA_RESTART or not", epoll_wait(set, &event, 1, -1), EINTR);
        return done();
    });
    wait_until(child);
    kill(child, SIGUSR1);
    equal("EINTR", wait_for(child), 0);

    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    raise(SIGUSR1);
    equal("blocked it is no news", epoll_wait(set, &event, 1, 0), 0);
    fails("epoll_pwait lets it in", epoll_pwait(set, &event, 1, -1, &none), EINTR);
    sigset_t now;
    sigprocmask(SIG_BLOCK, nullptr, &now);
    that("and restores the mask", sigismember(&now, SIGUSR1));
    sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
    close(set);
}

// Each of four threads takes what it is woken for; every token arrives once.
constexpr int kTokens = 2000;
int shared_set, shared_counter, stop_counter;
int taken_tokens;
void* take_tokens(void*) {
    int taken = 0;
    for (;;) {
        epoll_event event;
        if (epoll_wait(shared_set, &event, 1, -1) != 1) break;
        if (event.data.fd == stop_counter) break;
        eventfd_t one;
        while (eventfd_read(shared_counter, &one) == 0) ++taken;
    }
    __atomic_add_fetch(&taken_tokens, taken, __ATOMIC_SEQ_CST);
    return nullptr;
}
void test_many_waiters() {
    shared_set = needs("epoll_create1", epoll_create1(0));
    shared_counter = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
    stop_counter = eventfd(0, 0);
    needs("add", add(shared_set, shared_counter, EPOLLIN | EPOLLET, shared_counter));
    needs("add", add(shared_set, stop_counter, EPOLLIN, stop_counter));
    pthread_t threads[4];
    for (pthread_t& thread : threads) pthread_create(&thread, nullptr, take_tokens, nullptr);
    for (int i = 0; i < kTokens; ++i) {
        eventfd_write(shared_counter, 1);
        if (i % 100 == 0) sched_yield();
    }
    pollfd left = {shared_counter, POLLIN, 0};
    while (poll(&left, 1, 0) == 1) sched_yield();
    eventfd_write(stop_counter, 1);
    for (pthread_t thread : threads) pthread_join(thread, nullptr);
    equal("every token once", taken_tokens, kTokens);
    for (int fd : {shared_set, shared_counter, stop_counter}) close(fd);
}

// Files come and go in one process while another waits for them and a third changes the set.
// EPOLLEXCLUSIVE: of the sets that wait, one is told of each piece of news, and none that nobody waits on uses it up.
void test_exclusive() {
    constexpr int kWaiters = 5;
    Pipe pipe;
    const int idle = needs("epoll_create1", epoll_create1(0));
    succeeds("of no use", add(idle, pipe.in, EPOLLIN | EPOLLEXCLUSIVE));
    for (uint32_t mode : {0u, uint32_t{EPOLLET}}) {
        int report[2];
        needs("pipe", ::pipe(report));
        pid_t waiters[kWaiters];
        for (pid_t& waiter : waiters) {
            waiter = start([&] {
                const int set = needs("epoll_create1", epoll_create1(0));
                succeeds("exclusive", add(set, pipe.in, EPOLLIN | EPOLLEXCLUSIVE | mode));
                epoll_event event;
                equal("news", epoll_wait(set, &event, 1, -1), 1);
                equal("is told", write(report[1], "x", 1), 1);
                return done();
            });
            wait_until(waiter);
        }
        for (int i = 0; i < kWaiters; ++i) {
            pipe.put();
            char told[kWaiters + 1];
            equal("one is woken", read(report[0], told, sizeof told), 1);
            usleep(20'000);
            pollfd more{report[0], POLLIN, 0};
            equal("and no other", poll(&more, 1, 0), 0);
            pipe.take();
        }
        for (pid_t waiter : waiters) equal("a waiter", wait_for(waiter), 0);
        close(report[0]);
        close(report[1]);
    }
    pipe.put();
    equal("the set on which nobody waits knows, too", events_now(idle), uint32_t{EPOLLIN});
    close(idle);
}

void test_storm() {
    const int set = needs("epoll_create1", epoll_create1(0));
    Gate ready;
    const pid_t waiter = start([&] {
        ready.pass();
        for (;;) {
            epoll_event events[4];
            if (epoll_wait(set, events, 4, -1) < 0) return 1;
        }
    });
    ready.wait();
    pid_t workers[3];
    for (pid_t& worker : workers)
        worker = start([&] {
            for (int i = 0; i < 400; ++i) {
                Pipe pipe;
                if (add(set, pipe.in, EPOLLIN | (i % 3 ? EPOLLET : EPOLLIN)) < 0) return 1;
                pipe.put();
                if (i % 2) ctl(set, EPOLL_CTL_MOD, pipe.in, EPOLLIN);
                if (i % 5 == 0) ctl(set, EPOLL_CTL_DEL, pipe.in);
            }
            return 0;
        });
    for (pid_t worker : workers) equal("a worker ends well", wait_for(worker), 0);
    equal("nothing is left", count_now(set), 0);
    kill(waiter, SIGKILL);
    that("the waiter was killed in its wait", WIFSIGNALED(wait_for(waiter)));
    close(set);
}

// With one file ready, a wait among 2000 watched ones may not cost much more than among 10: with
// poll() it would be two hundred times as much.
void test_cost() {
    rlimit limit = {4096, 4096};
    needs("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    long long cost[2];
    int sizes[2] = {10, 2000};
    for (int round = 0; round < 2; ++round) {
        const int set = needs("epoll_create1", epoll_create1(0));
        std::vector<int> counters;
        for (int i = 0; i < sizes[round]; ++i) {
            counters.push_back(needs("eventfd", eventfd(i == 5, 0)));
            needs("add", add(set, counters.back(), EPOLLIN));
        }
        cost[round] = INT64_MAX;
        for (int tries = 0; tries < 20; ++tries) {
            const long long start = nanoseconds();
            for (int i = 0; i < 20; ++i) events_now(set);
            cost[round] = std::min(cost[round], nanoseconds() - start);
        }
        for (int fd : counters) close(fd);
        equal("all left", count_now(set), 0);
        close(set);
    }
    that("a wait does not cost what is watched", cost[1] < 20 * cost[0]);
}

}  // namespace

int main() {
    test_time_and_signals();
    test_many_waiters();
    test_exclusive();
    test_storm();
    test_cost();
    return done();
}
