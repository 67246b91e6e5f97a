// Random system calls with random arguments: whatever a program asks for, the kernel goes on.
// fuzz [SEED [ROUNDS]]: each round is a child process that makes 2,000 calls and may die of them;
// the parent must outlive all. Calls that would end the run itself are left out.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long long state;

static unsigned draw(void) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33);
}

static char* area;

static long argument(void) {
    static const long edges[] = {0,
                                 1,
                                 -1,
                                 2,
                                 3,
                                 4,
                                 5,
                                 16,
                                 0x7fffffff,
                                 (long)0x80000000,
                                 4096,
                                 65536,
                                 (long)0xc0000000,
                                 (long)0xbffffffc,
                                 (long)0xfffff000,
                                 -100};
    switch (draw() % 6) {
        case 0: return edges[draw() % (sizeof edges / sizeof edges[0])];
        case 1: return (long)(area + draw() % 8192);
        case 2: return (long)(area + 8192 - draw() % 16);  // straddles the end of the mapping
        case 3: return (long)(draw() % 64);
        case 4: return 1L << draw() % 32;
        default: return (long)(draw() << 16 ^ draw());
    }
}

// exit, pause-like calls that never end, reboot, the unblockable stop of everybody.
static int left_out(unsigned number) {
    switch (number) {
        case SYS_exit:
        case SYS_exit_group:
        case SYS_reboot:
        case SYS_pause:
        case SYS_kill:
        case SYS_tkill:
        case SYS_tgkill:
        case SYS_rt_sigqueueinfo:
        case SYS_rt_sigsuspend:
        case SYS_sigsuspend:
        case SYS_fork:
        case SYS_vfork:
        case SYS_clone:
        case SYS_umount2:
        case SYS_umount:
        case SYS_chroot:
        case SYS_mount:
        case SYS_syslog:
        case 411:
        case 412:
        case 413:
        case 414:
        case 416:
        case 417:
        case 418:
        case 419: return 1;
        default: return 0;
    }
}

static void go_on(int signal) { (void)signal; }

static void child(unsigned long long seed) {
    state = seed;
    // Ends most of the waits that a random call begins.
    struct itimerval often = {{0, 10000}, {0, 10000}};
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = go_on}, 0);
    setitimer(ITIMER_REAL, &often, 0);
    area = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < 8192; i++) area[i] = (char)draw();
    strcpy(area, "/tmp/fuzz");
    for (int i = 0; i < 2000; i++) {
        unsigned number = draw() % 450;
        if (!left_out(number))
            syscall(number, argument(), argument(), argument(), argument(), argument(), argument());
    }
    _exit(0);
}

static pid_t current;

static void enough(int signal) {
    (void)signal;
    kill(current, SIGKILL);
}

int main(int count, char** words) {
    unsigned long long seed = count > 1 ? strtoull(words[1], 0, 0) : 1;
    int rounds = count > 2 ? atoi(words[2]) : 30, died = 0;
    signal(SIGALRM, enough);
    for (int round = 0; round < rounds; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            setpgid(0, 0);
            chdir("/tmp");
            int nowhere = dup2(1, 99);
            (void)nowhere;
            close(0), close(1), close(2);
            child(seed + round);
        }
        // Some calls wait for ever.
        current = pid;
        struct itimerval limit = {{0, 200000}, {0, 300000}};
        setitimer(ITIMER_REAL, &limit, 0);
        int status;
        while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)) kill(pid, SIGKILL);
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, 0);
        died += WIFSIGNALED(status);
    }
    printf("ok %d rounds from seed %llu, %d ended by a signal\n", rounds, seed, died);
    return 0;
}
