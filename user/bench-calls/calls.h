// Rows that are a system call or a few with arguments that stay the same, and others.
#pragma once
#include "user/bench/bench.h"

// In the tables of rows what is not named is 0.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

// A system call and its arguments. kResult stands for what the row's first call gave.
enum { kMostCalls = 3, kResult = -0x7ee7ee7e };
struct Call {
    long number, arguments[5];
    int fails;  // as it should
};

struct CallRow {
    struct Row row;                     // without a function
    struct Call calls[kMostCalls + 1];  // a number 0 behind the last
};
extern const struct CallRow kCallRows[];
extern const struct Row kOtherRows[];
extern const unsigned kCallRowCount, kOtherRowCount;

int64_t measure_calls(const struct Call* calls, unsigned count);
enum { kFirstPipe = 100 };  // the descriptor of the first of 1,000 pipes
void prepare_pipes(void);   // which epolls watch
void close_pipes(void);     // and those, if they are open: fork would copy them
