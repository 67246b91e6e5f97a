// One plate, two kinds of fruit: father puts apples, mother pears; daughters eat apples only, sons
// pears only. The plate never holds two, and nobody finds the wrong kind on it.
#include "user/lab-sync/plate.hpp"

namespace {

constexpr int kOfEach = 2;  // putters and eaters of each kind

class WithMonitor : public Plate {
  public:
    explicit WithMonitor(Discipline discipline) : monitor(discipline) {}
    void put(Fruit fruit) override {
        Inside inside(monitor);
        must(empty.wait_until([&] { return on_it == none; }));
        change(none, fruit);
        (fruit == apple ? apples : pears).signal();
    }
    void take(Fruit fruit) override {
        Inside inside(monitor);
        must((fruit == apple ? apples : pears).wait_until([&] { return on_it == fruit; }));
        change(fruit, none);
        empty.signal();
    }

  private:
    Monitor monitor;
    Condition empty{monitor}, apples{monitor}, pears{monitor};
};

// A: an apple is put, P: a pear; a, p: one is taken.
bool play(Plate& plate) {
    constexpr const char* kNames[] = {"apple", "pear", "empty"};
    return play_script(
        "APap", false,
        [&](char kind, bool, const std::string&) {
            const Fruit fruit = kind == 'A' || kind == 'a' ? apple : pear;
            kind < 'a' ? plate.put(fruit) : plate.take(fruit);
        },
        [&] { return std::string("plate ") + kNames[plate.on_it]; });
}

bool run(const char* name, Plate&& plate, long steps) {
    if (!is_chosen(name)) return true;
    if (has_script()) return play(plate);
    std::atomic<long> put[2] = {}, taken[2] = {};
    const long each[2] = {steps / 2, steps - steps / 2};
    in_threads(4 * kOfEach, [&](int i) {
        const Fruit fruit = i / 2 % 2 ? pear : apple;
        if (i % 2)
            while (put[fruit]++ < each[fruit]) waiting(2 * fruit, [&] { plate.put(fruit); });
        else
            while (taken[fruit]++ < each[fruit]) waiting(2 * fruit + 1, [&] { plate.take(fruit); });
    });
    must(plate.on_it == none);
    return report("plate", name, steps, {"apple put", "apple taken", "pear put", "pear taken"});
}

}  // namespace

bool run_plate(long steps) {
    bool good = run("semaphores", PlateWithSemaphores(), steps);
    for (Discipline d : kDisciplines) good &= run(name_of(d), WithMonitor(d), steps);
    return good;
}
