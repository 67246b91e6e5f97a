// See manager.hpp.
#include "kernel/deadlock/manager.hpp"

#include "kernel/sched/clock.hpp"
#include "fs/wait_edges.hpp"
#include "kernel/deadlock/wait_graph.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/trace/trace.hpp"

constinit Mutex resources_lock{LockRank::resources};
constinit ResourceManager* resource_manager = nullptr;
namespace {

constinit SpinLock look_lock{LockRank::deadlock_look};
constinit WaitQueue look_queue;
constinit bool look_wanted GUARDED_BY(look_lock) = false;

}  // namespace

void (*kill_deadlock_victim)(int id) = nullptr;
int (*deadlock_caller)() = nullptr;

Result<void> ResourceManager::join(Member& member) {
    const uint32_t p = TRY(table.add_party());
    if (members.size() <= p) {
        Result<void> room = members.resize(p + 1);
        if (room.is_error()) {
            table.remove_party(p);
            return room;
        }
    }
    member.party = p;
    members[p] = &member;
    ++open_files;
    return {};
}

void ResourceManager::leave(Member& member) {
    table.remove_party(member.party);
    members[member.party] = nullptr;
    if (--open_files == 0) {
        table = {};
        members = {};
    } else {
        serve_waiters();
    }
}

// Asks the strategy, and acts on its answer. Whether the request is granted.
bool ResourceManager::decide(Member& m) {
    const uint32_t p = m.party;
    const bool first = !table.party(p).waits;
    // Strategies are about units that come back; of others each party takes what there is.
    const Answer if_there = table.wanted_available(p) ? Answer::granted : Answer::unavailable;
    Answer answer = table.wants_consumables(p) ? if_there : strategy().decide(table, p);
    if (answer == Answer::refused && !first)
        answer = Answer::unavailable;  // rules changed meanwhile
    if (answer == Answer::gives_back)
        for (uint32_t t = 0; t < table.types(); ++t) {
            table.set_wanted(p, t, table.wanted(p, t) + table.held(p, t));
            table.take_back(p, t, table.held(p, t));
        }
    m.answer = answer;
    if (answer == Answer::granted) table.grant(p);
    return answer == Answer::granted;
}

Result<void> ResourceManager::request(Member& m, bool non_blocking) {
    const uint32_t p = m.party;
    m.victim = false;
    m.asked_at = ++counts.requests;
    if (!table.wants_any(p)) return {};  // nothing: no strategy has a say in that
    if (decide(m)) return {};
    const bool gave_back = m.answer == Answer::gives_back;
    if (m.answer == Answer::refused || (non_blocking && !gave_back)) {
        table.clear_wanted(p);
        if (m.answer == Answer::refused) return Errno::perm;
        return m.answer == Answer::unsafe ? Errno::busy : Errno::again;
    }
    table.party(p).waits = true;
    ++counts.waits;
    trace_wait(p);
    if (gave_back) serve_waiters();
    if (strategy().detects() && detection == Detection::block) detect();
    Woken woken =
        m.queue.wait(resources_lock,
                     [&]() REQUIRES(resources_lock) { return m.victim || !table.party(p).waits; },
                     {.reason = "resources"});
    if (m.victim) return Errno::deadlk;
    if (woken == Woken::condition) return {};
    table.clear_wanted(p);
    return Errno::restart;
}

// Each party that holds, or makes, some of what is wanted and not there.
void ResourceManager::trace_wait(uint32_t p) const {
    if (!trace_wanted<TraceType::waits_for_event>()) return;
    for (uint32_t t = 0; t < table.types(); ++t) {
        if (table.wanted(p, t) <= table.type(t).available) continue;
        for (uint32_t q = 0; q < table.parties(); ++q)
            if (q != p && (table.held(q, t) || table.produces(q, t)))
                wait_begins(members[q]->pid, "resource", t);
    }
}

