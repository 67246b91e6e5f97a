// Readers and writers: with the textbook's semaphores, and with a monitor that asks ReadersWriters.
// A wait is measured in the visits of others that began meanwhile: in the fair monitor these are at
// most those that were there before, which is checked; elsewhere it shows who starves.
#include "user/lab-sync/readers_writers.hpp"

#include <sched.h>

#include <cstdio>
#include <memory>

#include "user/lab-sync/lab.hpp"

namespace {

constexpr int kReaders = 4, kWriters = 2, kAll = kReaders + kWriters;

struct Library {
    virtual ~Library() = default;
    // The visits that began while it waited; -1: the caller may count them.
    virtual long start(int who, bool writes) = 0;
    virtual void finish(int who, bool writes) = 0;
};

class ReadersFirst : public Library {
  public:
    long start(int, bool writes) override {
        if (writes) {
            room.p();
            return -1;
        }
        mutex.p();
        if (readers++ == 0) room.p();
        mutex.v();
        return -1;
    }
    void finish(int, bool writes) override {
        if (!writes) mutex.p();
        if (writes || --readers == 0) room.v();
        if (!writes) mutex.v();
    }

  private:
    Semaphore room{1}, mutex{1};
    int readers = 0;
};

// The first writer that waits closes the door for readers, the last one opens it.
class WritersFirst : public ReadersFirst {
  public:
    long start(int who, bool writes) override {
        Semaphore& gate = writes ? writers_mutex : door;
        gate.p();
        if (writes && writers++ == 0) door.p();
        if (writes) gate.v();
        ReadersFirst::start(who, writes);
        if (!writes) gate.v();
        return -1;
    }
    void finish(int who, bool writes) override {
        ReadersFirst::finish(who, writes);
        if (!writes) return;
        writers_mutex.p();
        if (--writers == 0) door.v();
        writers_mutex.v();
    }

  private:
    Semaphore writers_mutex{1}, door{1};
    int writers = 0;
};

// All go through the same door, one after the other.
class Fair : public ReadersFirst {
  public:
    long start(int who, bool writes) override {
        door.p();
        ReadersFirst::start(who, writes);
        door.v();
        return -1;
    }

  private:
    Semaphore door{1};
};

class WithMonitor : public Library {
  public:
    WithMonitor(Discipline discipline, Preference preference)
        : monitor(discipline), rule(preference) {
        for (auto& condition : admitted) condition = std::make_unique<Condition>(monitor);
    }
    long start(int who, bool writes) override {
        Inside inside(monitor);
        const long before = visits;
        began[who] = before;
        may[who] = rule.arrive(who, writes);
        visits += may[who];
        must(admitted[who]->wait_until([&] { return may[who]; }));
        return began[who] - before;
    }
    void finish(int, bool writes) override {
        Inside inside(monitor);
        int admit[kAll], count = 0;
        rule.leave(writes, [&](int who) {
            may[who] = true;
            began[who] = visits++;
            admit[count++] = who;
        });
        for (int i = 0; i < count; ++i) admitted[admit[i]]->signal();
    }

  private:
    Monitor monitor;
    std::unique_ptr<Condition> admitted[kAll];
    ReadersWriters rule;
    bool may[kAll] = {};
    long visits = 0, began[kAll] = {};
};

bool run(const char* name, Library&& library, bool bounded, long steps) {
    std::atomic<long> next = 0, visits = 0;
    std::atomic<int> readers = 0, writers = 0;
    long longest[kAll] = {};
    in_threads(kAll, [&](int who) {
        const bool writes = who >= kReaders;
        while (next++ < steps) {
            const long before = visits;
            long waited = library.start(who, writes);
            if (waited < 0) waited = visits - before;
            ++visits;
            if (waited > longest[who]) longest[who] = waited;
            (writes ? writers : readers)++;
            must(writers == 0 || (writes && writers == 1 && readers == 0));
            sched_yield();  // visits overlap, as on several CPUs
            must(writers == 0 || (writes && writers == 1 && readers == 0));
            (writes ? writers : readers)--;
            library.finish(who, writes);
        }
    });
    long reader = 0, writer = 0;
    for (int who = 0; who < kAll; ++who) {
        long& most = who < kReaders ? reader : writer;
        if (longest[who] > most) most = longest[who];
        must(!bounded || longest[who] < kAll);
    }
    longest_waits[0] = reader;
    longest_waits[1] = writer;
    return report("readers", name, steps, {"reader", "writer"});
}

}  // namespace

bool run_readers(long steps) {
    bool good = run("readers first, sem", ReadersFirst(), false, steps);
    good &= run("writers first, sem", WritersFirst(), false, steps);
    good &= run("fair, semaphores", Fair(), false, steps);
    constexpr const char* kNames[] = {"readers first", "writers first", "fair"};
    for (Discipline d : kDisciplines)
        for (Preference p : {Preference::readers, Preference::writers, Preference::fair}) {
            char name[32];
            snprintf(name, sizeof name, "%s, %s", kNames[static_cast<int>(p)], name_of(d));
            good &= run(name, WithMonitor(d, p), p == Preference::fair, steps);
        }
    return good;
}
