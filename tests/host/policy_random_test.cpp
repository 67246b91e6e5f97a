// Random workloads, two hundred for each policy: the policies against a reference that knows
// nothing of them: it walks from unit to unit and scans the whole queue for every decision.
// sources: kernel/sched/policies/real_time.cpp
#include "tests/host/support/sched_simulator.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "kernel/sched/schedulers.hpp"

namespace {

struct Rules {
    std::string policy;
    bool preemptive = false;
    int64_t aging = 0;  // these in units
    uint64_t quantum = 0;
    std::vector<uint64_t> quanta = {};
    uint64_t boost = 0;
    bool real_time = false;
};

class Reference {
  public:
    Reference(const Rules& rules, const std::vector<Job>& jobs) : rules_(rules) {
        for (const Job& job : jobs) tasks_.push_back(Task{&job, job.arrival});
    }

    std::vector<Segment> run() {
        for (size_t finished = 0;; ++now_) {
            if (running_ >= 0 && running().left == 0) finished += end_burst();
            if (finished == tasks_.size()) return segments_;
            bool preempted = wake_all();
            if (running_ >= 0) {
                const bool over = running().used >= turn(running());
                if (over || preempted) requeue(over);
            }
            if (running_ < 0) pick();
            if (running_ >= 0) {
                --running().left;
                ++running().used;
            }
        }
    }

  private:
    struct Task {
        const Job* job;
        uint64_t wakes;
        bool waits_for_wake = true;
        size_t burst = 0;
        uint64_t left = 0, used = 0;
        uint64_t ready_since = 0;
        int64_t credit = 0;  // ageing: what it had waited when it was picked
        size_t level = 0, turn_level = 0;
        bool boosted = false;
        uint64_t pass = 0;
    };
    Task& running() { return tasks_[running_]; }
    bool is(const char* policy) const { return rules_.policy == policy; }
    bool runs_out() const {
        return is("fcfs") || is("sjf") || is("hrrn") || (is("priority") && !rules_.preemptive);
    }
    static int rank(const Task& task) {
        switch (task.job->sched_class) {
            case SchedClass::fair: return 0;
            case SchedClass::deadline: return 100;
            default: return task.job->rt_priority;
        }
    }
    uint64_t deadline(const Task& task) const { return task.job->arrival + task.job->deadline; }

    uint64_t turn(const Task& task) const {
        const uint64_t never = ~0ull;
        if (rank(task)) return task.job->sched_class == SchedClass::round_robin ? 5 : never;
        if (is("rr") || is("stride")) return rules_.quantum;
        if (is("mlfq")) return rules_.quanta[task.turn_level];
        if (is("priority") && rules_.preemptive && rules_.aging) return rules_.quantum;
        return never;
    }

    bool end_burst() {
        Task& task = running();
        segments_.push_back({static_cast<size_t>(running_), started_, now_});
        running_ = -1;
        const uint64_t sleep = task.job->bursts[task.burst].sleep;
        if (++task.burst == task.job->bursts.size()) return true;
        task.wakes = now_ + sleep;
        task.waits_for_wake = true;
        return false;
    }

    bool wake_all() {
        bool preempted = false;
        for (size_t i = 0; i < tasks_.size(); ++i) {
            Task& task = tasks_[i];
            if (!task.waits_for_wake || task.wakes > now_) continue;
            task.waits_for_wake = false;
            task.left = task.job->bursts[task.burst].cpu;
            task.ready_since = now_;
            const bool fresh = task.burst == 0;
            if (is("mlfq") && !rank(task)) {
                boost();
                settle_level(task, fresh);
            } else if (is("stride") && !rank(task)) {
                charge(task);
                if (fresh || task.pass < virtual_time_) task.pass = virtual_time_;
            } else {
                task.used = 0;
            }
            queue_.push_back(i);
            if (running_ >= 0) preempted |= preempts(task, running());
        }
        return preempted;
    }

    bool preempts(const Task& woken, const Task& running) const {
        if (rank(woken) != rank(running)) return rank(woken) > rank(running);
        if (rank(woken) == 100) return deadline(woken) < deadline(running);
        if (rank(woken)) return false;
        if (is("srtn")) return woken.left < running.left;
        if (is("mlfq")) return woken.level < (running.boosted ? 0 : running.level);
        if (is("priority") && rules_.preemptive) {
            if (!rules_.aging) return woken.job->priority > running.job->priority;
            return woken.job->priority * rules_.aging >
                   running.job->priority * rules_.aging + running.credit;
        }
        return false;
    }

    void boost() {
        if (!rules_.boost || now_ / rules_.boost == boosts_) return;
        boosts_ = now_ / rules_.boost;
        std::stable_sort(queue_.begin(), queue_.end(),
                         [&](size_t a, size_t b) { return tasks_[a].level < tasks_[b].level; });
        for (Task& task : tasks_) task.boosted = true;
        for (size_t i : queue_) {
            tasks_[i].level = tasks_[i].used = 0;
            tasks_[i].boosted = false;
        }
    }
    void settle_level(Task& task, bool fresh) {
        if (fresh || task.boosted) {
            task.level = task.used = 0;
        } else if (task.used >= rules_.quanta[task.level]) {
            task.level = std::min(task.level + 1, rules_.quanta.size() - 1);
            task.used = 0;
        }
        task.boosted = false;
    }
    void charge(Task& task) {
        task.pass += task.used * kUnit * 1024 / Stride::kWeights[20 - task.job->priority];
        task.used = 0;
    }

