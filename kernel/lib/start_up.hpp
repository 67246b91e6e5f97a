// What runs at start-up although main.cpp does not name it: a room that a build may leave out
// registers itself so. The linker script gathers the pointers; main.cpp calls them in no promised
// order, after the rooms that it names.
#pragma once

using StartUpFunction = void (*)();

#define AT_START_UP(function)              \
    [[gnu::section(".init.data.start_up"), \
      gnu::used]] constinit const StartUpFunction start_up_##function = function

extern "C" const StartUpFunction __start_up_begin[], __start_up_end[];

inline void run_start_up_functions() {
    for (const StartUpFunction* next = __start_up_begin; next < __start_up_end; ++next) (*next)();
}
