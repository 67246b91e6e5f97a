// The sleeping barber: customers wait on chairs or go away when all are taken (and come again here);
// the barber sleeps when there are none. Never more wait than there are chairs, one is shaved at a
// time, and each haircut is one customer's.
#include <cstdio>

#include "user/lab-sync/lab.hpp"

namespace {

constexpr int kChairs = 4, kCustomers = 7;

struct Shop {
    virtual ~Shop() = default;
    virtual bool visit() = 0;  // false: no chair was free
    virtual void cut() = 0;
    int waiting = 0;

  protected:
    void shave() {
        Alone alone(in_the_chair);
        give_way();
    }

  private:
    std::atomic<int> in_the_chair = 0;
};

class WithSemaphores : public Shop {
  public:
    bool visit() override {
        mutex.p();
        if (waiting == kChairs) {
            mutex.v();
            return false;
        }
        must(++waiting <= kChairs);
        customers.v();
        mutex.v();
        barber.p();
        done.p();
        return true;
    }
    void cut() override {
        customers.p();
        mutex.p();
        --waiting;
        mutex.v();
        barber.v();
        shave();
        done.v();
    }

  private:
    Semaphore mutex{1}, customers, barber, done;
};

class WithMonitor : public Shop {
  public:
    explicit WithMonitor(Discipline discipline) : monitor(discipline) {}
    bool visit() override {
        Inside inside(monitor);
        if (waiting == kChairs) return false;
        must(++waiting <= kChairs);
        const long mine = ++came;
        customers.signal();
        while (finished < mine) done.wait();
        return true;
    }
    void cut() override {
        {
            Inside inside(monitor);
            must(customers.wait_until([&] { return waiting > 0; }));
            --waiting;
        }
        shave();
        Inside inside(monitor);
        ++finished;
        for (int i = 0; i < kCustomers; ++i) done.signal();
    }

  private:
    Monitor monitor;
    Condition customers{monitor}, done{monitor};
    long came = 0, finished = 0;
};

bool run(const char* name, Shop&& shop, long steps) {
    std::atomic<long> next = 0, served = 0, away = 0;
    in_threads(1 + kCustomers, [&](int i) {
        if (i == 0)
            for (long n = 0; n < steps; ++n) shop.cut();
        else
            while (next++ < steps) {
                waiting(0, [&] {
                    for (; !shop.visit(); ++away) give_way();
                });
                ++served;
            }
    });
    must(served == steps && shop.waiting == 0);
    char more[48];
    snprintf(more, sizeof more, "; %ld times no chair", away.load());
    return report("barber", name, steps, {"customer"}, more);
}

}  // namespace

bool run_barber(long steps) {
    bool good = run("semaphores", WithSemaphores(), steps);
    for (Discipline d : kDisciplines) good &= run(name_of(d), WithMonitor(d), steps);
    return good;
}
