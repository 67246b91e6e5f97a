// See many_to_many.hpp. A user thread that stops running switches to its kernel thread's own stack,
// and only there, when nothing runs on it any more, does it become visible to others again.
// Locks: `lock` for the queue, and for each thread's end and who waits for it.
#include "user/lab-threads/many_to_many.hpp"

#include <pthread.h>

#include <cstdlib>
#include <new>
#include <vector>

namespace many_to_many {

struct Thread {
    user_threads::Stack stack;
    user_threads::Body body = nullptr;
    void* argument = nullptr;
    Thread* next = nullptr;  // in the ready queue
    Thread* joiner = nullptr;
    bool done = false;
};

namespace {

enum class Stop { yielded, waits, ended };

struct Worker {
    pthread_t kernel_thread;
    void* stack_pointer = nullptr;
    Thread* current = nullptr;
    Stop stop = Stop::yielded;
};

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t work = PTHREAD_COND_INITIALIZER, ended = PTHREAD_COND_INITIALIZER;
Thread* first = nullptr;
Thread* last = nullptr;
bool finishing = false;
std::vector<Worker> workers;
thread_local Worker* own_worker = nullptr;

// Not inlined: a thread may go on in another kernel thread, whose variable this is then.
[[gnu::noinline]] Worker* this_worker() {
    asm volatile("" ::: "memory");
    return own_worker;
}

// Locks: held.
void make_ready(Thread* thread) {
    thread->next = nullptr;
    (first ? last->next : first) = thread;
    last = thread;
    pthread_cond_signal(&work);
}

// Back to the kernel thread's own stack. A thread that waits gives it the lock to release.
void leave(Stop stop) {
    Worker* worker = this_worker();
    worker->stop = stop;
    switch_stack(&worker->current->stack.pointer, worker->stack_pointer);
}

void begin() {
    Thread* self = this_worker()->current;
    self->body(self->argument);
    leave(Stop::ended);
    abort();
}

// Locks: held. What becomes of a thread that has left its stack.
void settle(Thread* thread, Stop stop) {
    if (stop == Stop::yielded) make_ready(thread);
    if (stop != Stop::ended) return;
    thread->done = true;
    if (thread->joiner) make_ready(thread->joiner);
    pthread_cond_broadcast(&ended);
}

void* run(void* argument) {
    auto* worker = own_worker = static_cast<Worker*>(argument);
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!first && !finishing) pthread_cond_wait(&work, &lock);
        if (!first) break;
        Thread* thread = worker->current = first;
        first = thread->next;
        pthread_mutex_unlock(&lock);
        switch_stack(&worker->stack_pointer, thread->stack.pointer);
        worker->current = nullptr;
        if (worker->stop != Stop::waits) pthread_mutex_lock(&lock);
        settle(thread, worker->stop);
    }
    pthread_mutex_unlock(&lock);
    return nullptr;
}

}  // namespace

bool start(int kernel_threads) {
    finishing = false;
    workers.assign(static_cast<size_t>(kernel_threads), Worker{});
    for (Worker& worker : workers)
        if (pthread_create(&worker.kernel_thread, nullptr, run, &worker)) return false;
    return true;
}

void finish() {
    pthread_mutex_lock(&lock);
    finishing = true;
    pthread_cond_broadcast(&work);
    pthread_mutex_unlock(&lock);
    for (Worker& worker : workers) pthread_join(worker.kernel_thread, nullptr);
    workers.clear();
}

Thread* create(user_threads::Body body, void* argument) {
    auto* thread = new (std::nothrow) Thread;
    if (!thread) return nullptr;
    if (!user_threads::make_stack(thread->stack, begin)) {
        delete thread;
        return nullptr;
    }
    thread->body = body;
    thread->argument = argument;
    pthread_mutex_lock(&lock);
    make_ready(thread);
    pthread_mutex_unlock(&lock);
    return thread;
}

void yield() { leave(Stop::yielded); }

void join(Thread* thread) {
    Worker* worker = this_worker();
    pthread_mutex_lock(&lock);
    if (worker && !thread->done) {
        thread->joiner = worker->current;
        leave(Stop::waits);  // its kernel thread goes on with the lock, and releases it
    } else {
        while (!thread->done) pthread_cond_wait(&ended, &lock);
        pthread_mutex_unlock(&lock);
    }
    user_threads::free_stack(thread->stack);
    delete thread;
}

}  // namespace many_to_many
