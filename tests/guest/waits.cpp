// Who waits for whom, as /proc/deadlock tells it: circles of robust mutexes (whose word names the
// owner), of flock() and of System V semaphores are found and drawn; the kernel can cure one.
// needs: wing
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

std::string read_file(const char* path) {
    std::string text;
    char part[512];
    const int fd = open(path, O_RDONLY);
    for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;) text.append(part, n);
    close(fd);
    return text;
}
void write_file(const char* path, const char* text) {
    const int fd = open(path, O_WRONLY);
    equal("written", write(fd, text, strlen(text)), static_cast<int>(strlen(text)));
    close(fd);
}

// Until the kernel tells of such an edge in a cycle; how many there are.
int edges_in_cycle(const char* what) {
    for (int tries = 0; tries < 2000; ++tries) {
        const std::string text = read_file("/proc/deadlock");
        int count = 0;
        for (size_t at = 0; (at = text.find(what, at)) != text.npos; ++at)
            count += text.substr(at, text.find('\n', at) - at).find("(in a cycle)") != text.npos;
        if (count) return count;
        usleep(1000);
    }
    return 0;
}

struct Shared {
    pthread_mutex_t mutexes[2];
    std::atomic<int> have_one;
};
Shared* shared;

void meet() {
    for (++shared->have_one; shared->have_one < 2;) sched_yield();
}

void* lock_both(void* first) {
    const bool swapped = first != nullptr;
    pthread_mutex_lock(&shared->mutexes[swapped]);
    meet();
    pthread_mutex_lock(&shared->mutexes[!swapped]);
    return nullptr;
}

// Two processes that run `body`, which gets 0 or 1; then the edges, then their end.
template <typename F>
void circle(const char* what, F&& body) {
    shared->have_one = 0;
    pid_t pids[2];
    for (int i = 0; i < 2; ++i) {
        pids[i] = fork();
        if (pids[i] == 0) {
            body(i);
            _exit(0);
        }
    }
    std::string title = what;
    equal(title.append(": a circle of two"), edges_in_cycle(what), 2);
    const std::string drawn = read_file("/proc/deadlock.dot");
    that("an edge is drawn", drawn.find("t" + std::to_string(pids[0]) + " -> t" +
                                        std::to_string(pids[1])) != drawn.npos);
    that("in red", drawn.find("color=red") != drawn.npos);
    kill(pids[0], SIGKILL);
    for (pid_t pid : pids) equal("one gone", waitpid(pid, nullptr, 0), pid);
    that("no circle any more", read_file("/proc/deadlock").find("in a cycle") == std::string::npos);
}

void file_locks() {
    int files[2] = {open("/tmp/a", O_CREAT | O_RDWR, 0600), open("/tmp/b", O_CREAT | O_RDWR, 0600)};
    close(files[0]);
    close(files[1]);
    circle("file lock", [](int i) {
        const char* names[] = {"/tmp/a", "/tmp/b"};
        flock(open(names[i], O_RDWR), LOCK_EX);
        meet();
        flock(open(names[!i], O_RDWR), LOCK_EX);
    });
}

enum class Cure { none, later, at_once };

void semaphores(Cure when) {
    const int set = semget(IPC_PRIVATE, 2, 0600);
    succeeds("first", semctl(set, 0, SETVAL, 1));
    succeeds("second", semctl(set, 1, SETVAL, 1));
    auto p = [&](int i) {
        sembuf operation = {static_cast<unsigned short>(i), -1, SEM_UNDO};
        semop(set, &operation, 1);
    };
    auto body = [&](int i) {
        p(i);
        meet();
        p(!i);
    };
    if (when == Cure::none) {
        circle("semaphore", body);
    } else {
        auto cure = [] {
            write_file("/proc/sys/kernel/deadlock/strategy", "detect");
            write_file("/proc/sys/kernel/deadlock/recovery", "kill");  // and it looks at once
        };
        if (when == Cure::at_once) cure();
        shared->have_one = 0;
        for (int i = 0; i < 2; ++i)
            if (fork() == 0) {
                body(i);
                _exit(0);
            }
        if (when == Cure::later) {
            equal("to be cured", edges_in_cycle("semaphore"), 2);
            cure();
        }
        int ended = 0, status;
        while (wait(&status) > 0) ended += WIFSIGNALED(status);
        equal("one ended, the other went on", ended, 1);
        write_file("/proc/sys/kernel/deadlock/recovery", "fail");
        write_file("/proc/sys/kernel/deadlock/strategy", "none");
    }
    succeeds("removed", semctl(set, 0, IPC_RMID));
}

void mutexes() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    for (pthread_mutex_t& mutex : shared->mutexes) pthread_mutex_init(&mutex, &attributes);
    circle("futex", [](int i) { lock_both(i ? shared : nullptr); });
    // Two threads of one process, in its private memory's stead.
    for (pthread_mutex_t& mutex : shared->mutexes) pthread_mutex_init(&mutex, &attributes);
    shared->have_one = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        pthread_create(&thread, nullptr, lock_both, nullptr);
        lock_both(shared);
    }
    equal("two threads", edges_in_cycle("futex"), 2);
    kill(pid, SIGKILL);
    equal("the process is gone", waitpid(pid, nullptr, 0), pid);
}

}  // namespace

int main() {
    shared = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    file_locks();
    for (Cure when : {Cure::none, Cure::later, Cure::at_once}) semaphores(when);
    mutexes();
    return done();
}
