// Five philosophers. Each takes its forks by a rule that excludes deadlock; no fork is ever in two
// hands, and all meals are eaten.
//   at most four  a fifth may not sit down: one of those at the table can always eat
//   odd/even      odd ones take the left fork first, even ones the right one: no circle
//   AND           both forks in one operation: semop() with two of them
//   both or none  a philosopher that cannot have both takes none, and is told when its neighbours are done
#include <algorithm>
#include <cstdio>
#include <memory>

#include "user/lab-sync/forks.hpp"

namespace {

class SemaphoreThings : public Things {
  public:
    void p(int thing) override { things[thing].p(); }
    void v(int thing) override { things[thing].v(); }

  private:
    Semaphore things[kThings] = {Semaphore(1, "fork 0"), Semaphore(1, "fork 1"),
                                 Semaphore(1, "fork 2"), Semaphore(1, "fork 3"),
                                 Semaphore(1, "fork 4"), Semaphore(kSeats - 1, "room")};
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

// 3: philosopher 3 is hungry; -3: it has eaten.
bool play(Table& table) {
    std::string eating;
    return play_script(
        "01234", true,
        [&](char kind, bool ends, const std::string&) {
            const int seat = kind - '0';
            if (ends) {
                eating.erase(eating.find(kind), 1);
                return table.put_back(seat);
            }
            table.take(seat);
            eating.insert(std::upper_bound(eating.begin(), eating.end(), kind), kind);
        },
        [&] { return "eating: " + (eating.empty() ? "-" : eating); });
}

bool run(const char* rule, const char* with, Table&& table, long steps) {
    char name[32];
    snprintf(name, sizeof name, "%s, %s", rule, with);
    if (!is_chosen(name)) return true;
    if (has_script()) return play(table);
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
