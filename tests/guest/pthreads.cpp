// What POSIX says of threads, by way of the C library: many of them over one mutex and condition
// variable with exact counts, barriers, read-write locks, spin locks, semaphores, waits that end in
// time, data of a thread's own, cancellation.
// run: --mem 256
// Spec: pthreads(7) and the pages it names; sem_overview(7).
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <ctime>
#include <functional>
#include <vector>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

// Threads with small stacks: 500 of the usual ones do not fit an address space.
class Threads {
  public:
    explicit Threads(int count, std::function<void(int)> body) : body_(std::move(body)) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 65536);
        starts_.reserve(count);
        for (int i = 0; i < count; i++) {
            starts_.push_back({this, i});
            pthread_t thread;
            int error = pthread_create(&thread, &attributes, run, &starts_.back());
            if (error) {
                errno = error;
                needs("pthread_create " + std::to_string(i), -1);
            }
            threads_.push_back(thread);
        }
        pthread_attr_destroy(&attributes);
    }
    void join() {
        for (pthread_t thread : threads_) pthread_join(thread, nullptr);
        threads_.clear();
    }
    ~Threads() { join(); }
    pthread_t operator[](int i) const { return threads_[i]; }

  private:
    struct Start {
        Threads* self;
        int number;
    };
    static void* run(void* argument) {
        auto* start = static_cast<Start*>(argument);
        start->self->body_(start->number);
        return nullptr;
    }
    std::function<void(int)> body_;
    std::vector<Start> starts_;
    std::vector<pthread_t> threads_;
};

timespec in_milliseconds(int milliseconds, clockid_t clock = CLOCK_REALTIME) {
    timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += milliseconds % 1000 * 1'000'000;
    t.tv_sec += milliseconds / 1000 + t.tv_nsec / 1'000'000'000;
    t.tv_nsec %= 1'000'000'000;
    return t;
}

long long now_ms() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000ll + t.tv_nsec / 1'000'000;
}

// All wait until all are there; then each adds, and the last one wakes the rest; ten rounds.
void test_five_hundred() {
    constexpr int kThreads = 500, kRounds = 10;
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
    static long sum, round, arrived, wakes;
    Threads threads(kThreads, [](int number) {
        for (int i = 0; i < kRounds; i++) {
            pthread_mutex_lock(&mutex);
            sum += number;
            long mine = round;
            if (++arrived == kThreads) {
                arrived = 0;
                round++;
                pthread_cond_broadcast(&turn);
            } else {
                while (round == mine) pthread_cond_wait(&turn, &mutex);
                wakes++;
            }
            pthread_mutex_unlock(&mutex);
        }
    });
    threads.join();
    equal("500 threads: each added in each round", sum, kRounds * (kThreads * (kThreads - 1) / 2));
    equal("500 threads: the rounds", round, kRounds);
    equal("500 threads: each waited in each round but one", wakes, kRounds * (kThreads - 1));
}

void test_barrier() {
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, nullptr, 8);
    std::atomic<int> serial = 0, early = 0, reached = 0;
    Threads(8, [&](int) {
        for (int i = 1; i <= 50; i++) {
            reached++;
            serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
            early += reached < 8 * i;
            pthread_barrier_wait(&barrier);
        }
    }).join();
    that("barrier: nobody passes early", early == 0 && serial == 50);
    pthread_barrier_destroy(&barrier);
}

void test_read_write_lock() {
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    std::atomic<int> readers = 0, most = 0, writers = 0, wrong = 0;
    long value = 0;
    Threads(10, [&](int number) {
        for (int i = 0; i < 40; i++) {
            if (number < 2) {
                pthread_rwlock_wrlock(&lock);
                wrong += ++writers != 1 || readers != 0;
                value++;
                sched_yield();
                writers--;
            } else {
                pthread_rwlock_rdlock(&lock);
                int now = ++readers;
                if (now > most) most = now;
                wrong += writers != 0;
                sched_yield();
                readers--;
            }
            pthread_rwlock_unlock(&lock);
        }
    }).join();
    that("read-write lock: writers alone", wrong == 0 && value == 80);
    equal("read-write lock: tried while read",
          (pthread_rwlock_rdlock(&lock), pthread_rwlock_trywrlock(&lock)), EBUSY);
    timespec soon = in_milliseconds(20);
    equal("read-write lock: in time", pthread_rwlock_timedwrlock(&lock, &soon), ETIMEDOUT);
    pthread_rwlock_unlock(&lock);
}

