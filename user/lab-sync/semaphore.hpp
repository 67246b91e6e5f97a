// Semaphores with the names of the textbooks, for threads of one program: the C library's, and sets of
// System V for several operations at once (AND). Under a director (director.hpp) it decides who goes on;
// those who wait go on in the order in which they came.
#pragma once

#include <semaphore.h>
#include <sys/sem.h>

#include <cstdio>
#include <cstdlib>
#include <initializer_list>

#include "user/lab-sync/director.hpp"

class Semaphore {
  public:
    explicit Semaphore(unsigned value = 0, std::string name = "")
        : value_(static_cast<int>(value)), name_(std::move(name)) {
        sem_init(&semaphore_, 0, value);
    }
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;
    void p() {
        if (Director::on) return directed_p();
        while (sem_wait(&semaphore_) != 0) {
        }
    }
    void v() {
        if (Director::on)
            directed_v();
        else
            sem_post(&semaphore_);
    }

  private:
    void directed_p() {
        Director::on->look();
        if (--value_ >= 0) return;
        waiting_.push_back(Director::self());
        Director::on->sleep(name_);
    }
    void directed_v() {
        if (++value_ > 0) return;
        Director::on->wake(waiting_.front());
        waiting_.pop_front();
    }
    sem_t semaphore_;
    int value_;
    std::string name_;
    std::deque<int> waiting_;
};

// AND: all operations happen at once, when all can.
class SemaphoreSet {
  public:
    struct Change {
        int semaphore;
        short by;  // -1: P; 1: V
    };
    SemaphoreSet(int count, int value, std::string name)
        : id_(semget(IPC_PRIVATE, count, 0600)),
          values_(static_cast<size_t>(count), value),
          name_(std::move(name)) {
        for (int i = 0; i < count; ++i)
            if (semctl(id_, i, SETVAL, value) < 0) {
                perror("lab-sync: semaphores");
                exit(1);
            }
    }
    SemaphoreSet(const SemaphoreSet&) = delete;
    SemaphoreSet& operator=(const SemaphoreSet&) = delete;
    ~SemaphoreSet() { semctl(id_, 0, IPC_RMID); }

    void operate(std::initializer_list<Change> changes) {
        if (Director::on) return directed(changes);
        std::vector<sembuf> operations;
        for (const Change& c : changes)
            operations.push_back({static_cast<unsigned short>(c.semaphore), c.by, 0});
        while (semop(id_, operations.data(), operations.size()) < 0) {
        }
    }

  private:
    void directed(std::initializer_list<Change> changes) {
        Director::on->look();
        while (!possible(changes)) {
            waiting_.push_back(Director::self());
            Director::on->sleep(name_);
        }
        for (const Change& c : changes) value(c) += c.by;
        for (int actor : waiting_) Director::on->wake(actor);  // they look again
        waiting_.clear();
    }
    bool possible(std::initializer_list<Change> changes) {
        for (const Change& c : changes)
            if (value(c) + c.by < 0) return false;
        return true;
    }
    int& value(const Change& c) { return values_[static_cast<size_t>(c.semaphore)]; }

    const int id_;
    std::vector<int> values_;
    std::string name_;
    std::deque<int> waiting_;
};
