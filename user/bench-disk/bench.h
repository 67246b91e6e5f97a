// The rows of bench-disk: see main.c.
#pragma once

struct Row {
    const char* name;
    const char* operation;
    void (*prepare)(void);  // untimed; may be null
    void (*run)(void);
    int cold;  // caches are dropped in between
};
extern const struct Row kRows[];
extern const unsigned kRowCount;

void fail(const char* what) __attribute__((noreturn));
void forget_all(void);

// --- linux.c: as the first program of a Linux kernel
void become_init(void);
void stop_machine(void) __attribute__((noreturn));

// --- untar.c
void unpack(const char* archive, const char* folder);
