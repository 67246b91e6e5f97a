// lab-sync: the classic problems of synchronisation, each with semaphores and with monitors of both
// disciplines. Invariants are checked where the shared data is used, while the threads run.
#pragma once

#include <atomic>
#include <functional>

#include "user/lab-sync/monitor.hpp"
#include "user/lab/table.hpp"

extern std::atomic<long>
    broken_invariants;  // invariants that did not hold, in the solution that runs
inline void must(bool holds) { broken_invariants += !holds; }

// A place where another thread may come in: sometimes it does, as --seed draws; and one where it surely may.
void perhaps_yield();
void give_way();

// Nobody else may be in the section while one of these lives.
class Alone {
  public:
    explicit Alone(std::atomic<int>& inside) : inside_(inside) {
        must(inside_++ == 0);
        perhaps_yield();
    }
    ~Alone() { --inside_; }

  private:
    std::atomic<int>& inside_;
};

constexpr Discipline kDisciplines[] = {Discipline::hoare, Discipline::mesa};
inline const char* name_of(Discipline d) { return d == Discipline::hoare ? "hoare" : "mesa"; }

// body(0) ... body(count - 1), each a thread; returns when all are done.
void in_threads(int count, const std::function<void(int)>& body);
// Starvation: how many steps the others made while a thread in this role waited, at most.
using Roles = std::vector<const char*>;
constexpr int kMostRoles = 4;
extern std::atomic<long> steps_made, longest_waits[kMostRoles];
template <typename Step>
void waiting(int role, Step&& step) {
    perhaps_yield();
    const long before = steps_made;
    step();
    const long others = steps_made++ - before;
    for (long longest = longest_waits[role];
         others > longest && !longest_waits[role].compare_exchange_weak(longest, others);) {
    }
}

// One line about a solution, and whether nothing was broken in it.
bool report(const char* problem, const char* solution, long steps, const Roles& roles = {},
            const char* more = "");
void note_row(lab::Object row);  // for --json
extern bool as_json;

// Of --only: whether this solution is to run. Of --script: whether there is one; and its run. Each word is a
// name whose first letter is one of `kinds`, and its act begins; -NAME, if there are ends, ends it. A line
// tells what is so when nobody can go on.
bool is_chosen(const std::string& solution);
bool has_script();
bool play_script(const char* kinds, bool has_ends,
                 const std::function<void(char kind, bool ends, const std::string& name)>& act,
                 const std::function<std::string()>& state);

bool run_buffer(long steps);
bool run_plate(long steps);
bool run_readers(long steps);
bool run_philosophers(long steps);
bool run_barber(long steps);
bool run_smokers(long steps);
bool run_hasty(long steps);   // the buffer with `if` where Mesa wants `while`
bool run_kernel(long steps);  // the kernel's own semaphores and monitors
bool run_naive(long steps);   // philosophers who deadlock, are found and cured
bool run_trace(long steps);   // each P and V of the kernel's record semaphores, from the trace
