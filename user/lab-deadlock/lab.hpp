// lab-deadlock: the course note's chapter on deadlock, done by real processes on /dev/resources.
//   banker.cpp      the note's banker: its table, the safe sequence, the three requests
//   philosophers.cpp  five philosophers under each strategy, and what each costs
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernel/uapi/resources.h"

using Row = std::vector<uint32_t>;

[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));
void set_strategy(const std::string& name);  // in /proc/sys/kernel/deadlock
std::string read_all(const char* path);

// An open /dev/resources: one party.
class Party {
  public:
    explicit Party(const std::string& name);
    ~Party();
    Party(const Party&) = delete;
    Party& operator=(const Party&) = delete;
    uint32_t add_type(const std::string& name, uint32_t units, bool preemptible = false);
    // 0 or the errno. A Row has the units of types 0, 1, ...
    int claim(const Row& units) { return call(RES_CLAIM, units); }
    int request(const Row& units) { return call(RES_REQUEST, units); }
    int release_all() { return call(RES_RELEASE, {}); }

  private:
    int call(unsigned long what, const Row& units);
    int fd_;
};

// /proc/deadlock, read apart.
struct State {
    struct Member {
        Row max, held, wanted;
        std::string state;
    };
    struct Step {
        std::string name;
        Row work, need, allocation, work_after;
    };
    Row available;
    std::map<std::string, Member> members;
    std::vector<Step> steps;
    bool safe = false;
    std::string deadlocked;
    std::map<std::string, uint64_t> counts;
};
State read_state();

int run_banker(bool json);
int run_safe_state(bool json);
int run_philosophers(const std::vector<std::string>& strategies, unsigned meals, unsigned eat_ms,
                     bool dot, bool preemptible);