    void requeue(bool over) {
        Task& task = running();
        if (now_ > started_) segments_.push_back({static_cast<size_t>(running_), started_, now_});
        bool to_front = !over && (rank(task) ? rank(task) < 100 : runs_out() || is("rr"));
        if (rank(task) == 0) {
            if (is("mlfq")) {
                boost();
                const size_t before = task.level;
                const bool boosted = task.boosted;
                settle_level(task, false);
                to_front =
                    !over && !boosted && task.level == before && task.used && nobody_better(task);
                if (!to_front) task.used = 0;
            } else if (is("stride")) {
                charge(task);
            }
        }
        task.ready_since = over ? now_ : now_ - task.credit;
        if (is("priority") && rules_.preemptive && !rank(task) && !over)
            to_front = nobody_better(task);
        if (over) task.used = 0;
        interrupted_ = to_front && runs_out() && !rank(task) ? running_ : interrupted_;
        queue_.insert(to_front ? queue_.begin() : queue_.end(), running_);
        running_ = -1;
    }

    bool nobody_better(const Task& task) const {
        return std::none_of(queue_.begin(), queue_.end(), [&](size_t i) {
            return rank(tasks_[i]) == 0 && better(tasks_[i], task);
        });
    }
    // Is a better than b? Equal ones stay in the queue's order.
    bool better(const Task& a, const Task& b) const {
        if (rank(a) != rank(b)) return rank(a) > rank(b);
        if (rank(a) == 100) return deadline(a) < deadline(b);
        if (rank(a)) return false;
        if (is("sjf") || is("srtn")) return a.left < b.left;
        if (is("hrrn"))
            return (now_ - a.ready_since + a.left) * b.left >
                   (now_ - b.ready_since + b.left) * a.left;
        if (is("priority")) {
            if (!rules_.aging) return a.job->priority > b.job->priority;
            const int64_t waited_longer = static_cast<int64_t>(b.ready_since - a.ready_since);
            return (a.job->priority - b.job->priority) * rules_.aging + waited_longer > 0;
        }
        if (is("mlfq")) return a.level < b.level;
        if (is("stride")) return a.pass < b.pass;
        return false;
    }
    void pick() {
        if (queue_.empty()) return;
        if (is("mlfq") && highest_rank() == 0) boost();
        auto best = queue_.begin();
        for (auto at = queue_.begin(); at != queue_.end(); ++at)
            if (better(tasks_[*at], tasks_[*best])) best = at;
        // What a real-time job pushed aside goes on before others, if the policy wants no switch.
        if (interrupted_ >= 0 && rank(tasks_[*best]) == 0)
            best = std::find(queue_.begin(), queue_.end(), static_cast<size_t>(interrupted_));
        running_ = static_cast<int>(*best);
        if (running_ == interrupted_) interrupted_ = -1;
        queue_.erase(best);
        Task& task = running();
        task.turn_level = task.level;
        task.credit = rules_.aging ? static_cast<int64_t>(now_ - task.ready_since) : 0;
        if (rank(task) == 0) virtual_time_ = std::max(virtual_time_, task.pass);
        started_ = now_;
    }
    int highest_rank() const {
        int highest = 0;
        for (size_t i : queue_) highest = std::max(highest, rank(tasks_[i]));
        return highest;
    }

    const Rules& rules_;
    std::vector<Task> tasks_;
    std::deque<size_t> queue_;
    std::vector<Segment> segments_;
    int running_ = -1, interrupted_ = -1;
    uint64_t now_ = 0, started_ = 0, virtual_time_ = 0, boosts_ = 0;
};

struct Ready {
    Schedulers policies;
    RealTimeClass real_time;

