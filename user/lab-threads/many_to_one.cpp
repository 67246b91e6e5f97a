// See many_to_one.hpp. The one who stops running takes the next of the ready queue and switches to
// it; if there is none while it can't go on itself, all of them wait for each other for ever.
#include "user/lab-threads/many_to_one.hpp"

#include <cstdlib>
#include <new>

namespace many_to_one {

struct Thread {
    user_threads::Stack stack;
    user_threads::Body body = nullptr;
    void* argument = nullptr;
    Thread* next = nullptr;  // in the queue it is in
    Thread* joiner = nullptr;
    bool done = false;
};

namespace {

struct Queue {
    Thread* first = nullptr;
    Thread* last = nullptr;
};
Thread main_thread;
Thread* current = &main_thread;
Queue ready;

void push(Thread*& first, Thread*& last, Thread* thread) {
    thread->next = nullptr;
    (first ? last->next : first) = thread;
    last = thread;
}
Thread* pop(Thread*& first) {
    Thread* thread = first;
    if (thread) first = thread->next;
    return thread;
}
void make_ready(Thread* thread) { push(ready.first, ready.last, thread); }

// Another thread runs; returns when the caller is picked again.
void run_next() {
    Thread* next = pop(ready.first);
    if (!next) abort();  // deadlock
    Thread* self = current;
    current = next;
    if (next != self) switch_stack(&self->stack.pointer, next->stack.pointer);
}

// The current thread is done: one that waits for that in join() is ready again, and another one runs.
// Lab 4.1: stub {}
void end() {
    current->done = true;
    if (current->joiner) make_ready(current->joiner);
    run_next();
}

void begin() {
    current->body(current->argument);
    end();
    abort();  // it must not run again
}

}  // namespace

Thread* create(user_threads::Body body, void* argument) {
    auto* thread = new (std::nothrow) Thread;
    if (!thread) return nullptr;
    if (!user_threads::make_stack(thread->stack, begin)) {
        delete thread;
        return nullptr;
    }
    thread->body = body;
    thread->argument = argument;
    make_ready(thread);
    return thread;
}

// All others that are ready run before the caller goes on.
// Lab 4.1: stub {}
void yield() {
    make_ready(current);
    run_next();
}

// Returns when the thread is done, at once if it is already; then its stack is given back.
// Lab 4.1: stub { (void)thread; }
void join(Thread* thread) {
    if (!thread->done) {
        thread->joiner = current;
        run_next();
    }
    user_threads::free_stack(thread->stack);
    delete thread;
}

void Semaphore::wait() {
    if (count_ > 0) {
        --count_;
        return;
    }
    push(first_, last_, current);
    run_next();
}

void Semaphore::post() {
    if (Thread* thread = pop(first_))
        make_ready(thread);
    else
        ++count_;
}

}  // namespace many_to_one
