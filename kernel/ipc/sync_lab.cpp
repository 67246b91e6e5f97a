// /proc/sync_lab: written `N`, kernel threads pass N items through a bounded buffer, once with each of
// the kernel's semaphores and monitors; read, it says what came of it. See docs/sync.md.
// Locks: `running` (a Mutex, rank sync_lab) for one run at a time and the results; in a run each
// solution protects the buffer by its own means, which is what is tried.
#include "fs/proc/proc_entry.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/sync/monitor.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/sync/semaphore.hpp"

namespace {

constexpr uint32_t kPlaces = 4, kEach = 3, kMostItems = 100'000;

struct Buffer {
    uint32_t items[kPlaces], first = 0, used = 0;
    Atomic<int> inside = 0;
    uint32_t broken = 0;  // invariants: alone inside, never over-full or used empty

    // The middle of it is where another thread would come in, if one could.
    void put(uint32_t item) {
        if (inside.fetch_add(1) || used >= kPlaces) ++broken;
        items[(first + used) % kPlaces] = item;
        yield();
        ++used;
        inside.subtract(1);
    }
    uint32_t get() {
        if (inside.fetch_add(1) || used == 0) ++broken;
        const uint32_t item = items[first];
        yield();
        first = (first + 1) % kPlaces;
        --used;
        inside.subtract(1);
        return item;
    }
};

class Solution {
  public:
    virtual void put(uint32_t item) = 0;
    virtual uint32_t get() = 0;
    virtual void tell(TextSink&) const {}
    Buffer buffer;

  protected:
    ~Solution() = default;
};

template <typename Semaphore>
class WithSemaphores : public Solution {
  public:
    WithSemaphores() {
        name_semaphore(&mutex, "mutex");
        name_semaphore(&empty, "empty");
        name_semaphore(&full, "full");
    }
    void put(uint32_t item) override {
        empty.p();
        mutex.p();
        buffer.put(item);
        mutex.v();
        full.v();
    }
    uint32_t get() override {
        full.p();
        mutex.p();
        const uint32_t item = buffer.get();
        mutex.v();
        empty.v();
        return item;
    }

  protected:
    Semaphore mutex{1}, empty{kPlaces}, full{0};
};

class WithInteger final : public WithSemaphores<IntegerSemaphore> {
    void tell(TextSink& to) const override {
        format_to(to, ", {} looks in vain", mutex.spins() + empty.spins() + full.spins());
    }
};
class WithRecord final : public WithSemaphores<RecordSemaphore> {
    void tell(TextSink& to) const override {
        format_to(to, ", lowest values: mutex {}, empty {}, full {}", mutex.lowest(),
                  empty.lowest(), full.lowest());
    }
};

class WithMonitor final : public Solution {
  public:
    explicit WithMonitor(Discipline discipline)
        : hoare(discipline == Discipline::hoare), monitor(discipline) {}
    void put(uint32_t item) override {
        monitor.enter();
        wait_while(not_full, kPlaces);
        buffer.put(item);
        monitor.signal(not_empty);
        monitor.leave();
    }
    uint32_t get() override {
        monitor.enter();
        wait_while(not_empty, 0);
        const uint32_t item = buffer.get();
        monitor.signal(not_full);
        monitor.leave();
        return item;
    }
    void tell(TextSink& to) const override { format_to(to, ", {} woken in vain", in_vain); }

  private:
    void wait_while(Monitor::Condition& condition, uint32_t used) {
        for (bool waited = false; buffer.used == used; waited = true) {
            in_vain += waited;
            buffer.broken += hoare && waited;  // it was handed over as the signaller left it
            monitor.wait(condition);
        }
    }
    const bool hoare;
    uint32_t in_vain = 0;
    Monitor monitor;
    Monitor::Condition not_full, not_empty;
};

struct Run {
    Solution& solution;
    uint32_t items;
    Atomic<uint32_t> put = 0, taken = 0, sum_in = 0, sum_out = 0;
    RecordSemaphore done{0};
};

void produce(void* argument) {
    Run& run = *static_cast<Run*>(argument);
    for (uint32_t i; (i = run.put.fetch_add(1)) < run.items;) {
        run.sum_in.fetch_add(i);
        run.solution.put(i);
    }
    run.done.v();
    exit_thread();
}
void consume(void* argument) {
    Run& run = *static_cast<Run*>(argument);
    while (run.taken.fetch_add(1) < run.items) run.sum_out.fetch_add(run.solution.get());
    run.done.v();
    exit_thread();
}

constinit Mutex running{LockRank::sync_lab};
char results[512] GUARDED_BY(running);
size_t results_length GUARDED_BY(running) = 0;

Result<void> try_one(TextSink& to, const char* name, Solution& solution, uint32_t items) {
    Run run{solution, items};
    Ref<Thread> threads[2 * kEach];
    for (uint32_t i = 0; i < 2 * kEach; ++i)
        threads[i] = TRY(i % 2 ? Thread::create("producer", produce, &run)
                               : Thread::create("consumer", consume, &run));
    for (Ref<Thread>& thread : threads) start_thread(*thread);
    for (uint32_t i = 0; i < 2 * kEach; ++i) run.done.p();
    const bool good =
        !solution.buffer.broken && !solution.buffer.used && run.sum_in.load() == run.sum_out.load();
    format_to(to, "{}: {} items, {} broken invariants", name, items, solution.buffer.broken);
    solution.tell(to);
    to.put(good ? "\n" : ": WRONG\n");
    return {};
}

Result<void> start(std::string_view text) {
    const uint32_t items = TRY(number_in(text, 1, kMostItems));
    LockGuard guard(running);
    BufferSink sink(results);
    WithInteger integer;
    WithRecord record;
    WithMonitor hoare(Discipline::hoare), mesa(Discipline::mesa);
    const struct {
        const char* name;
        Solution& solution;
    } solutions[] = {{"integer", integer}, {"record", record}, {"hoare", hoare}, {"mesa", mesa}};
    for (const auto& [name, solution] : solutions) TRY(try_one(sink, name, solution, items));
    results_length = sink.view().size();
    return {};
}

constexpr ProcEntry kSyncLabFiles[] = {
    {.name = "sync_lab",
     .show =
         [](TextSink& to) {
             LockGuard guard(running);
             to.put({results, results_length});
         },
     .store = start},
};
PROC_FILES(proc_root, kSyncLabFiles);

}  // namespace
