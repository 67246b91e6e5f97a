// Notices of POSIX message queues, by signal and by thread: once each, to one process, not while a
// reader waits; they end with the descriptor.
// run: --smp 4
// Spec: mq_notify(3).
// needs: wing
#include <pthread.h>

#include "tests/guest/mqueue.hpp"

using namespace check;

namespace {

volatile int notices, notice_value, notice_code, notice_sender;
void on_notice(int, siginfo_t* info, void*) {
    notice_value = info->si_value.sival_int;
    notice_code = info->si_code;
    notice_sender = info->si_pid;
    notices = notices + 1;
}
pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t told_change = PTHREAD_COND_INITIALIZER;
int told = 0;
void on_thread(sigval value) {
    pthread_mutex_lock(&told_lock);
    told = value.sival_int;
    pthread_cond_signal(&told_change);
    pthread_mutex_unlock(&told_lock);
}

void test_notices() {
    const mqd_t queue = fresh("/notice");
    struct sigaction action = {};
    action.sa_sigaction = on_notice;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR2, &action, nullptr);
    sigevent event = {};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR2;
    event.sigev_value.sival_int = 77;
    succeeds("mq_notify", mq_notify(queue, &event));
    fails("twice", mq_notify(queue, &event), EBUSY);
    exits("others", 0, [&] {
        fails("can't have it", mq_notify(queue, &event), EBUSY);
        mq_close(queue);  // which is not the owner's
        return done();
    });
    exits("a sender", 0, [&] { return put(queue, "x"); });
    for (int i = 0; i < 1000 && !notices; ++i) sched_yield();
    equal("one notice", notices, 1);
    equal("its value", notice_value, 77);
    equal("SI_MESGQ", notice_code, SI_MESGQ);
    that("from the sender", notice_sender > 0 && notice_sender != getpid());
    succeeds("it was for once", mq_notify(queue, &event));
    needs("send", put(queue, "y"));
    equal("the queue was not empty", notices, 1);
    next(queue);
    next(queue);
    const pid_t child = start([&] { return next(queue) == "z/0" ? 0 : 1; });
    wait_until(child);
    needs("send", put(queue, "z"));
    equal("who waits gets it", wait_for(child), 0);
    equal("and no notice", notices, 1);
    needs("send", put(queue, "now"));
    equal("now it comes", notices, 2);
    next(queue);

    succeeds("registered", mq_notify(queue, &event));
    succeeds("and not", mq_notify(queue, nullptr));
    needs("send", put(queue, "quiet"));
    equal("no notice", notices, 2);
    next(queue);
    const mqd_t other = needs("mq_open", mq_open("/notice", O_RDWR));
    succeeds("registered by another opening", mq_notify(other, &event));
    mq_close(other);
    succeeds("ends with it", mq_notify(queue, &event));
    exits("a child registers and dies", 0, [&] {
        mq_notify(queue, nullptr);
        return 0;
    });
    fails("which was not the child's to end", mq_notify(queue, &event), EBUSY);
    mq_notify(queue, nullptr);
    exits("a child", 0, [&] { return mq_notify(queue, &event); });
    succeeds("took its registration along", mq_notify(queue, nullptr));
    event.sigev_signo = 65;
    fails("no such signal", mq_notify(queue, &event), EINVAL);
    event.sigev_notify = 9;
    fails("no such way", mq_notify(queue, &event), EINVAL);
    fails("not a queue", mq_notify(1, nullptr), EBADF);

    event = {};
    event.sigev_notify = SIGEV_THREAD;
    event.sigev_notify_function = on_thread;
    event.sigev_value.sival_int = 5;
    succeeds("SIGEV_THREAD", mq_notify(queue, &event));
    needs("send", put(queue, "thread"));
    pthread_mutex_lock(&told_lock);
    timespec limit = from_now(900'000'000);
    limit.tv_sec += 10;
    while (!told && pthread_cond_timedwait(&told_change, &told_lock, &limit) == 0) {
    }
    equal("a thread was told", told, 5);
    pthread_mutex_unlock(&told_lock);
    mq_close(queue);
    mq_unlink("/notice");
}

}  // namespace

int main() {
    test_notices();
    return done();
}
