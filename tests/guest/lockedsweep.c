/* lockedsweep LOCKED SWEPT: locks so many MiB, writes and reads so many others twice, and says how many
 * pages reclaim looked at for each that it took; then unlocks, sweeps again, and says how many of those that
 * were locked have left. With swap; as a test without arguments: that it runs. */
// needs: wing
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { kPage = 4096 };

static unsigned long counted(const char* name) {
    char line[100];
    unsigned long number = 0;
    FILE* file = fopen("/proc/vmstat", "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ')
            number = strtoul(line + strlen(name), NULL, 10);
    fclose(file);
    return number;
}

static int sweep(size_t bytes) {
    volatile char* memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    int wrong = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t at = 0; at < bytes; at += kPage) memory[at] = (char)(at / kPage + 1);
        for (size_t at = 0; at < bytes; at += kPage) wrong += memory[at] != (char)(at / kPage + 1);
    }
    munmap((void*)memory, bytes);
    return wrong;
}

static size_t present(char* memory, size_t bytes) {
    static unsigned char there[1 << 16];
    size_t count = 0;
    if (mincore(memory, bytes, there)) perror("mincore"), exit(1);
    for (size_t i = 0; i < bytes / kPage; i++) count += there[i] & 1;
    return count;
}

int main(int count, char** words) {
    const size_t locked = (size_t)(count > 2 ? atoi(words[1]) : 1) << 20;
    const size_t swept = (size_t)(count > 2 ? atoi(words[2]) : 1) << 20;
    char* memory = mmap(NULL, locked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mlock(memory, locked)) return perror("mlock"), 1;
    memset(memory, 7, locked);
    const unsigned long scanned = counted("pgscan"), taken = counted("pgsteal");
    if (sweep(swept)) return puts("a page is wrong"), 1;
    printf("%lu looked at, %lu taken\n", counted("pgscan") - scanned, counted("pgsteal") - taken);
    const size_t stayed = present(memory, locked);
    munlock(memory, locked);
    if (sweep(swept)) return puts("a page is wrong"), 1;
    const size_t then = present(memory, locked);
    for (size_t at = 0; at < locked; at++)
        if (memory[at] != 7) return puts("a locked page is wrong"), 1;
    printf("%zu of %zu stayed, then %zu\n", stayed, locked / kPage, then);
    return stayed != locked / kPage;
}