void test_spin_and_once() {
    pthread_spinlock_t spin;
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    long count = 0;
    Threads(4, [&](int) {
        for (int i = 0; i < 2000; i++) {
            while (pthread_spin_trylock(&spin)) sched_yield();  // no turn may ever end
            count = count + 1;
            pthread_spin_unlock(&spin);
        }
    }).join();
    equal("spin lock", count, 8000);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static std::atomic<int> calls = 0, unready = 0;
    Threads(8, [](int) {
        pthread_once(&once, [] {
            sched_yield();
            calls++;
        });
        unready += calls != 1;
    }).join();
    that("pthread_once", calls == 1 && unready == 0);
}

void test_semaphores() {
    sem_t full, empty;
    sem_init(&full, 0, 0);
    sem_init(&empty, 0, 4);
    std::atomic<int> most = 0, inside = 0;
    Threads(6, [&](int number) {
        for (int i = 0; i < 100; i++) {
            if (number < 3) {
                sem_wait(&empty);
                int now = ++inside;
                if (now > most) most = now;
                sem_post(&full);
            } else {
                sem_wait(&full);
                inside--;
                sem_post(&empty);
            }
        }
    }).join();
    int left;
    sem_getvalue(&empty, &left);
    that("semaphores: a bounded buffer", inside == 0 && most <= 4 && left == 4);
    fails("sem_trywait", sem_trywait(&full), EAGAIN);
    timespec soon = in_milliseconds(20);
    fails("sem_timedwait", sem_timedwait(&full, &soon), ETIMEDOUT);
    soon.tv_nsec = 1'000'000'000;
    fails("sem_timedwait with no time at all", sem_timedwait(&full, &soon), EINVAL);
}

void test_timed_waits() {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_t condition;
    pthread_cond_init(&condition, &attributes);
    pthread_mutex_lock(&mutex);
    long long start = now_ms();
    timespec soon = in_milliseconds(50, CLOCK_MONOTONIC);
    equal("pthread_cond_timedwait", pthread_cond_timedwait(&condition, &mutex, &soon), ETIMEDOUT);
    that("not before its time", now_ms() - start >= 50);
    soon = in_milliseconds(30);
    equal("pthread_cond_clockwait",
          pthread_cond_clockwait(&condition, &mutex, CLOCK_REALTIME, &soon), ETIMEDOUT);
    int locked = 0, clocked = 0;
    Threads(1, [&](int) {
        timespec by = in_milliseconds(30);
        locked = pthread_mutex_timedlock(&mutex, &by);
        by = in_milliseconds(30, CLOCK_MONOTONIC);
        clocked = pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &by);
    }).join();
    equal("pthread_mutex_timedlock", locked, ETIMEDOUT);
    equal("pthread_mutex_clocklock", clocked, ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
    pthread_t sleeper;
    pthread_create(
        &sleeper, nullptr, [](void*) -> void* { return reinterpret_cast<void*>(pause()); },
        nullptr);
    soon = in_milliseconds(30);
    equal("pthread_timedjoin_np", pthread_timedjoin_np(sleeper, nullptr, &soon), ETIMEDOUT);
    pthread_cancel(sleeper);
    pthread_join(sleeper, nullptr);
}

