// One plate, two kinds of fruit: with semaphores.
#pragma once

#include "user/lab-sync/lab.hpp"

enum Fruit { apple, pear, none };

struct Plate {
    virtual ~Plate() = default;
    virtual void put(Fruit fruit) = 0;
    virtual void take(Fruit fruit) = 0;
    Fruit on_it = none;

  protected:
    // What is on the plate becomes something else: alone, and only if it was what it should be.
    void change(Fruit from, Fruit to) {
        Alone alone(inside);
        must(on_it == from);
        on_it = to;
    }

  private:
    std::atomic<int> inside = 0;
};

class PlateWithSemaphores : public Plate {
  public:
    // Waits until the plate is empty, puts the fruit on it with change(none, fruit), and lets one go on that
    // waits for this kind.
    // Lab 8.1: stub { change(none, fruit); }
    void put(Fruit fruit) override {
        plate.p();
        change(none, fruit);
        ready[fruit].v();
    }
    // Waits until a fruit of this kind lies there, takes it with change(fruit, none), and lets one go on that
    // waits for the empty plate.
    // Lab 8.1: stub { change(fruit, none); }
    void take(Fruit fruit) override {
        ready[fruit].p();
        change(fruit, none);
        plate.v();
    }

  private:
    Semaphore plate{1, "plate"};                                         // 1: it is empty
    Semaphore ready[2] = {Semaphore(0, "apple"), Semaphore(0, "pear")};  // fruits that lie there
};
