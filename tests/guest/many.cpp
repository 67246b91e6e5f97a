// As many as a machine of 2 GB is to have at once: 10,000 processes, then 20,000 threads of one; all do
// something, and end.
// run: --icount 0 --mem 2047
// timeout: 300
#include <pthread.h>
#include <sys/resource.h>

#include <vector>

#include "check.hpp"

namespace {

using namespace check;

constexpr int kProcesses = 10'000, kThreads = 20'000;

// Each waits until the pipe's other end is closed, and returns its number.
void test_processes() {
    int ends[2];
    needs("pipe", pipe(ends));
    int made = 0;
    for (pid_t child = 0; made < kProcesses && (child = fork()) >= 0; ++made)
        if (child == 0) {
            char byte;
            close(ends[1]);
            _exit(read(ends[0], &byte, 1) == 0 ? made % 100 : 100);
        }
    equal("processes at once", made, kProcesses);
    close(ends[1]);
    close(ends[0]);
    int ended = 0;
    long sum = 0, wanted = 0;
    for (int status; wait(&status) > 0; ++ended) sum += WEXITSTATUS(status);
    for (int i = 0; i < made; ++i) wanted += i % 100;
    equal("all end", ended, made);
    equal("as they said", sum, wanted);
}

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
int there = 0;
bool over = false;

void* stay(void*) {
    pthread_mutex_lock(&lock);
    if (++there == kThreads) pthread_cond_broadcast(&changed);
    while (!over) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return &lock;
}

void test_threads() {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16 * 1024);
    pthread_attr_setguardsize(&small, 0);
    std::vector<pthread_t> threads;
    for (int i = 0; i < kThreads; ++i) {
        pthread_t thread;
        if (pthread_create(&thread, &small, stay, nullptr) != 0) break;
        threads.push_back(thread);
    }
    equal("threads at once", long(threads.size()), kThreads);
    pthread_mutex_lock(&lock);
    while (there < int(threads.size()) && threads.size() == kThreads)
        pthread_cond_wait(&changed, &lock);
    over = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    long well = 0;
    for (pthread_t thread : threads) {
        void* result = nullptr;
        well += pthread_join(thread, &result) == 0 && result == &lock;
    }
    equal("all end well", well, long(threads.size()));
}

}  // namespace

int main() {
    const rlimit many = {kThreads + 500, kThreads + 500};
    needs("RLIMIT_NPROC", setrlimit(RLIMIT_NPROC, &many));
    test_processes();
    test_threads();
    return done();
}
