// The resource manager: the one ResourceTable of the machine behind a lock, its waiters, and the
// strategy in force. /dev/resources (device.cpp) is its face for programs, /proc/deadlock and
// /proc/sys/kernel/deadlock (report.cpp) the one for people.
// Invariant: a party that waits is on its own queue, and its `wanted` in the table says for what.
// Locks: resources_lock for everything here; the watcher's request has one of its own.
#pragma once

#include "kernel/deadlock/analysis.hpp"
#include "kernel/deadlock/recovery.hpp"
#include "kernel/deadlock/strategies/strategy.hpp"
#include "kernel/lib/policy_choice.hpp"
#include "kernel/sync/mutex.hpp"
#include "kernel/uapi/resources.h"

std::string_view answer_text(Answer answer);
extern const PolicyChoice kStrategyChoice;  // deadlock=NAME, /proc/sys/kernel/deadlock/strategy

extern Mutex resources_lock;

struct ResourceManager {
    // What the table's party p is in the world. Lives in its open file.
    struct Member {
        uint32_t party = 0;
        int pid = 0;  // who asked last
        char name[16] = {};
        Answer answer = Answer::granted;  // to the last request
        uint64_t asked_at = 0;            // order of arrival among those that wait
        bool victim = false;
        WaitQueue queue;
    };
    enum class Detection : uint8_t { block, periodic, demand };
    enum class Cure : uint8_t { fail, kill, nothing };

    ResourceTable table GUARDED_BY(resources_lock);
    Vector<Member*> members GUARDED_BY(resources_lock);  // by party; null: none
    uint32_t open_files GUARDED_BY(resources_lock) = 0;
    const Strategy& strategy() const;
    Detection detection = Detection::block;
    Cure cure = Cure::fail;
    VictimRule rule = VictimRule::cost;
    struct {
        char name[16] = {};
        int pid = 0;
        uint32_t cost = 0, among = 0;
        VictimRule rule = VictimRule::cost;
        bool taken_from = false;
    } last_victim GUARDED_BY(resources_lock);
    uint32_t period_ms = 100;
    bool watcher_runs = false;
    struct {
        uint64_t requests = 0, waits = 0, detections = 0, deadlocks = 0, victims = 0,
                 taken_away = 0;
    } counts GUARDED_BY(resources_lock);

    Result<void> join(Member& member) REQUIRES(resources_lock);
    void leave(Member& member) REQUIRES(resources_lock);
    Result<void> request(Member& member, bool non_blocking)
        REQUIRES(resources_lock);  // the table has `wanted`
    void serve_waiters() REQUIRES(resources_lock);
    // Looks for deadlocks, and cures them as `cure` says. How many parties were in one.
    uint32_t detect() REQUIRES(resources_lock);
    // Whether circles among processes (wait_graph.hpp) are to be cured too.
    bool ends_processes() const { return strategy().detects() && cure == Cure::kill; }

  private:
    bool decide(Member& member) REQUIRES(resources_lock);
    void note_victim(const Victim& victim) REQUIRES(resources_lock);
    void break_one() REQUIRES(resources_lock);
    void trace_wait(uint32_t party) const REQUIRES(resources_lock);
};

extern ResourceManager* resource_manager;  // made at start-up, never destroyed
inline ResourceManager& manager() { return *resource_manager; }
// Installed by kernel/proc: ends the process (or that of a thread) as SIGKILL does.
extern void (*kill_deadlock_victim)(int id);
extern int (*deadlock_caller)();  // pid of the caller

// The thread that looks periodically, and for circles among processes when a process has to wait.
Result<void> start_deadlock_watcher();  // if it doesn't run yet: ENOMEM
void deadlock_look_soon();              // callable with spin locks held
void deadlock_device_init();
void deadlock_report_init();
