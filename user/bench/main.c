// bench [--json] [--rounds N] [--warm] [--dir FOLDER] [ROW...]: what the kernel's operations cost, in ticks
// of the time-stamp counter for each. Under QEMU's `-icount shift=0` a tick is one instruction, and
// the figures can be repeated. The least of some rounds counts, so that the first use of a page or
// of a cache, and a clock interrupt on the way, do not.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/bench/bench.h"
#include "user/bench/raw.h"

const char* bench_program = "/bin/bench";
const char* bench_folder = "/root";

static int json, rounds = 3, printed, warm;

static void run(const struct Row* row) {
    int64_t least = INT64_MAX, cost = 0;
    give_back_memory();
    if (warm) {
        row->measure(row->count);
        puts("ready");
        fflush(stdout);
    }
    for (int i = 0; i < rounds && cost >= 0; i++) {
        cost = row->measure(row->count);
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

static int usage(FILE* to) {
    fputs("usage: bench [--json] [--rounds N] [--warm] [--dir FOLDER] [ROW...]\nrows:", to);
    for (unsigned i = 0; i < kRowCount; i++) fprintf(to, " %s", kRows[i].name);
    fputc('\n', to);
    return to == stdout ? 0 : 2;
}

static const struct Row* find(const char* name) {
    for (unsigned i = 0; i < kRowCount; i++)
        if (strcmp(kRows[i].name, name) == 0) return &kRows[i];
    return NULL;
}

int main(int argc, char* argv[]) {
    if (argc == 2 && strcmp(argv[1], "--exit") == 0) call(kExit, 0, 0, 0);
    if (strchr(argv[0], '/')) bench_program = argv[0];
    if (argc == 3 && strcmp(argv[1], "--again") == 0) {
        exec_again(argv[2]);
        call(kExit, 0, 0, 0);
    }
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
            return usage(strcmp(argv[next], "--help") == 0 ? stdout : stderr);
    }
    for (int i = next; i < argc; i++)
        if (!find(argv[i])) return usage(stderr);

    if (json) printf("{\"unit\": \"tsc ticks\", \"rows\": [");
    if (next == argc)
        for (unsigned i = 0; i < kRowCount; i++) run(&kRows[i]);
    for (; next < argc; next++) run(find(argv[next]));
    if (json) printf("\n]}\n");
    return 0;
}
