// See models.hpp. 1:1 is the C library's pthreads over clone(); the other two are beside this file.
#include "user/lab-threads/models.hpp"

#include <pthread.h>
#include <sched.h>

#include <new>

#include "user/lab-threads/many_to_many.hpp"
#include "user/lab-threads/many_to_one.hpp"

namespace {

struct Kernel {
    pthread_t thread;
    user_threads::Body body;
    void* argument;
};

void* run(void* argument) {
    auto* self = static_cast<Kernel*>(argument);
    self->body(self->argument);
    return nullptr;
}

void* create(user_threads::Body body, void* argument) {
    auto* self = new (std::nothrow) Kernel{{}, body, argument};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, user_threads::kStackBytes);
    if (self && pthread_create(&self->thread, &attributes, run, self) == 0) return self;
    delete self;
    return nullptr;
}

void join(void* thread) {
    auto* self = static_cast<Kernel*>(thread);
    pthread_join(self->thread, nullptr);
    delete self;
}

}  // namespace

const Model kOneToOne = {"1:1", [](int) { return true; }, create, [] { sched_yield(); }, join,
                         [] {}};

const Model kManyToOne = {
    "N:1",
    [](int) { return true; },
    [](user_threads::Body body, void* argument) -> void* {
        return many_to_one::create(body, argument);
    },
    many_to_one::yield,
    [](void* thread) { many_to_one::join(static_cast<many_to_one::Thread*>(thread)); },
    [] {}};

const Model kManyToMany = {
    "N:M",
    many_to_many::start,
    [](user_threads::Body body, void* argument) -> void* {
        return many_to_many::create(body, argument);
    },
    many_to_many::yield,
    [](void* thread) { many_to_many::join(static_cast<many_to_many::Thread*>(thread)); },
    many_to_many::finish};
