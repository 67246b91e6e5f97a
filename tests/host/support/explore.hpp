// An exhaustive scheduler: runs a model of some threads through all interleavings of their steps, and
// meets each state once. A model is a copyable value with
//   bool step(int thread)   one atomic step; false, and nothing changed: it can't go on now
//   bool done(int thread)   it has nothing left to do
//   const char* wrong()     what invariant is broken, or null
//   std::string key()       the whole state: models with the same key have the same future
// The bound is the model's own: how many threads and how many rounds.
#pragma once

#include <cstdio>
#include <string>
#include <unordered_set>
#include <vector>

struct Explored {
    size_t states = 0, steps = 0, deadlocks = 0, broken = 0, ends = 0;
    std::string first_wrong;
    bool good() const { return deadlocks == 0 && broken == 0 && ends > 0; }
};

template <typename Model>
Explored explore(const Model& start, int threads) {
    Explored result;
    std::unordered_set<std::string> met{start.key()};
    std::vector<Model> open{start};
    while (!open.empty()) {
        const Model state = open.back();
        open.pop_back();
        ++result.states;
        if (const char* wrong = state.wrong()) {
            ++result.broken;
            if (result.first_wrong.empty()) result.first_wrong = wrong;
            continue;
        }
        bool any = false, all_done = true;
        for (int thread = 0; thread < threads; ++thread) {
            if (state.done(thread)) continue;
            all_done = false;
            Model next = state;
            if (!next.step(thread)) continue;
            any = true;
            ++result.steps;
            if (met.insert(next.key()).second) open.push_back(next);
        }
        result.ends += all_done;
        result.deadlocks += !any && !all_done;
    }
    return result;
}

// Explores, and tells how far that went.
template <typename Model>
Explored all_of(const char* what, const Model& model, int threads) {
    const Explored e = explore(model, threads);
    printf("%-28s %d threads: %zu states, %zu steps\n", what, threads, e.states, e.steps);
    return e;
}

// Keys of small numbers.
template <typename... Numbers>
void add_to(std::string& key, Numbers... numbers) {
    ((key += static_cast<char>('0' + numbers)), ...);
}

// A queue of small numbers for the cores of kernel/sync; 0 is nobody.
struct SmallQueue {
    using Entry = int;
    int entries[8] = {};
    unsigned count = 0;
    void push(int who) { entries[count++] = who; }
    int pop() {
        if (!count) return 0;
        const int first = entries[0];
        --count;
        for (unsigned i = 0; i < count; ++i) entries[i] = entries[i + 1];
        return first;
    }
    unsigned size() const { return count; }
    void add_to_key(std::string& key) const {
        for (unsigned i = 0; i < count; ++i) add_to(key, entries[i]);
        key += '.';
    }
};
