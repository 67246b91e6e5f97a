// Mutexes whose owner dies: the next one learns of it, within a process and between processes; and
// what the kernel makes of a list of held futexes that is nonsense.
// Spec: pthread_mutexattr_setrobust(3), get_robust_list(2), set_robust_list(2).
// needs: wing
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

void make_robust(pthread_mutex_t& mutex, bool shared) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (shared) pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&mutex, &attributes);
}

template <typename T>
T& shared_memory() {
    void* at = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) needs("shared memory", -1);
    return *new (at) T;
}

void test_thread_dies() {
    pthread_mutex_t mutex, other;
    make_robust(mutex, false);
    make_robust(other, false);
    std::thread([&] {
        pthread_mutex_lock(&mutex);
        pthread_mutex_lock(&other);
    }).join();
    equal("owner thread died", pthread_mutex_lock(&mutex), EOWNERDEAD);
    equal("another of its mutexes", pthread_mutex_lock(&other), EOWNERDEAD);
    pthread_mutex_consistent(&mutex);
    pthread_mutex_unlock(&mutex);
    that("made consistent, it is as good as new",
         !pthread_mutex_lock(&mutex) && !pthread_mutex_unlock(&mutex));
    pthread_mutex_unlock(&other);
    equal("not made consistent, it is lost", pthread_mutex_lock(&other), ENOTRECOVERABLE);
}

void test_waiter_is_woken() {
    pthread_mutex_t mutex;
    make_robust(mutex, false);
    std::atomic<bool> locked = false, waits = false;
    std::atomic<int> result = 0;
    std::thread owner([&] {
        pthread_mutex_lock(&mutex);
        locked = true;
        while (!waits) sched_yield();
        usleep(20'000);  // the other one sleeps by now
    });
    while (!locked) sched_yield();
    std::thread waiter([&] {
        waits = true;
        result = pthread_mutex_lock(&mutex);
        if (result == EOWNERDEAD) pthread_mutex_consistent(&mutex);
        pthread_mutex_unlock(&mutex);
    });
    owner.join();
    waiter.join();
    equal("who waits is woken", result, EOWNERDEAD);
}

struct Shared {
    pthread_mutex_t mutex;
    std::atomic<int> locked;
};

// A process that takes the lock, and ends by END.
template <typename End>
void test_process_dies(const char* how, End end) {
    auto& shared = shared_memory<Shared>();
    make_robust(shared.mutex, true);
    pid_t child = start([&] {
        pthread_mutex_lock(&shared.mutex);
        shared.locked = 1;
        end();
        return 0;
    });
    while (!shared.locked) sched_yield();
    pid_t waiter = start([&] {
        int result = pthread_mutex_lock(&shared.mutex);
        pthread_mutex_consistent(&shared.mutex);
        pthread_mutex_unlock(&shared.mutex);
        return result;
    });
    wait_until(waiter);
    kill(child, SIGUSR1);
    wait_for(child);
    equal(std::string("a process that waits is told: owner ") + how, wait_for(waiter),
          W_EXITCODE(EOWNERDEAD, 0));
    equal("and the lock works", pthread_mutex_lock(&shared.mutex), 0);
    pthread_mutex_unlock(&shared.mutex);
    munmap(&shared, sizeof shared);
}

void test_execs() {
    auto& shared = shared_memory<Shared>();
    make_robust(shared.mutex, true);
    Gate gate;
    pid_t child = start([&] {
        pthread_mutex_lock(&shared.mutex);
        execl("/bin/true", "true", nullptr);
        return 1;
    });
    wait_for(child);
    equal("owner became another program", pthread_mutex_lock(&shared.mutex), EOWNERDEAD);
}

// In a thread with such a list, which then ends; the process must live on.
bool survives(uint32_t head) {
    bool done = false;
    std::thread([&] {
        done = syscall(SYS_set_robust_list, head, 12) == 0;
        syscall(SYS_exit, 0);
    }).detach();
    for (int i = 0; i < 200 && !done; i++) sched_yield();
    usleep(10'000);
    return done;
}

struct Link {
    Link* next;
    uint32_t word;
};
struct Head {
    Link* first;
    long offset;
    Link* pending;
};

void test_nonsense() {
    void* head;
    size_t size = 0;
    succeeds("get_robust_list", syscall(SYS_get_robust_list, 0, &head, &size));
    equal("the size of a head", size, 12);
    fails("another size", syscall(SYS_set_robust_list, head, 24), EINVAL);
    fails("no such thread", syscall(SYS_get_robust_list, 99999, &head, &size), ESRCH);
    fails("nowhere to tell", syscall(SYS_get_robust_list, 0, 1, &size), EFAULT);
    for (uint32_t bad : {1u, 0xfffffff0u, 0xc0000000u, 0x10u})
        that("a bad list does no harm", survives(bad));
    static Link ring[2], last;
    ring[0] = {&ring[1], 0};
    ring[1] = {&ring[0], 0};
    static Head rings{&ring[0], sizeof(Link*), nullptr};
    that("nor one without an end", survives(uint32_t(&rings)));
    last = {reinterpret_cast<Link*>(0xdeadbee0), 0};
    static Head broken{&last, sizeof(Link*), nullptr};
    that("nor a broken one", survives(uint32_t(&broken)));
    static Head odd{&last, 3, &last};
    that("nor words that are not aligned", survives(uint32_t(&odd)));
    auto* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static Head constant{static_cast<Link*>(page), 4, static_cast<Link*>(page)};
    that("nor words that can't be written", survives(uint32_t(&constant)));
}

}  // namespace

int main() {
    test_thread_dies();
    test_waiter_is_woken();
    test_process_dies("exits", [] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        int signal;
        sigwait(&set, &signal);
        _exit(0);
    });
    test_process_dies("is killed", [] { pause(); });
    test_execs();
    test_nonsense();
    return done();
}
