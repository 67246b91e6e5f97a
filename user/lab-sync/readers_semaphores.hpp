// Readers and writers with the textbook's semaphores, three ways. Many may read at once; who writes is
// alone. Each way says who goes in when both kinds want to.
#pragma once

#include "user/lab-sync/lab.hpp"

// A reader goes in unless a writer is inside, even if writers wait: the first reader takes the room for all
// of them, the last one gives it back.
class ReadersFirst {
  public:
    virtual ~ReadersFirst() = default;
    // Lab 8.2: stub {}
    virtual void start_reading() {
        mutex.p();
        if (count(readers, 1) == 1) room.p();
        mutex.v();
    }
    // Lab 8.2: stub {}
    virtual void finish_reading() {
        mutex.p();
        if (count(readers, -1) == 0) room.v();
        mutex.v();
    }
    // Lab 8.2: stub {}
    virtual void start_writing() { room.p(); }
    // Lab 8.2: stub {}
    virtual void finish_writing() { room.v(); }

  protected:
    // Adds `change` to a counter and returns what it is then; others may come in between.
    static int count(int& counter, int change) {
        const int seen = counter;
        perhaps_yield();
        return counter = seen + change;
    }
    Semaphore room{1, "room"};    // taken by a writer, or by all readers together
    Semaphore mutex{1, "mutex"};  // for `readers`
    int readers = 0;              // inside, or the first of them waits for the room
};

// A writer that waits keeps new readers out: the first writer closes the door for readers, the last one opens
// it. Readers that are inside finish.
class WritersFirst : public ReadersFirst {
  public:
    // Lab 8.2: stub {}
    void start_reading() override {
        door.p();
        ReadersFirst::start_reading();
        door.v();
    }
    // Lab 8.2: stub {}
    void start_writing() override {
        writers_mutex.p();
        if (count(writers, 1) == 1) door.p();
        writers_mutex.v();
        ReadersFirst::start_writing();
    }
    // Lab 8.2: stub {}
    void finish_writing() override {
        ReadersFirst::finish_writing();
        writers_mutex.p();
        if (count(writers, -1) == 0) door.v();
        writers_mutex.v();
    }

  private:
    Semaphore door{1, "door"};                     // closed: readers wait here
    Semaphore writers_mutex{1, "writers' mutex"};  // for `writers`
    int writers = 0;                               // inside or waiting
};

// All go through one door in the order in which they came: nobody passes one who waits.
class Fair : public ReadersFirst {
  public:
    // Lab 8.2: stub {}
    void start_reading() override {
        door.p();
        ReadersFirst::start_reading();
        door.v();
    }
    // Lab 8.2: stub {}
    void start_writing() override {
        door.p();
        ReadersFirst::start_writing();
        door.v();
    }

  private:
    Semaphore door{1, "door"};
};
