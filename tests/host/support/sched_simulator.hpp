// One CPU, simulated event by event: it drives a SchedulingPolicy as the dispatcher does, in exact
// time, and notes who ran when. Jobs are made of bursts with sleeps between them; arrivals,
// lengths and times of the result are whole units.
// At one instant: a burst ends; arrivals and wake-ups queue (in the jobs' order); then a turn that
// is over, or a preemption, puts the running job behind them; then the next one is picked.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include "kernel/sched/policy.hpp"

[[noreturn]] __attribute__((weak)) void verify_failed(const char* condition, const char* file,
                                                      int line) {
    std::fprintf(stderr, "%s:%d: VERIFY(%s)\n", file, line, condition);
    std::abort();
}

constexpr uint64_t kUnit = 10'000'000;  // nanoseconds
constexpr uint32_t kUnitUs = kUnit / 1000;

struct Burst {
    uint64_t cpu;
    uint64_t sleep = 0;  // after it
};

struct Job {
    std::string name;
    uint64_t arrival = 0;
    std::vector<Burst> bursts;
    int priority = 0;  // higher first: its nice value is the negative
    SchedClass sched_class = SchedClass::fair;
    uint8_t rt_priority = 1;
    uint64_t runtime = 0, deadline = 0, period = 0;
};

struct Segment {
    size_t job;
    uint64_t start, end;
    bool operator==(const Segment&) const = default;
    friend std::ostream& operator<<(std::ostream& out, const Segment& s) {
        return out << "#" << s.job << " " << s.start << "-" << s.end;
    }
};

class SchedSimulator {
  public:
    SchedSimulator(SchedulingPolicy& policy, const std::vector<Job>& jobs, bool declare = true)
        : policy_(policy), declare_(declare) {
        for (const Job& job : jobs) add(job);
    }

    // Until all have finished, or to the horizon. The policy is empty afterwards.
    const std::vector<Segment>& run(uint64_t horizon = ~0ull / kUnit) {
        const Nanoseconds end{horizon * kUnit};
        for (;;) {
            wake_all();
            make_room();
            if (!running_) dispatch();
            const Nanoseconds next = next_instant();
            if (next == kNever || next > end) break;
            now_ = next;
            if (running_ && now_ == burst_end()) end_burst();
        }
        clear();
        return segments_;
    }

    const std::vector<Segment>& segments() const { return segments_; }
    uint64_t finished_at(size_t job) const { return tasks_[job].finished; }
    // Longest time between becoming ready and running, in units.
    uint64_t longest_wait(size_t job) const { return tasks_[job].longest_wait / kUnit; }
    uint64_t service(size_t job) const {
        uint64_t sum = 0;
        for (const Segment& s : segments_) sum += s.job == job ? s.end - s.start : 0;
        return sum;
    }
    uint64_t turn_ends() const { return turn_ends_; }

  private:
    struct Task {
        Job job;
        SchedEntity entity;
        size_t burst = 0;
        uint64_t left = 0;     // nanoseconds of this burst
        Nanoseconds wakes{0};  // kNever while ready, running or finished
        Nanoseconds waits_since{0};
        uint64_t longest_wait = 0, finished = 0;
        bool queued = false;
    };

    void add(const Job& job) {
        Task& task = tasks_.emplace_back();
        task.job = job;
        task.wakes = Nanoseconds(job.arrival * kUnit);
        SchedEntity& entity = task.entity;
        entity.owner = &task;
        entity.nice = -job.priority;
        entity.sched_class = job.sched_class;
        entity.rt_priority = job.rt_priority;
        entity.runtime = job.runtime * kUnit;
        entity.relative_deadline = job.deadline * kUnit;
        entity.period = job.period * kUnit;
    }

    void queue(Task& task, ReadyReason reason) {
        task.waits_since = now_;
        task.queued = true;
        policy_.enqueue(task.entity, reason, now_);
    }
    void wake_all() {
        for (Task& task : tasks_) {
            if (task.wakes > now_) continue;
            task.wakes = kNever;
            task.left = task.job.bursts[task.burst].cpu * kUnit;
            if (declare_) task.entity.declare_service(task.left);
            queue(task, task.burst ? ReadyReason::woken : ReadyReason::created);
            if (running_ && policy_.preempts(task.entity, running_->entity, now_)) preempt_ = true;
        }
    }
    // The running job may have to leave the CPU.
    void make_room() {
        if (!running_) return;
        const bool over = now_ >= policy_.turn_end(running_->entity);
        if (policy_.next_event() <= now_ && policy_.gives_way(running_->entity, now_))
            preempt_ = true;
        if (!over && !preempt_) return;
        turn_ends_ += over;
        Task& task = release();
        queue(task, over ? ReadyReason::quantum_expired : ReadyReason::preempted);
    }
    void dispatch() {
        preempt_ = false;
        SchedEntity* entity = policy_.pick_next(now_);
        if (!entity) return;
        running_ = static_cast<Task*>(entity->owner);
        running_->queued = false;
        running_->longest_wait = std::max(running_->longest_wait, now_ - running_->waits_since);
        since_ = now_;
    }
    Task& release() {
        Task& task = *running_;
        running_ = nullptr;
        task.left -= now_ - since_;
        const size_t index = static_cast<size_t>(
            std::find_if(tasks_.begin(), tasks_.end(), [&](Task& t) { return &t == &task; }) -
            tasks_.begin());
        if (now_ > since_) segments_.push_back({index, since_.raw() / kUnit, now_.raw() / kUnit});
        return task;
    }
    void end_burst() {
        Task& task = release();
        task.entity.stop(now_);
        const uint64_t sleep = task.job.bursts[task.burst].sleep;
        if (++task.burst < task.job.bursts.size())
            task.wakes = now_ + sleep * kUnit;
        else
            task.finished = now_.raw() / kUnit;
    }
    Nanoseconds burst_end() const { return since_ + running_->left; }
    Nanoseconds next_instant() const {
        Nanoseconds next = policy_.next_event();
        for (const Task& task : tasks_) next = std::min(next, task.wakes);
        if (running_) next = std::min({next, burst_end(), policy_.turn_end(running_->entity)});
        return next;
    }
    void clear() {
        if (running_) release().entity.stop(now_);
        for (Task& task : tasks_) {
            if (!task.queued) continue;
            task.longest_wait = std::max(task.longest_wait, now_ - task.waits_since);
            policy_.dequeue(task.entity);
            task.queued = false;
        }
    }

    SchedulingPolicy& policy_;
    bool declare_;
    std::deque<Task> tasks_;
    std::vector<Segment> segments_;
    Task* running_ = nullptr;
    bool preempt_ = false;
    Nanoseconds now_{0}, since_{0};
    uint64_t turn_ends_ = 0;
};