// In the order of their requests; one that can't be served doesn't hold up the others.
void ResourceManager::serve_waiters() {
    for (uint64_t after = 0;;) {
        Member* next = nullptr;
        for (Member* m : members)
            if (m && table.party(m->party).waits && m->asked_at > after &&
                (!next || m->asked_at < next->asked_at))
                next = m;
        if (!next) return;
        after = next->asked_at;
        if (decide(*next)) next->queue.wake_all();
    }
}

// In the log, the trace, and /proc/deadlock: who was chosen, and why.
void ResourceManager::note_victim(const Victim& victim) {
    const Member& m = *members[victim.party];
    const std::string_view by = kVictimRules[static_cast<uint32_t>(rule)];
    uint32_t among = 0;
    for (uint32_t p = 0; p < table.parties(); ++p) among += !table.finish()[p];
    last_victim = {{}, m.pid, victim.cost, among, rule, victim.take_away};
    __builtin_memcpy(last_victim.name, m.name, sizeof m.name);
    trace<TraceType::victim_event>(static_cast<uint32_t>(m.pid), victim.cost, among,
                                   trace_text(by.data()));
    log_info("deadlock: {} (pid {}) is chosen by {}, with the least of {}, {}: {}",
             last_victim.name, m.pid, by, among, victim.cost,
             victim.take_away     ? "its units are taken away"
             : cure == Cure::kill ? "it is ended"
                                  : "its request fails");
}

// Breaks one of the deadlocked: takes away, or ends it.
void ResourceManager::break_one() {
    const Victim victim = choose_victim(table, rule);
    note_victim(victim);
    Member& m = *members[victim.party];
    ResourceTable::Party& party = table.party(victim.party);
    ++party.times_victim;
    for (uint32_t t = 0; t < table.types(); ++t) {
        if (victim.take_away && !table.type(t).preemptible) continue;
        const Units units = table.held(m.party, t);
        if (victim.take_away)  // it gets them back before it goes on
            table.set_wanted(m.party, t, table.wanted(m.party, t) + units);
        table.take_back(m.party, t, units);
    }
    if (victim.take_away) {
        ++counts.taken_away;
        return;
    }
    ++counts.victims;
    m.victim = true;
    table.clear_wanted(m.party);
    if (cure == Cure::kill && kill_deadlock_victim) kill_deadlock_victim(m.pid);
    m.queue.wake_all();
}

uint32_t ResourceManager::detect() {
    ++counts.detections;
    const uint32_t found = reduce(table);
    if (!found) return 0;
    ++counts.deadlocks;
    if (cure == Cure::nothing) return found;
    // Each round ends one party's wait or takes all that can be taken from one: it comes to an end.
    while (reduce(table)) break_one();
    serve_waiters();
    return found;
}

namespace {

// Looks when it is asked to, and every so often while that is what is chosen.
void watch(void*) {
    ResourceManager& manager = *resource_manager;
    for (;;) {
        bool ends;
        Nanoseconds deadline{0};
        {
            LockGuard guard(resources_lock);
            if (manager.detection == ResourceManager::Detection::periodic) {
                if (manager.strategy().detects()) manager.detect();
                deadline = monotonic_now() + uint64_t{manager.period_ms} * 1'000'000;
            }
            ends =
                manager.ends_processes() && manager.detection != ResourceManager::Detection::demand;
        }
        if (ends) break_wait_cycle();
        LockGuard guard(look_lock);
        look_queue.wait(look_lock, []() NO_LOCK_ANALYSIS { return look_wanted; },
                        {.interruptible = false, .deadline = deadline, .reason = "deadlock_watch"});
        look_wanted = false;
    }
}

}  // namespace

void deadlock_look_soon() {
    {
        LockGuard guard(look_lock);
        look_wanted = true;
    }
    look_queue.wake_all();
}

Result<void> start_deadlock_watcher() {
    ResourceManager& manager = *resource_manager;
    LockGuard guard(resources_lock);
    if (manager.watcher_runs) return {};
    Ref<Thread> thread = TRY(Thread::create("deadlock", watch, nullptr));
    manager.watcher_runs = true;
    start_thread(*thread);
    return {};
}
