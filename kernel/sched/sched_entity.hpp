// SchedEntity: what a policy knows of a thread, and what it keeps about it. Time points are
// Nanoseconds; durations are nanoseconds in a uint64_t.
// Invariant: while it runs (`on_cpu`), the time since `run_since` is not yet in `turn_used` and
// `served`; stop() puts it there. While it is queued, nobody changes its class, nice value,
// reservation or declared service: take it out with dequeue() first, then enqueue() it again.
// Locks: none; the run queue's lock guards it.
#pragma once

#include "kernel/lib/list.hpp"
#include "kernel/lib/ordered_tree.hpp"
#include "kernel/lib/policy_slot.hpp"
#include "kernel/lib/types.hpp"

constexpr Nanoseconds kNever{~0ull};

enum class SchedClass : uint8_t { fair, fifo, round_robin, deadline };

// A burst that took longer than expected is expected to take twice as long, and at least this.
constexpr uint64_t kLeastService = 100'000;

struct SchedEntity {
    // --- set by the owner
    void* owner = nullptr;  // the Thread; policies don't look at it
    SchedClass sched_class = SchedClass::fair;
    uint8_t rt_priority = 1;         // 1 .. 99, higher first; classes fifo and round_robin
    int nice = 0;                    // -20 .. 19, lower first; class fair
    uint64_t cpu_time = 0;           // nanoseconds run so far, kept by the dispatcher
    uint64_t runtime = 0;            // class deadline: so much CPU time ...
    uint64_t relative_deadline = 0;  // ... within this ...
    uint64_t period = 0;             // ... once in this

    // --- in queues
    ListNode queue_node;
    TreeNode tree_node;
    int64_t key = 0;                // what a tree orders by, then by
    uint64_t sequence = 0;          // the order of queueing
    const char* slot_of = nullptr;  // name of the policy that the slot and `key` are of

    // --- turns and bursts
    bool on_cpu = false;
    bool declared = false;  // `service` is what the program said
    Nanoseconds ready_since{0};
    Nanoseconds run_since{0};
    uint64_t turn_used = 0;  // of the present quantum or budget
    uint64_t service = 0;    // expected CPU time of this burst; 0: nothing known yet
    uint64_t served = 0;     // of it
    uint64_t estimate = 0;   // exponential average of past bursts

    // --- what the policy in charge keeps about it
    PolicySlot<40> slot;

    // --- the real-time class
    Nanoseconds deadline{0};  // absolute, ...
    uint64_t budget = 0;      // ... CPU time left until then
    bool throttled = false;

    void start(Nanoseconds now) {
        on_cpu = true;
        run_since = now;
    }
    // It leaves the CPU, for whatever reason. A second call changes nothing.
    void stop(Nanoseconds now) {
        if (!on_cpu) return;
        const uint64_t used = now > run_since ? now - run_since : 0;
        turn_used += used;
        served += used;
        run_since = now;
        on_cpu = false;
    }
    // When it will have run for `length` since its turn began. It runs.
    Nanoseconds end_of(uint64_t length) const {
        return run_since + (length > turn_used ? length - turn_used : 0);
    }

    // sched_setattr's runtime: the service time of the job that begins now. 0 withdraws it.
    void declare_service(uint64_t nanoseconds) {
        declared = nanoseconds != 0;
        service = declared ? nanoseconds : estimate;
        served = 0;
    }
    uint64_t service_left(Nanoseconds now) const {
        const uint64_t done = served + (on_cpu && now > run_since ? now - run_since : 0);
        return service > done ? service - done : 0;
    }
    // It slept. A declared job may sleep in its midst; for others the next burst is expected to be
    // the average of the last one and of what was expected of it (alpha = 1/2).
    void end_burst() {
        if (declared && served < service) return;
        declared = false;
        estimate = (estimate + served) / 2;
        service = estimate > 0 ? estimate : 1;
        served = 0;
    }
    // A burst that has run for so long was expected to be too short: an eighth more than `service`.
    uint64_t service_limit() const { return service + service / 8; }
    void revise_service() {
        if (served < service_limit()) return;
        declared = false;
        if (service < kLeastService) service = kLeastService;
        while (service <= served) service *= 2;
    }
};
