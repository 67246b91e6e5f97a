// Cigarette smokers: an agent lays out two of three ingredients; only the smoker who has the third may
// take them, and the agent knows nothing of smokers. With semaphores a pusher for each ingredient
// finds out what lies there (Parnas); in a monitor each smoker looks for itself.
#include "user/lab-sync/lab.hpp"

namespace {

constexpr int kKinds = 3;

struct Table {
    virtual ~Table() = default;
    virtual void lay_out(int missing) = 0;  // all kinds but this one; returns when they are taken
    virtual void smoke(int own) = 0;
    virtual void push(int) {}

  protected:
    void put(int missing) {
        Alone alone(inside);
        must(lying == 0);
        lying = 7 & ~(1 << missing);
    }
    void take(int own) {
        Alone alone(inside);
        must(lying == (7 & ~(1 << own)));
        lying = 0;
    }
    int lying = 0;

  private:
    std::atomic<int> inside = 0;
};

class WithSemaphores : public Table {
  public:
    void lay_out(int missing) override {
        put(missing);
        for (int kind = 0; kind < kKinds; ++kind)
            if (kind != missing) laid[kind].v();
        taken.p();
    }
    void smoke(int own) override {
        offered[own].p();
        take(own);
        taken.v();
    }
    // The second of the two pushers that are woken knows whose turn it is.
    void push(int kind) override {
        laid[kind].p();
        mutex.p();
        seen |= 1 << kind;
        for (int missing = 0; missing < kKinds; ++missing)
            if (seen == (7 & ~(1 << missing))) {
                seen = 0;
                offered[missing].v();
                break;
            }
        mutex.v();
    }

  private:
    Semaphore mutex{1}, laid[kKinds], offered[kKinds], taken;
    int seen = 0;
};

class WithMonitor : public Table {
  public:
    explicit WithMonitor(Discipline discipline) : monitor(discipline) {}
    void lay_out(int missing) override {
        Inside inside(monitor);
        put(missing);
        changed[0].signal();
        changed[1].signal();
        changed[2].signal();
        must(empty.wait_until([&] { return lying == 0; }));
    }
    void smoke(int own) override {
        Inside inside(monitor);
        while (lying != (7 & ~(1 << own))) changed[own].wait();
        take(own);
        empty.signal();
    }

  private:
    Monitor monitor;
    Condition empty{monitor};
    Condition changed[kKinds] = {Condition(monitor), Condition(monitor), Condition(monitor)};
};

bool run(const char* name, Table&& table, bool pushers, long steps) {
    // What the agent will lay out is known beforehand, so that everyone knows when to stop.
    auto missing = [](long n) { return static_cast<int>(n * 2654435761u >> 16) % kKinds; };
    long turns[kKinds] = {}, smoked[kKinds] = {};
    for (long n = 0; n < steps; ++n) ++turns[missing(n)];
    in_threads(1 + kKinds + (pushers ? kKinds : 0), [&](int i) {
        if (i == 0)
            for (long n = 0; n < steps; ++n) table.lay_out(missing(n));
        else if (i <= kKinds)
            for (int own = i - 1; smoked[own] < turns[own]; ++smoked[own])
                waiting(own, [&] { table.smoke(own); });
        else
            for (long n = steps - turns[i - 1 - kKinds]; n > 0; --n) table.push(i - 1 - kKinds);
    });
    for (int kind = 0; kind < kKinds; ++kind) must(smoked[kind] == turns[kind]);
    return report("smokers", name, steps, {"first smoker", "second", "third"});
}

}  // namespace

bool run_smokers(long steps) {
    bool good = run("semaphores", WithSemaphores(), true, steps);
    for (Discipline d : kDisciplines) good &= run(name_of(d), WithMonitor(d), false, steps);
    return good;
}
