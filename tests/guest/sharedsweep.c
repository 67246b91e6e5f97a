/* Shared memory beyond what the machine has, in the kind that `argv[1]` names (anonymous, segment,
 * tmpfs by a mapping, file: tmpfs by read and write), of argv[2] MiB: two processes write its pages
 * by turns and check what the other one wrote, argv[3] times; argv[4]: the file. As a test: all
 * kinds, 4 MiB. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kPage = 4096, kWords = kPage / 4 };

static const char* path = "/tmp/sharedsweep";
static int fd = -1;
static unsigned* memory;

static unsigned pattern(unsigned page, unsigned word, unsigned round) {
    return page * 2654435761u + word + round * 77;
}

static int open_memory(const char* kind, size_t bytes) {
    if (!strcmp(kind, "anonymous")) {
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    } else if (!strcmp(kind, "segment")) {
        int id = shmget(IPC_PRIVATE, bytes, 0600);
        if (id < 0) return -1;
        memory = shmat(id, NULL, 0);
        shmctl(id, IPC_RMID, NULL);
    } else {
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || unlink(path) || ftruncate(fd, bytes)) return -1;
        memory = NULL;
        if (!strcmp(kind, "tmpfs"))
            memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    return memory == MAP_FAILED ? -1 : 0;
}

static void close_memory(size_t bytes) {
    if (memory) munmap(memory, bytes);
    if (fd >= 0) close(fd);
    fd = -1;
}

/* One process's turn: every page holds what the other wrote last, and gets something new. */
static int turn(unsigned pages, unsigned round) {
    static unsigned buffer[kWords];
    for (unsigned i = 0; i < pages; ++i) {
        unsigned* page = memory ? memory + (size_t)i * kWords : buffer;
        if (!memory && pread(fd, buffer, kPage, (off_t)i * kPage) != kPage)
            return perror("pread"), 1;
        for (unsigned j = 0; j < kWords; j += 128) {
            const unsigned wanted = round ? pattern(i, j, round - 1) : 0;
            if (page[j] != wanted) {
                printf("page %u word %u: %x, not %x\n", i, j, page[j], wanted);
                return 1;
            }
            page[j] = pattern(i, j, round);
        }
        if (!memory && pwrite(fd, buffer, kPage, (off_t)i * kPage) != kPage)
            return perror("pwrite"), 1;
    }
    return 0;
}

static int sweep(const char* kind, unsigned mib, unsigned rounds) {
    const unsigned pages = mib * 256;
    if (open_memory(kind, (size_t)pages * kPage)) return perror(kind), 1;
    for (unsigned round = 0; round < rounds; ++round) {
        int status;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            status = turn(pages, 2 * round);
            fflush(stdout);
            _exit(status);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status) return 1;
        if (turn(pages, 2 * round + 1)) return 1;
    }
    close_memory((size_t)pages * kPage);
    printf("%s: %u MiB, %u rounds: all there\n", kind, mib, rounds);
    return 0;
}

int main(int argc, char** argv) {
    static const char* const kKinds[] = {"anonymous", "segment", "tmpfs", "file"};
    const unsigned mib = argc > 2 ? atoi(argv[2]) : 4, rounds = argc > 3 ? atoi(argv[3]) : 2;
    int failed = 0;
    if (argc > 4) path = argv[4];
    for (unsigned i = 0; i < 4; ++i)
        if (argc < 2 || !strcmp(argv[1], kKinds[i])) failed |= sweep(kKinds[i], mib, rounds);
    return failed;
}
