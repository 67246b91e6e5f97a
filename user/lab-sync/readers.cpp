// Readers and writers: with the textbook's semaphores, and with a monitor that asks ReadersWriters.
// A wait is measured in the visits of others that began meanwhile: in the fair monitor these are at
// most those that were there before, which is checked; elsewhere it shows who starves.
#include "user/lab-sync/readers_writers.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "user/lab-sync/readers_semaphores.hpp"
#include "user/lab/command.hpp"

namespace {

constexpr int kReaders = 4, kWriters = 2, kAll = kReaders + kWriters;

struct Library {
    virtual ~Library() = default;
    // The visits that began while it waited; -1: the caller may count them.
    virtual long start(int who, bool writes) = 0;
    virtual void finish(int who, bool writes) = 0;
};

class WithSemaphores : public Library {
  public:
    explicit WithSemaphores(ReadersFirst& way) : way(way) {}
    long start(int, bool writes) override {
        writes ? way.start_writing() : way.start_reading();
        return -1;
    }
    void finish(int, bool writes) override { writes ? way.finish_writing() : way.finish_reading(); }

  private:
    ReadersFirst& way;
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

// R1: the reader R1 wants to come in; -R1: it leaves. W2: a writer.
bool play(Library& library) {
    std::vector<std::string> inside;
    return play_script(
        "RW", true,
        [&](char kind, bool leaves, const std::string& name) {
            const bool writes = kind == 'W';
            const int who = atoi(name.c_str() + 1) % kAll;  // of the monitor's conditions
            if (leaves) {
                inside.erase(std::find(inside.begin(), inside.end(), name));
                return library.finish(who, writes);
            }
            library.start(who, writes);
            inside.insert(std::upper_bound(inside.begin(), inside.end(), name), name);
        },
        [&] { return "inside: " + (inside.empty() ? "-" : lab::join(inside)); });
}

bool run(const char* name, Library&& library, bool bounded, long steps) {
    if (!is_chosen(name)) return true;
    if (has_script()) return play(library);
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
            give_way();  // visits overlap, as on several CPUs
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
    ReadersFirst readers_first;
    WritersFirst writers_first;
    Fair fair;
    bool good = run("readers first, sem", WithSemaphores(readers_first), false, steps);
    good &= run("writers first, sem", WithSemaphores(writers_first), false, steps);
    good &= run("fair, semaphores", WithSemaphores(fair), false, steps);
    constexpr const char* kNames[] = {"readers first", "writers first", "fair"};
    for (Discipline d : kDisciplines)
        for (Preference p : {Preference::readers, Preference::writers, Preference::fair}) {
            char name[32];
            snprintf(name, sizeof name, "%s, %s", kNames[static_cast<int>(p)], name_of(d));
            good &= run(name, WithMonitor(d, p), p == Preference::fair, steps);
        }
    return good;
}
