// What a row of the benchmark is: an operation, and how to measure N of it.
#pragma once
#include <stdint.h>

// The cost of `count` operations in ticks, or -errno if the operation cannot be done here.
typedef int64_t Measure(unsigned count);

struct Row {
    const char* name;       // what to ask for on the command line
    const char* operation;  // as docs and reference tables call it
    Measure* measure;
    unsigned count;  // operations in one round
};

// --- semaphore_rows.c
Measure semaphore_pair, semaphore_ping_pong;

// --- message_rows.c
Measure message_pair, message_ping_pong;

// --- socket_rows.c
Measure socket_ping_pong, socket_4k;

// --- watching_rows.c
Measure terminal_ping_pong, traced, watched_write;

// --- thread_rows.c; all others are in rows.c
Measure futex_ping_pong, thread_create_join;

extern const struct Row kRows[];
extern const unsigned kRowCount;

void exec_again(const char* marks);  // less one; returns if there is none left
void give_back_memory(void);         // of the rows before: fork would copy its pages' entries

extern const char* bench_program;  // this program: the exec row runs it, others read it
extern const char* bench_folder;   // where rows that write put their files
