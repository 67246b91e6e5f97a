// lab-sync buffer: producers and consumers over a bounded buffer, with semaphores and with monitors
// of both disciplines. Each run checks while it runs that the buffer is never over-full or empty
// when it is used and that nobody else is inside, and at the end that every item came out once.
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "user/lab-sync/monitor.hpp"

namespace {

constexpr char kUsage[] =
    "usage: lab-sync buffer [STEPS]\n"
    "The bounded buffer with semaphores and with monitors (STEPS: items, by default 10000).\n";
constexpr int kPlaces = 4, kEach = 3;

// The shared data; what it counts as wrong are broken invariants.
class Buffer {
  public:
    void put(long item) {
        wrong += inside++ != 0 || used == kPlaces;
        items[(first + used++) % kPlaces] = item;
        --inside;
    }
    long get() {
        wrong += inside++ != 0 || used == 0;
        const long item = items[first];
        first = (first + 1) % kPlaces;
        --used;
        --inside;
        return item;
    }
    long items[kPlaces];
    int first = 0, used = 0;
    std::atomic<int> inside = 0, wrong = 0;
};

struct Solution {
    virtual void put(long item) = 0;
    virtual long get() = 0;
    Buffer buffer;
};

struct Semaphores : Solution {
    Semaphores() {
        sem_init(&mutex, 0, 1);
        sem_init(&empty, 0, kPlaces);
        sem_init(&full, 0, 0);
    }
    void put(long item) override {
        Monitor::take(empty);
        Monitor::take(mutex);
        buffer.put(item);
        sem_post(&mutex);
        sem_post(&full);
    }
    long get() override {
        Monitor::take(full);
        Monitor::take(mutex);
        const long item = buffer.get();
        sem_post(&mutex);
        sem_post(&empty);
        return item;
    }
    sem_t mutex, empty, full;
};

struct Monitored : Solution {
    explicit Monitored(Discipline discipline)
        : hoare(discipline == Discipline::hoare), monitor(discipline) {}
    void put(long item) override {
        monitor.enter();
        while (buffer.used == kPlaces) {
            not_full.wait();
            buffer.wrong += hoare && buffer.used == kPlaces;  // nobody came in between
        }
        buffer.put(item);
        not_empty.signal();
        monitor.leave();
    }
    long get() override {
        monitor.enter();
        while (buffer.used == 0) {
            not_empty.wait();
            buffer.wrong += hoare && buffer.used == 0;
        }
        const long item = buffer.get();
        not_full.signal();
        monitor.leave();
        return item;
    }
    const bool hoare;
    Monitor monitor;
    Condition not_full{monitor}, not_empty{monitor};
};

Solution* g_solution;
long g_steps;
std::atomic<long> g_next, g_taken, g_sum;

void* produce(void*) {
    for (long item; (item = g_next++) < g_steps;) g_solution->put(item);
    return nullptr;
}
void* consume(void*) {
    while (g_taken++ < g_steps) g_sum += g_solution->get() % 1000;
    return nullptr;
}

bool run(const char* name, Solution& solution) {
    g_solution = &solution;
    g_next = g_taken = g_sum = 0;
    pthread_t threads[2 * kEach];
    for (int i = 0; i < 2 * kEach; ++i)
        if (pthread_create(&threads[i], nullptr, i % 2 ? produce : consume, nullptr)) exit(1);
    for (pthread_t thread : threads) pthread_join(thread, nullptr);
    long sum = 0;
    for (long item = 0; item < g_steps; ++item) sum += item % 1000;
    const bool good = solution.buffer.wrong == 0 && solution.buffer.used == 0 && g_sum == sum;
    printf("%-12s %ld items, %d broken invariants%s\n", name, g_steps, solution.buffer.wrong.load(),
           good ? "" : ": WRONG");
    return good;
}

}  // namespace

int main(int argc, char* argv[]) {
    g_steps = argc > 2 ? atol(argv[2]) : 10'000;
    if (argc < 2 || argc > 3 || strcmp(argv[1], "buffer") != 0 || g_steps < 1)
        return fputs(kUsage, stderr), 2;
    Semaphores semaphores;
    Monitored hoare(Discipline::hoare), mesa(Discipline::mesa);
    bool good = run("semaphores", semaphores);
    good = run("hoare", hoare) && good;
    good = run("mesa", mesa) && good;
    return !good;
}
