/* Memory beyond what the machine has: a checked pattern over `argv[1]` MiB, `argv[2]` times; with a
 * file as argv[3], its pages are read through a mapping in between. As a test: 8 MiB. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned pattern(unsigned page, unsigned word, unsigned round) {
    return page * 2654435761u + word + round;
}

/* Odd pages are shared with a child that must go on seeing what was there at the fork. */
static int check_fork(unsigned* memory, unsigned pages, unsigned round) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        for (unsigned i = 1; i < pages; i += 16)
            if (memory[i * 1024] != pattern(i, 0, round)) _exit(1);
        _exit(0);
    }
    for (unsigned i = 1; i < pages; i += 32) memory[i * 1024] = 7;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return 1;
    for (unsigned i = 1; i < pages; i += 32) {
        if (memory[i * 1024] != 7) return 1;
        memory[i * 1024] = pattern(i, 0, round);
    }
    return 0;
}

int main(int argc, char** argv) {
    const unsigned pages = (argc > 1 ? atoi(argv[1]) : 8) * 256u;
    const unsigned rounds = argc > 2 ? atoi(argv[2]) : 2;
    unsigned* memory =
        mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const unsigned* file = NULL;
    size_t words = 0;
    unsigned sum = 0, first_sum = 0;
    if (memory == MAP_FAILED) return perror("mmap"), 1;
    if (argc > 3) {
        struct stat about;
        int fd = open(argv[3], O_RDONLY);
        if (fd < 0 || fstat(fd, &about)) return perror(argv[3]), 1;
        words = about.st_size / 4;
        file = mmap(NULL, about.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (file == MAP_FAILED) return perror(argv[3]), 1;
    }
    for (unsigned round = 0; round < rounds; ++round) {
        for (unsigned i = 0; i < pages; ++i) {
            unsigned* page = memory + i * 1024;
            for (unsigned j = 0; j < 1024; j += 64) {
                const unsigned wanted = round ? pattern(i, j, round - 1) : 0;
                if (page[j] != wanted) {
                    printf("page %u word %u: %x, not %x\n", i, j, page[j], wanted);
                    return 1;
                }
                page[j] = pattern(i, j, round);
            }
        }
        sum = 0;
        for (size_t i = 0; i < words; i += 256) sum += file[i];
        if (round == 0) first_sum = sum;
        if (sum != first_sum) return puts("the file has changed"), 1;
        if (check_fork(memory, pages, round)) return puts("lost across fork"), 1;
    }
    printf("%u MiB, %u rounds: all there\n", pages / 256, rounds);
    return 0;
}