void test_kinds_of_mutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutex_t mutex;
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&mutex, &attributes);
    that("a recursive mutex", !pthread_mutex_lock(&mutex) && !pthread_mutex_lock(&mutex) &&
                                  !pthread_mutex_unlock(&mutex) && !pthread_mutex_unlock(&mutex) &&
                                  pthread_mutex_unlock(&mutex) == EPERM);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attributes);
    that("a checked one", !pthread_mutex_lock(&mutex) && pthread_mutex_lock(&mutex) == EDEADLK);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    equal("no priority inheritance", pthread_mutex_init(&mutex, &attributes), ENOTSUP);
}

__thread int of_thread = 5;
pthread_key_t key;
std::atomic<int> destroyed, again;

void test_own_data() {
    pthread_key_create(&key, [](void* value) {
        destroyed += *static_cast<int*>(value);
        // Set once more by its own destructor, it is destroyed once more.
        if (again++ == 0) pthread_setspecific(key, value);
    });
    static int weight = 7;
    std::atomic<int> wrong = 0;
    Threads(20, [&](int number) {
        wrong += of_thread != 5 || pthread_getspecific(key) != nullptr;
        of_thread = number;
        pthread_setspecific(key, &weight);
        sched_yield();
        wrong += of_thread != number;
    }).join();
    equal("__thread variables", wrong, 0);
    equal("destructors of keys", destroyed, 21 * 7);
    that("the first thread's own", of_thread == 5 && !pthread_getspecific(key));
}

struct Cancelled {
    std::atomic<int> ready = 0, cleaned = 0;
    sem_t never;
    int (*wait)(Cancelled&);
};

bool is_cancelled(Cancelled& state) {
    sem_init(&state.never, 0, 0);
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void* argument) -> void* {
            auto& state = *static_cast<Cancelled*>(argument);
            pthread_cleanup_push([](void* count) { ++*static_cast<std::atomic<int>*>(count); },
                                 &state.cleaned);
            state.wait(state);
            pthread_cleanup_pop(0);
            return nullptr;
        },
        &state);
    while (!state.ready) sched_yield();
    pthread_cancel(thread);
    void* result;
    pthread_join(thread, &result);
    return result == PTHREAD_CANCELED && state.cleaned == 1;
}

void test_cancellation() {
    Cancelled blocked, late, spinning, masked;
    blocked.wait = [](Cancelled& state) {
        state.ready = 1;
        return sem_wait(&state.never);
    };
    that("cancelled in a wait", is_cancelled(blocked));
    late.wait = [](Cancelled& state) {
        int old;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        state.ready = 1;
        usleep(20'000);  // not here, though it is a cancellation point
        state.cleaned = 0;
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
        pthread_testcancel();
        return 0;
    };
    that("cancelled when it allows it", is_cancelled(late));
    spinning.wait = [](Cancelled& state) {
        int old;
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
        state.ready = 1;
        for (;;) sched_yield();
        return 0;
    };
    that("cancelled amid a loop", is_cancelled(spinning));
    masked.wait = [](Cancelled& state) {
        int ends[2];
        char byte;
        needs("pipe", pipe(ends));
        state.ready = 1;
        return int(read(ends[0], &byte, 1));
    };
    that("cancelled in read()", is_cancelled(masked));
}

void test_names() {
    Gate named, end;
    char own[16] = {}, seen[16] = {};
    Threads thread(1, [&](int) {
        pthread_setname_np(pthread_self(), "busy bee");
        named.pass();
        end.wait();
        pthread_getname_np(pthread_self(), own, sizeof own);
    });
    named.wait();
    pthread_getname_np(thread[0], seen, sizeof seen);
    same("a thread's name", seen, "busy bee");
    equal("may be changed by others", pthread_setname_np(thread[0], "idle drone"), 0);
    end.pass();
    thread.join();
    same("who see it", own, "idle drone");
}

}  // namespace

int main() {
    test_five_hundred();
    test_barrier();
    test_read_write_lock();
    test_spin_and_once();
    test_semaphores();
    test_timed_waits();
    test_kinds_of_mutex();
    test_own_data();
    test_cancellation();
    test_names();
    return done();
}
