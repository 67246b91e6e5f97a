// lab-deadlock: the course note's chapter on deadlock, done by real processes on /dev/resources.
//   banker.cpp        a state of one's own or the note's: its table, safe sequence, requests
//   given_state.cpp   that state, read from words, a file, or chance
//   philosophers.cpp  philosophers under each strategy, and what each costs
//   messages.cpp      consumable resources: processes that wait for each other's messages
//   victim.cpp        whom recovery chooses, by each rule
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernel/uapi/resources.h"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/table.hpp"

using Row = std::vector<uint32_t>;

const std::string kDeadlockSettings = "/proc/sys/kernel/deadlock/";

// An open /dev/resources: one party.
class Party {
  public:
    explicit Party(const std::string& name);
    ~Party();
    Party(const Party&) = delete;
    Party& operator=(const Party&) = delete;
    // Ends the program unless the type gets this number: another program uses the device.
    void add_type(uint32_t number, const std::string& name, uint32_t units,
                  bool preemptible = false, bool consumable = false);
    // 0 or the errno. A Row has the units of types 0, 1, ...
    int claim(const Row& units) { return call(RES_CLAIM, units); }
    int request(const Row& units) { return call(RES_REQUEST, units); }
    int produce(uint32_t type, uint32_t units);
    int release_all() { return call(RES_RELEASE, {}); }

  private:
    int call(unsigned long what, const Row& units);
    int fd_;
};
Row one_unit(uint32_t types, std::initializer_list<uint32_t> of);

// /proc/deadlock, read apart.
struct State {
    struct Member {
        Row max, held, wanted;
        uint32_t cost = 0;
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
    std::map<std::string, std::string> victim;  // name, pid, rule, least, among
    std::map<std::string, uint64_t> counts;
};
State read_state();
pid_t fork_or_fail();
// Waits until all have ended (true), or the kernel says for `patience` that they are deadlocked.
bool all_end(const std::vector<pid_t>& children, int64_t patience_ns);

int run_banker(int argc, char** argv);
int run_safe_state(int argc, char** argv);
int run_philosophers(int argc, char** argv);
int run_messages(int argc, char** argv);
int run_victim(int argc, char** argv);
