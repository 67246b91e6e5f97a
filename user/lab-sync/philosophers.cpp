// Five philosophers. Each takes its forks by a rule that excludes deadlock; no fork is ever in two
// hands, and all meals are eaten.
//   at most four  a fifth may not sit down: one of those at the table can always eat
//   odd/even      odd ones take the left fork first, even ones the right one: no circle
//   AND           both forks in one operation: semop() with two of them
//   both or none  a philosopher that cannot have both takes none, and is told when its neighbours are done
#include <sys/sem.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "user/lab-sync/lab.hpp"

namespace {

constexpr int kSeats = 5, kRoom = kSeats, kThings = kSeats + 1;  // five forks and the room
int right_of(int seat) { return (seat + 1) % kSeats; }

// Things to take one at a time, or two at once.
struct Things {
    virtual ~Things() = default;
    virtual void p(int thing) = 0;
    virtual void v(int thing) = 0;
};

class SemaphoreThings : public Things {
  public:
    void p(int thing) override { things[thing].p(); }
    void v(int thing) override { things[thing].v(); }

  private:
    Semaphore things[kThings] = {Semaphore(1), Semaphore(1), Semaphore(1),
                                 Semaphore(1), Semaphore(1), Semaphore(kSeats - 1)};
};

class MonitorThings : public Things {
  public:
    explicit MonitorThings(Discipline discipline) : monitor(discipline) {
        for (auto& condition : freed) condition = std::make_unique<Condition>(monitor);
    }
    void p(int thing) override {
        Inside inside(monitor);
        must(freed[thing]->wait_until([&] { return count[thing] > 0; }));
        --count[thing];
    }
    void v(int thing) override {
        Inside inside(monitor);
        ++count[thing];
        freed[thing]->signal();
    }

  private:
    Monitor monitor;
    std::unique_ptr<Condition> freed[kThings];
    int count[kThings] = {1, 1, 1, 1, 1, kSeats - 1};
};

struct Table {
    virtual ~Table() = default;
    virtual void take(int seat) = 0;
    virtual void put_back(int seat) = 0;
};

class AtMostFour : public Table {
  public:
    explicit AtMostFour(Things& things) : things(things) {}
    void take(int seat) override {
        things.p(kRoom);
        things.p(seat);
        things.p(right_of(seat));
    }
    void put_back(int seat) override {
        things.v(seat);
        things.v(right_of(seat));
        things.v(kRoom);
    }

  private:
    Things& things;
};

class OddEven : public Table {
  public:
    explicit OddEven(Things& things) : things(things) {}
    void take(int seat) override {
        things.p(seat % 2 ? seat : right_of(seat));
        things.p(seat % 2 ? right_of(seat) : seat);
    }
    void put_back(int seat) override {
        things.v(seat);
        things.v(right_of(seat));
    }

  private:
    Things& things;
};

class And : public Table {
  public:
    And() : id(semget(IPC_PRIVATE, kSeats, 0600)) {
        for (int fork = 0; fork < kSeats; ++fork)
            if (semctl(id, fork, SETVAL, 1) < 0) {
                perror("lab-sync: semaphores");
                exit(1);
            }
    }
    ~And() override { semctl(id, 0, IPC_RMID); }
    void take(int seat) override { both(seat, -1); }
    void put_back(int seat) override { both(seat, 1); }

  private:
    void both(int seat, short change) {
        sembuf operations[] = {{static_cast<unsigned short>(seat), change, 0},
                               {static_cast<unsigned short>(right_of(seat)), change, 0}};
        while (semop(id, operations, 2) < 0) {
        }
    }
    const int id;
};

// Who is hungry, who eats; an own semaphore for each to wait with.
class BothOrNone : public Table {
  public:
    void take(int seat) override {
        mutex.p();
        hungry[seat] = true;
        try_to_eat(seat);
        mutex.v();
        may_eat[seat].p();
    }
    void put_back(int seat) override {
        mutex.p();
        eats[seat] = false;
        try_to_eat((seat + kSeats - 1) % kSeats);
        try_to_eat(right_of(seat));
        mutex.v();
    }

  private:
    void try_to_eat(int seat) {
        if (!hungry[seat] || eats[right_of(seat)] || eats[(seat + kSeats - 1) % kSeats]) return;
        hungry[seat] = false;
        eats[seat] = true;
        may_eat[seat].v();
    }
    Semaphore mutex{1}, may_eat[kSeats];
    bool hungry[kSeats] = {}, eats[kSeats] = {};
};

class BothInMonitor : public Table {
  public:
    explicit BothInMonitor(Discipline discipline) : monitor(discipline) {
        for (auto& condition : freed) condition = std::make_unique<Condition>(monitor);
    }
    void take(int seat) override {
        Inside inside(monitor);
        while (taken[seat] || taken[right_of(seat)]) freed[seat]->wait();
        taken[seat] = taken[right_of(seat)] = true;
    }
    void put_back(int seat) override {
        Inside inside(monitor);
        taken[seat] = taken[right_of(seat)] = false;
        freed[(seat + kSeats - 1) % kSeats]->signal();
        freed[right_of(seat)]->signal();
    }

  private:
    Monitor monitor;
    std::unique_ptr<Condition> freed[kSeats];
    bool taken[kSeats] = {};
};

bool run(const char* rule, const char* with, Table&& table, long steps) {
    std::atomic<int> hands[kSeats] = {};
    std::atomic<long> next = 0, meals = 0;
    in_threads(kSeats, [&](int seat) {
        while (next++ < steps) {
            waiting(0, [&] { table.take(seat); });
            must(hands[seat]++ == 0);
            must(hands[right_of(seat)]++ == 0);
            ++meals;
            --hands[seat];
            --hands[right_of(seat)];
            table.put_back(seat);
        }
    });
    must(meals == steps);
    char name[32];
    snprintf(name, sizeof name, "%s, %s", rule, with);
    return report("philosophers", name, steps, {"philosopher"});
}

}  // namespace

bool run_philosophers(long steps) {
    SemaphoreThings semaphores[2];
    bool good = run("at most four", "sem", AtMostFour(semaphores[0]), steps);
    good &= run("odd/even", "sem", OddEven(semaphores[1]), steps);
    good &= run("AND", "semop", And(), steps);
    good &= run("both or none", "sem", BothOrNone(), steps);
    for (Discipline d : kDisciplines) {
        MonitorThings forks(d), more_forks(d);
        good &= run("at most four", name_of(d), AtMostFour(forks), steps);
        good &= run("odd/even", name_of(d), OddEven(more_forks), steps);
        good &= run("both or none", name_of(d), BothInMonitor(d), steps);
    }
    return good;
}
