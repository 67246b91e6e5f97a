// The three models of threads behind one interface, so that the same experiments run on each.
#pragma once

#include "user/lab-threads/context.hpp"

struct Model {
    const char* name;
    bool (*start)(int kernel_threads);
    void* (*create)(user_threads::Body body, void* argument);  // null without memory
    void (*yield)();
    void (*join)(void* thread);
    void (*finish)();
};

extern const Model kOneToOne, kManyToOne, kManyToMany;
