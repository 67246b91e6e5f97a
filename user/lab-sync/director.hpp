// Directed runs: one thread runs at a time, and at each P and each look at shared data a draw says which
// goes on. The same seed gives the same run, whatever the kernel does; and a deadlock is seen at once:
// nobody can go on.
// Invariant: who has the turn is the only one that touches anything here; an actor that is not ready has
// no turn. Without a director, threads run as the kernel says.
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "user/lab/random.hpp"

class Director {
  public:
    static Director* on;  // null: there is none

    explicit Director(long seed) : random_(seed) { sem_init(&settled_, 0, 0); }
    Director(const Director&) = delete;
    Director& operator=(const Director&) = delete;

    // By the main thread: a new actor; something to do for an idle one; until nobody can go on.
    int add();
    void give(int actor, std::function<void()> job);
    void settle();
    bool idle(int actor) const { return !actors_[static_cast<size_t>(actor)]->job; }
    const std::string& place(int actor) const { return actors_[static_cast<size_t>(actor)]->place; }
    int actors() const { return static_cast<int>(actors_.size()); }

    // By actors: another may come in here; sleep until woken, at a place with this name.
    void look();
    void sleep(const std::string& place);
    void wake(int actor) { actors_[static_cast<size_t>(actor)]->ready = true; }
    static int self();

  private:
    struct Actor {
        Director* director;
        int number;
        pthread_t thread;
        sem_t turn;
        std::function<void()> job;  // empty: idle
        bool ready = false;
        std::string place;
    };
    static void* live(void* actor);
    sem_t& next_turn();

    lab::Random random_;
    sem_t settled_;
    std::vector<std::unique_ptr<Actor>> actors_;
};
