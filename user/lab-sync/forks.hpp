// Five philosophers, three ways to take two forks without a deadlock.
//   at most four  a fifth may not sit down: one of those at the table can always eat
//   odd/even      odd ones take the left fork first, even ones the right one: no circle
//   AND           both forks in one operation: none is held by one who waits
#pragma once

#include "user/lab-sync/lab.hpp"

constexpr int kSeats = 5, kRoom = kSeats, kThings = kSeats + 1;  // five forks and the room
constexpr int left_of(int seat) { return seat; }
constexpr int right_of(int seat) { return (seat + 1) % kSeats; }

// Five forks to take one at a time, and the room with its kSeats - 1 places.
struct Things {
    virtual ~Things() = default;
    virtual void p(int thing) = 0;
    virtual void v(int thing) = 0;
};

struct Table {
    virtual ~Table() = default;
    virtual void take(int seat) = 0;
    virtual void put_back(int seat) = 0;
};

class AtMostFour : public Table {
  public:
    explicit AtMostFour(Things& things) : things(things) {}
    // A place in the room (kRoom) before any fork; then the left fork and the right one.
    // Lab 8.3: stub { things.p(left_of(seat)); things.p(right_of(seat)); }
    void take(int seat) override {
        things.p(kRoom);
        things.p(left_of(seat));
        things.p(right_of(seat));
    }
    // Lab 8.3: stub { things.v(left_of(seat)); things.v(right_of(seat)); }
    void put_back(int seat) override {
        things.v(left_of(seat));
        things.v(right_of(seat));
        things.v(kRoom);
    }

  private:
    Things& things;
};

class OddEven : public Table {
  public:
    explicit OddEven(Things& things) : things(things) {}
    // Odd philosophers take the left fork first, even ones the right one.
    // Lab 8.3: stub { things.p(left_of(seat)); things.p(right_of(seat)); }
    void take(int seat) override {
        things.p(seat % 2 ? left_of(seat) : right_of(seat));
        things.p(seat % 2 ? right_of(seat) : left_of(seat));
    }
    void put_back(int seat) override {
        things.v(left_of(seat));
        things.v(right_of(seat));
    }

  private:
    Things& things;
};

class And : public Table {
  public:
    // Both forks in one operation.
    // Lab 8.3: stub { forks.operate({{left_of(seat), -1}}); forks.operate({{right_of(seat), -1}}); }
    void take(int seat) override { forks.operate({{left_of(seat), -1}, {right_of(seat), -1}}); }
    void put_back(int seat) override { forks.operate({{left_of(seat), 1}, {right_of(seat), 1}}); }

  private:
    SemaphoreSet forks{kSeats, 1, "both forks"};
};
