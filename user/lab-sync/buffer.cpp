// The bounded buffer: never over-full or used empty, one at a time, and each item comes out once.
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

// Looks once: right only if nobody can come between the signal and the one it is for. A woken
// waiter is slow to come back, as Mesa allows it to be: a thief is always faster.
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
        if (used == 0) {
            settled.v();  // nobody gets inside before this one waits
            not_empty.wait([this] { stolen.p(); });
        }
        const long item = take();
        not_full.signal();
        return item;
    }
    // One who waits for an item, one who puts it there, one who comes for it in between; then the
    // thief, or who was robbed, has an item too.
    void take_turns(long rounds) {
        in_threads(3, [&](int role) {
            for (long i = 0; i < rounds; ++i) {
                if (role == 0) {
                    get();
                    served.v();
                    waiters_round.p();
                } else if (role == 1) {
                    supply(i);
                } else {
                    steal();
                    thiefs_round.p();
                }
            }
        });
        must(used == 0);
    }

  private:
    void supply(long item) {
        settled.p();
        put(item);
        item_is_there.v();
        settled.p();
        served.p();
        put(item);
        waiters_round.v();
        thiefs_round.v();
    }
    // Under Hoare there is nothing to steal any more, and the thief waits like anybody.
    void steal() {
        item_is_there.p();
        const bool waits = monitor.discipline() == Discipline::hoare;
        get();
        if (waits) return;
        settled.v();
        stolen.v();
    }

    Monitor monitor;
    Condition not_full{monitor}, not_empty{monitor};
    Semaphore settled, item_is_there, stolen, served, waiters_round, thiefs_round;
};

void pass_items(Buffer& buffer, long steps) {
    std::atomic<long> made = 0, taken = 0, in = 0, out = 0;
    in_threads(2 * kEach, [&](int i) {
        if (i % 2)
            for (long item; (item = made++) < steps; in += item % 1000)
                waiting(0, [&] { buffer.put(item); });
        else
            while (taken++ < steps) waiting(1, [&] { out += buffer.get() % 1000; });
    });
    must(buffer.used == 0);
    must(in == out);
}

bool run(const char* name, Buffer&& buffer, long steps) {
    pass_items(buffer, steps);
    return report("buffer", name, steps, {"producer", "consumer"});
}

}  // namespace

bool run_buffer(long steps) {
    bool good = run("semaphores", WithSemaphores(), steps);
    for (Discipline d : kDisciplines) good &= run(name_of(d), WithMonitor(d), steps);
    return good;
}

bool run_hasty(long steps) {
    const long rounds = (steps + 1) / 2;
    Hasty hoare(Discipline::hoare), mesa(Discipline::mesa);
    hoare.take_turns(rounds);
    const bool good = report("hasty", "hoare", steps);
    mesa.take_turns(rounds);
    const long broken = broken_invariants.exchange(0);
    note_row(lab::Object()
                 .add("problem", "hasty")
                 .add("solution", "mesa")
                 .add("steps", steps)
                 .add("broken", broken)
                 .add("rounds", rounds));
    if (as_json) return good && broken == rounds;
    printf("%-12s %-22s %ld steps, %ld of %ld rounds broken%s\n", "hasty", "mesa", steps, broken,
           rounds, broken == rounds ? ", as expected" : ": WRONG");
    return good && broken == rounds;
}
