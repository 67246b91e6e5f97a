// bench-disk [--linux] FOLDER [ROW...]: what a file system on a disk costs, one JSON object for each row:
// elapsed time, and the time that all threads together, the kernel's included, had a CPU
// (/proc/schedstat). FOLDER holds nothing but, for the row untar, source.tar. With --linux (as the
// first program of a Linux kernel) it first loads /modules/*.ko and mounts /dev/sda there.
#include "user/bench-disk/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void fail(const char* what) {
    fprintf(stderr, "bench-disk: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long long elapsed(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

// Linux adds up when a thread leaves the CPU: so we do, for a moment.
static long long cpu_time(void) {
    usleep(1000);
    FILE* file = fopen("/proc/schedstat", "r");
    char line[256];
    long long sum = 0, field;
    if (!file) fail("/proc/schedstat");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "cpu%*d %*d %*d %*d %*d %*d %*d %lld", &field) == 1) sum += field;
    fclose(file);
    return sum;
}

static void write_setting(const char* path, const char* value) {
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, value, strlen(value)) < 0) fail(path);
    close(fd);
}

void forget_all(void) {
    sync();
    write_setting("/proc/sys/vm/drop_caches", "3");
}

static void run(const struct Row* row) {
    if (row->prepare) row->prepare();
    if (row->cold) forget_all();
    const long long cpu = cpu_time();
    const long long start = elapsed();
    row->run();
    const long long end = elapsed();
    const long long busy = cpu_time();
    printf("{\"name\": \"%s\", \"operation\": \"%s\", \"elapsed_ns\": %lld, \"cpu_ns\": %lld}\n",
           row->name, row->operation, end - start, busy - cpu);
    fflush(stdout);
}

int main(int argc, char* argv[]) {
    int next = 1;
    if (next < argc && strcmp(argv[next], "--linux") == 0) {
        become_init();
        ++next;
    }
    const int help = next < argc && strcmp(argv[next], "--help") == 0;
    if (next >= argc || help) {
        fputs("usage: bench-disk [--linux] FOLDER [ROW...]\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    if (chdir(argv[next]) != 0) fail(argv[next]);
    ++next;
    for (unsigned i = 0; i < kRowCount; i++) {
        int wanted = next >= argc;
        for (int a = next; a < argc; a++) wanted |= strcmp(argv[a], kRows[i].name) == 0;
        if (wanted) run(&kRows[i]);
    }
    puts("done");
    fflush(stdout);
    if (getpid() == 1) stop_machine();
    return 0;
}