    Ready(const Rules& rules, const std::string& policy) : real_time(*policies.find(policy)) {
        set("priority_preemptive", {rules.preemptive}, 1);
        set("priority_aging_us", {static_cast<uint64_t>(rules.aging)}, kUnitUs);
        set("mlfq_boost_us", {rules.boost}, kUnitUs);
        real_time.tunables.quantum.set(std::array{5 * kUnitUs});
        real_time.tunables.limit.set(std::array{0u});  // the reference has none
        if (rules.quantum)
            for (const char* name : {"rr_quantum_us", "priority_quantum_us", "stride_quantum_us"})
                set(name, {rules.quantum}, kUnitUs);
        if (!rules.quanta.empty()) set("mlfq_quanta_us", rules.quanta, kUnitUs);
    }
    void set(const char* name, std::vector<uint64_t> values, uint32_t scale) {
        std::vector<uint32_t> scaled;
        for (uint64_t value : values) scaled.push_back(static_cast<uint32_t>(value) * scale);
        ASSERT_TRUE(policies.set_tunable(name, scaled)) << name;
    }
};

std::vector<Job> random_jobs(std::mt19937& random, bool real_time) {
    std::vector<Job> jobs(2 + random() % 14);
    for (size_t i = 0; i < jobs.size(); ++i) {
        Job& job = jobs[i];
        job.name = "P" + std::to_string(i);
        job.arrival = random() % 40;
        job.priority = static_cast<int>(random() % 6) - 2;
        const uint32_t kind = real_time ? random() % 4 : 0;
        for (uint32_t n = 1 + (kind == 3 ? 0 : random() % 4); n > 0; --n)
            job.bursts.push_back({1 + random() % (random() % 4 ? 6 : 20), 1 + random() % 8});
        job.sched_class = static_cast<SchedClass>(kind);
        job.rt_priority = static_cast<uint8_t>(1 + random() % 5 * 24);
        if (kind == 3) {
            job.runtime = job.bursts[0].cpu;
            job.deadline = job.period = job.runtime + random() % 60;
        }
    }
    return jobs;
}

std::string describe(const std::vector<Job>& jobs) {
    std::string text;
    for (const Job& job : jobs) {
        text += job.name + " at " + std::to_string(job.arrival) + " prio " +
                std::to_string(job.priority) + ":";
        for (Burst b : job.bursts)
            text += " " + std::to_string(b.cpu) + "+" + std::to_string(b.sleep);
        text += "\n";
    }
    return text;
}

class RandomWorkload : public testing::TestWithParam<Rules> {};

TEST_P(RandomWorkload, AgreesWithTheReference) {
    const Rules& rules = GetParam();
    std::mt19937 random(20240);
    for (int round = 0; round < 200; ++round) {
        const std::vector<Job> jobs = random_jobs(random, rules.real_time);
        const std::vector<Segment> expected = Reference(rules, jobs).run();
        for (const std::string& policy : {rules.policy, rules.policy + "_fast"}) {
            if (!Schedulers::index_of(policy)) continue;
            Ready ready(rules, policy);
            SchedSimulator simulator(ready.real_time, jobs);
            ASSERT_EQ(simulator.run(), expected) << policy << ", round " << round << "\n"
                                                 << describe(jobs);
            ASSERT_EQ(ready.real_time.ready_count(), 0u);
        }
    }
}

// The fast forms choose as the textbook ones do, with hundreds in the queue and times of any length:
// all arrive before the first one ends.
TEST(FastForms, ChooseAsTheTextbookOnes) {
    std::mt19937 random(7);
    const Rules rules[] = {{.policy = "hrrn"},
                           {.policy = "priority"},
                           {.policy = "priority", .aging = 2},
                           {.policy = "priority", .preemptive = true, .aging = 2, .quantum = 3}};
    for (int round = 0; round < 12; ++round) {
        const Rules& rule = rules[round % std::size(rules)];
        std::vector<Job> jobs(50 + random() % 300);
        for (size_t i = 0; i < jobs.size(); ++i)
            jobs[i] = {.name = "P" + std::to_string(i),
                       .arrival = random() % (i % 3 ? 300 : 5000),
                       .bursts = {{1 + random() % (random() % 4 ? 20 : 400), random() % 50},
                                  {1 + random() % 9}},
                       .priority = static_cast<int>(random() % 40) - 20};
        Ready plain(rule, rule.policy), fast(rule, rule.policy + "_fast");
        const std::vector<Segment> expected = SchedSimulator(plain.real_time, jobs).run();
        ASSERT_EQ(SchedSimulator(fast.real_time, jobs).run(), expected) << rule.policy;
        ASSERT_GT(expected.size(), jobs.size());
    }
}

const Rules kRuleSets[] = {
    {.policy = "fcfs"},
    {.policy = "sjf"},
    {.policy = "srtn"},
    {.policy = "hrrn"},
    {.policy = "rr", .quantum = 1},
    {.policy = "rr", .quantum = 4},
    {.policy = "priority"},
    {.policy = "priority", .preemptive = true},
    {.policy = "priority", .aging = 7, .quantum = 2},
    {.policy = "priority", .preemptive = true, .aging = 3, .quantum = 2},
    {.policy = "mlfq", .quanta = {1, 2, 4}},
    {.policy = "mlfq", .quanta = {2, 3, 5, 8}, .boost = 25},
    {.policy = "stride", .quantum = 2},
    {.policy = "fcfs", .real_time = true},
    {.policy = "sjf", .real_time = true},
    {.policy = "srtn", .real_time = true},
    {.policy = "rr", .quantum = 3, .real_time = true},
    {.policy = "priority", .preemptive = true, .aging = 5, .quantum = 3, .real_time = true},
    {.policy = "priority", .preemptive = true, .real_time = true},
    {.policy = "mlfq", .quanta = {2, 3, 5}, .real_time = true},
    {.policy = "stride", .quantum = 3, .real_time = true},
};
INSTANTIATE_TEST_SUITE_P(All, RandomWorkload, testing::ValuesIn(kRuleSets));

}  // namespace
