// The bounded buffer: never over-full or used empty, one at a time, and each item comes out once.
#include <sched.h>

#include <cstdio>

#include "user/lab-sync/lab.hpp"

namespace {

constexpr int kPlaces = 4, kEach = 3;

struct Buffer {
    virtual ~Buffer() = default;
    virtual void put(long item) = 0;
    virtual long get() = 0;
    int used = 0;

  protected:
    void store(long item) {
        Alone alone(inside);
        must(used < kPlaces);
        items[static_cast<unsigned>(first + used++) % kPlaces] = item;
    }
    long take() {
        Alone alone(inside);
        must(used > 0);
        const long item = items[first];  // nonsense, if it is empty
        first = (first + 1) % kPlaces;
        --used;
        return item;
    }

  private:
    long items[kPlaces];
    int first = 0;
    std::atomic<int> inside = 0;
};

class WithSemaphores : public Buffer {
  public:
    void put(long item) override {
        empty.p();
        mutex.p();
        store(item);
        mutex.v();
        full.v();
    }
    long get() override {
        full.p();
        mutex.p();
        const long item = take();
        mutex.v();
        empty.v();
        return item;
    }

  private:
    Semaphore mutex{1}, empty{kPlaces}, full;
};

class WithMonitor : public Buffer {
  public:
    explicit WithMonitor(Discipline discipline) : monitor(discipline) {}
    void put(long item) override {
        Inside inside(monitor);
        must(not_full.wait_until([&] { return used < kPlaces; }));
        store(item);
        not_empty.signal();
    }
    long get() override {
        Inside inside(monitor);
        must(not_empty.wait_until([&] { return used > 0; }));
        const long item = take();
        not_full.signal();
        return item;
    }

  private:
    Monitor monitor;
    Condition not_full{monitor}, not_empty{monitor};
};

// Looks once: right only if nobody can come between the signal and whoever it is for.
class Hasty : public Buffer {
  public:
    explicit Hasty(Discipline discipline) : monitor(discipline) {}
    void put(long item) override {
        Inside inside(monitor);
        if (used == kPlaces) not_full.wait();
        store(item);
        not_empty.signal();
    }
    long get() override {
        Inside inside(monitor);
        if (used == 0) not_empty.wait();
        sched_yield();  // so that others wait at the entry
        const long item = take();
        not_full.signal();
        return item;
    }

  private:
    Monitor monitor;
    Condition not_full{monitor}, not_empty{monitor};
};

void pass_items(Buffer& buffer, long steps) {
    std::atomic<long> made = 0, taken = 0, in = 0, out = 0;
    in_threads(2 * kEach, [&](int i) {
        if (i % 2)
            for (long item; (item = made++) < steps; buffer.put(item)) in += item % 1000;
        else
            while (taken++ < steps) out += buffer.get() % 1000;
    });
    must(buffer.used == 0);
    must(in == out);
}

bool run(const char* name, Buffer&& buffer, long steps) {
    pass_items(buffer, steps);
    return report("buffer", name, steps);
}

}  // namespace

bool run_buffer(long steps) {
    bool good = run("semaphores", WithSemaphores(), steps);
    for (Discipline d : kDisciplines) good &= run(name_of(d), WithMonitor(d), steps);
    return good;
}

bool run_hasty(long steps) {
    Hasty hoare(Discipline::hoare), mesa(Discipline::mesa);
    pass_items(hoare, steps);
    const bool good = report("hasty", "hoare", steps);
    pass_items(mesa, steps);
    const long broken = g_broken.exchange(0);
    printf("%-12s %-22s %ld steps, %s\n", "hasty", "mesa", steps,
           broken ? "invariants broken, as expected" : "nothing broken, by luck");
    return good;
}
