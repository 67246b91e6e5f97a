// What the programs of the benchmark share: options, and rows measured and printed. A program that includes this says
// which rows it has, how one is measured, and what happens between two.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/bench/bench.h"

const char* bench_folder = "/root";

static const struct Row* row_at(unsigned i);  // null: behind the last
static void between_rows(void);
static int64_t cost_of_row(const struct Row* row);

static int json, rounds = 3, printed, warm;

static void run(const struct Row* row) {
    int64_t least = INT64_MAX, cost = 0;
    between_rows();
    if (warm) {
        cost_of_row(row);
        puts("ready");
        fflush(stdout);
    }
    for (int i = 0; i < rounds && cost >= 0; i++) {
        cost = cost_of_row(row);
        if (cost < least) least = cost;
    }
    long long each = (least + row->count / 2) / row->count;
    const char* reason = least < 0 ? strerror(-least) : NULL;
    if (!json && reason)
        printf("%-14s %10s  %s: %s\n", row->name, "-", row->operation, reason);
    else if (!json)
        printf("%-14s %10lld  %s\n", row->name, each, row->operation);
    else {
        printf("%s\n  {\"name\": \"%s\", \"operation\": \"%s\", ", printed ? "," : "", row->name,
               row->operation);
        if (reason)
            printf("\"skipped\": \"%s\"}", reason);
        else
            printf("\"instructions\": %lld}", each);
    }
    printed++;
    fflush(stdout);
}

static int usage(FILE* to, const char* program) {
    fprintf(to, "usage: %s [--json] [--rounds N] [--warm] [--dir FOLDER] [ROW...]\nrows:", program);
    for (unsigned i = 0; row_at(i); i++) fprintf(to, " %s", row_at(i)->name);
    fputc('\n', to);
    return to == stdout ? 0 : 2;
}

static const struct Row* find(const char* name) {
    unsigned i = 0;
    while (row_at(i) && strcmp(row_at(i)->name, name) != 0) i++;
    return row_at(i);
}

static int run_rows(const char* program, int argc, char* argv[]) {
    int next = 1;
    for (; next < argc && argv[next][0] == '-'; next++) {
        if (strcmp(argv[next], "--json") == 0)
            json = 1;
        else if (strcmp(argv[next], "--rounds") == 0 && next + 1 < argc)
            rounds = atoi(argv[++next]);
        else if (strcmp(argv[next], "--warm") == 0)
            warm = 1;
        else if (strcmp(argv[next], "--dir") == 0 && next + 1 < argc)
            bench_folder = argv[++next];
        else
            return usage(strcmp(argv[next], "--help") == 0 ? stdout : stderr, program);
    }
    for (int i = next; i < argc; i++)
        if (!find(argv[i])) return usage(stderr, program);

    if (json) printf("{\"unit\": \"tsc ticks\", \"rows\": [");
    if (next == argc)
        for (unsigned i = 0; row_at(i); i++) run(row_at(i));
    for (; next < argc; next++) run(find(argv[next]));
    if (json) printf("\n]}\n");
    return 0;
}
