// The policies' properties: nobody is lost whatever happens, who starves and who doesn't, what is
// expected of a burst, shares, and the lists of names and tunables.
// sources: kernel/sched/policies/real_time.cpp
#include "tests/host/support/sched_simulator.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "kernel/sched/schedulers.hpp"

namespace {

using enum ReadyReason;
constexpr Nanoseconds at(uint64_t units) { return Nanoseconds(units * kUnit); }

// --- nobody is lost

struct CpuQueue {
    Schedulers policies;
    RealTimeClass ready{policies.at(0)};
    SchedEntity* running = nullptr;
};

struct Machine {
    enum State : uint8_t { none, asleep, queued, on_cpu };
    struct Task {
        SchedEntity entity;
        State state = none;
        int cpu = 0;
    };
    CpuQueue cpus[3];
    std::array<Task, 60> tasks;
    Nanoseconds now{0};
    std::mt19937 random{7};

    Machine() {
        for (Task& task : tasks) task.entity.owner = &task;
    }
    ~Machine() {
        for (Task& task : tasks)
            if (task.state == queued) cpus[task.cpu].ready.dequeue(task.entity);
    }
    static Task& task_of(SchedEntity& entity) { return *static_cast<Task*>(entity.owner); }

    void choose_class(SchedEntity& entity) {
        const uint32_t dice = random() % 10;
        entity.sched_class = dice < 7 ? SchedClass::fair : static_cast<SchedClass>(dice - 6);
        entity.rt_priority = static_cast<uint8_t>(1 + random() % 99);
        entity.nice = static_cast<int>(random() % 40) - 20;
        entity.runtime = 1 + random() % 5'000'000;
        entity.relative_deadline = entity.runtime + random() % 20'000'000;
        entity.period = entity.relative_deadline + random() % 2 * 10'000'000;
        if (random() % 2) entity.declare_service(random() % 30'000'000);
    }
    void enqueue(Task& task, ReadyReason reason) {
        cpus[task.cpu].ready.enqueue(task.entity, reason, now);
        task.state = queued;
    }
    void put_back(int cpu, ReadyReason reason) {
        if (SchedEntity* entity = std::exchange(cpus[cpu].running, nullptr))
            enqueue(task_of(*entity), reason);
    }
    void dispatch(int cpu) {
        if (cpus[cpu].running) return;
        SchedEntity* next = cpus[cpu].running = cpus[cpu].ready.pick_next(now);
        if (!next) return;
        ASSERT_EQ(task_of(*next).state, queued);
        ASSERT_EQ(task_of(*next).cpu, cpu);
        task_of(*next).state = on_cpu;
    }

    void on_task(Task& task) {
        CpuQueue& cpu = cpus[task.cpu];
        switch (task.state) {
            case none:
                task.entity.service = task.entity.served = task.entity.estimate = 0;
                choose_class(task.entity);
                task.cpu = static_cast<int>(random() % 3);
                enqueue(task, created);
                break;
            case asleep: enqueue(task, woken); break;
            case on_cpu:
                if (random() % 4 == 0) {
                    choose_class(task.entity);
                    cpu.ready.adopt(task.entity, now);
                    break;
                }
                task.entity.stop(now);
                task.state = random() % 3 ? asleep : none;
                cpu.running = nullptr;
                break;
            case queued:
                if (random() % 2) break;
                cpu.ready.dequeue(task.entity);
                if (random() % 3 == 0) {
                    task.state = random() % 2 ? asleep : none;
                    break;
                }
                if (random() % 2) choose_class(task.entity);
                task.cpu = static_cast<int>(random() % 3);
                enqueue(task, moved);
        }
    }
    void on_cpu_event(int index) {
        CpuQueue& cpu = cpus[index];
        if (cpu.running && now >= cpu.ready.turn_end(*cpu.running))
            put_back(index, quantum_expired);
        else if (cpu.running && cpu.ready.gives_way(*cpu.running, now))
            put_back(index, preempted);
        else if (random() % 4 == 0)
            put_back(index, random() % 2 ? yielded : preempted);
        dispatch(index);
    }
    void change_rules() {
        static constexpr auto kTunables = Schedulers::default_tunables();
        const Tunable& which = kTunables.span()[random() % kTunables.count];
        std::vector<uint32_t> values(1 + random() % which.max_count);
        for (uint32_t& value : values)
            value = which.least + random() % std::min(which.most - which.least + 1, 50'000u);
        for (CpuQueue& cpu : cpus) {
            ASSERT_TRUE(cpu.policies.set_tunable(which.name, values));
            cpu.ready.requeue(now);
        }
    }
    void change_policy(int index) {
        CpuQueue& cpu = cpus[index];
        cpu.ready.set_fair(cpu.policies.at(random() % Schedulers::kCount), now);
        if (cpu.running) cpu.ready.adopt(*cpu.running, now);
    }
    void check() const {
        for (int i = 0; i < 3; ++i) {
            uint32_t expected = 0;
            for (const Task& task : tasks)
                expected += task.state == queued && task.cpu == i && !task.entity.throttled;
            ASSERT_EQ(cpus[i].ready.ready_count(), expected);
        }
    }
    // Everyone who is ready gets to run.
    void drain() {
        now = now + 1'000'000'000;
        for (int i = 0; i < 3; ++i) {
            put_back(i, preempted);
            now = now + 1'000'000'000;
            uint32_t expected = 0, seen = 0;
            for (const Task& task : tasks) expected += task.state == queued && task.cpu == i;
            while (SchedEntity* next = cpus[i].ready.pick_next(now)) {
                ASSERT_EQ(task_of(*next).state, queued);
                task_of(*next).state = asleep;
                next->stop(now);
                ++seen;
            }
            ASSERT_EQ(seen, expected);
        }
    }
};

TEST(Policies, LoseNobodyInAHundredThousandSteps) {
    Machine machine;
    for (int step = 0; step < 100'000; ++step) {
        machine.now = machine.now + machine.random() % 3'000'000;
        const uint32_t dice = machine.random() % 100;
        if (dice < 55)
            machine.on_task(machine.tasks[machine.random() % machine.tasks.size()]);
        else if (dice < 96)
            machine.on_cpu_event(static_cast<int>(machine.random() % 3));
        else if (dice < 97)
            machine.change_rules();
        else
            machine.change_policy(static_cast<int>(machine.random() % 3));
        machine.check();
        if (step % 5000 == 4999) machine.drain();
        if (testing::Test::HasFatalFailure()) FAIL() << "step " << step;
    }
}

// --- starvation: a stream of short, important jobs that fills the CPU, and one long, lesser job.
// What the long one gets, up to its 50 units, puts the stream back by up to 25 jobs; where turns
// are taken, it waits for these as well.

struct Starvation {
    const char* name;
    const char* policy;
    std::vector<std::pair<const char*, uint32_t>> settings;
    uint64_t longest_wait;  // 0: it never runs
};

class LongJob : public testing::TestWithParam<Starvation> {};

TEST_P(LongJob, WaitsNoLongerThan) {
    constexpr uint64_t kHorizon = 2000;
    Schedulers policies;
    for (auto [name, value] : GetParam().settings)
        ASSERT_TRUE(policies.set_tunable(name, std::array{value}));
    std::vector<Job> jobs{{.name = "long", .arrival = 1, .bursts = {{50}}, .priority = 0}};
    for (uint64_t t = 0; t < kHorizon; t += 2)
        jobs.push_back({.name = "short", .arrival = t, .bursts = {{2}}, .priority = 5});
    SchedSimulator simulator(*policies.find(GetParam().policy), jobs);
    simulator.run(kHorizon);
    if (GetParam().longest_wait == 0) {
        EXPECT_EQ(simulator.service(0), 0u);
    } else {
        EXPECT_GT(simulator.service(0), 0u);
        EXPECT_LE(simulator.longest_wait(0), GetParam().longest_wait);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Stream, LongJob,
    testing::Values(
        Starvation{"sjf", "sjf", {}, 0}, Starvation{"srtn", "srtn", {}, 0},
        Starvation{"priority", "priority", {}, 0},
        Starvation{"priority_preemptive", "priority", {{"priority_preemptive", 1}}, 0},
        // Short ones wait two units at most, so their ratio stays at 2: 1 + 50/50, and one in hand.
        Starvation{"hrrn", "hrrn", {}, 52},
        // Five levels of 8 units each.
        Starvation{"ageing", "priority", {{"priority_aging_us", 8 * kUnitUs}}, 42},
        Starvation{"ageing_preemptive",
                   "priority",
                   {{"priority_aging_us", 8 * kUnitUs}, {"priority_preemptive", 1}},
                   92},
        Starvation{"mlfq", "mlfq", {{"mlfq_boost_us", 100 * kUnitUs}}, 103},
        Starvation{"rr", "rr", {}, 52}, Starvation{"fcfs", "fcfs", {}, 2},
        // A third of the weight of each of those.
        Starvation{"stride", "stride", {}, 160}),
    [](const auto& info) { return info.param.name; });

TEST(Mlfq, WithoutABoostTheLowestLevelStarves) {
    Schedulers policies;
    policies.set_tunable("mlfq_quanta_us", std::array{kUnitUs, kUnitUs});
    policies.set_tunable("mlfq_boost_us", std::array{0u});
    std::vector<Job> jobs{{.name = "long", .arrival = 0, .bursts = {{50}}}};
    for (uint64_t t = 1; t < 500; ++t) jobs.push_back({.name = "s", .arrival = t, .bursts = {{1}}});
    SchedSimulator simulator(*policies.find("mlfq"), jobs);
    simulator.run(500);
    EXPECT_EQ(simulator.service(0), 1u);
}

// --- expected service times

TEST(ServiceTime, IsTheAverageOfPastBursts) {
    Schedulers policies;
    policies.set_tunable("service_guess_us", std::array{8000u});
    FairPolicy& sjf = *policies.find("sjf");
    SchedEntity entity;
    Nanoseconds now{0};
    sjf.enqueue(entity, created, now);
    uint64_t expected = 8'000'000;
    for (uint64_t burst : {4'000'000, 4'000'000, 1'000'000, 30'000'000}) {
        EXPECT_EQ(entity.service_left(now), expected);
        ASSERT_EQ(sjf.pick_next(now), &entity);
        now += burst;
        entity.stop(now);
        now += 5'000'000;
        sjf.enqueue(entity, woken, now);
        expected = (expected + burst) / 2;
    }
    sjf.dequeue(entity);
}

TEST(ServiceTime, DeclaredLastsThroughSleepsAndDoublesWhenExceeded) {
    Schedulers policies;
    FairPolicy& srtn = *policies.find("srtn");
    SchedEntity entity;
    entity.declare_service(8'000'000);
    srtn.enqueue(entity, created, Nanoseconds(0));
    srtn.pick_next(Nanoseconds(0));
    entity.stop(Nanoseconds(3'000'000));
    srtn.enqueue(entity, woken, Nanoseconds(5'000'000));
    EXPECT_EQ(entity.service_left(Nanoseconds(5'000'000)), 5'000'000u);
    srtn.pick_next(Nanoseconds(5'000'000));
    EXPECT_EQ(srtn.turn_end(entity), Nanoseconds(11'000'000));  // 8 ms and an eighth of it
    srtn.enqueue(entity, quantum_expired, Nanoseconds(11'000'000));
    EXPECT_FALSE(entity.declared);
    EXPECT_EQ(entity.service_left(Nanoseconds(11'000'000)), 7'000'000u);
    srtn.dequeue(entity);
}

TEST(ServiceTime, AnEndlessLoopDoesNotKeepTheCpuUnderSrtn) {
    Schedulers policies;
    std::vector<Job> jobs{{.name = "loop", .arrival = 0, .bursts = {{100'000}}}};
    Job interactive{.name = "interactive", .arrival = 1, .bursts = {}};
    for (int i = 0; i < 50; ++i) interactive.bursts.push_back({1, 4});
    jobs.push_back(interactive);
    SchedSimulator simulator(*policies.find("srtn"), jobs, false);
    simulator.run(1000);
    EXPECT_EQ(simulator.service(1), 50u);
    EXPECT_LT(simulator.turn_ends(), 20u);
}

// --- shares, lists

TEST(Stride, SharesByWeight) {
    Schedulers policies;
    std::vector<Job> jobs;
    for (int priority : {0, 5, -5})
        jobs.push_back({.name = "p", .bursts = {{100'000}}, .priority = priority});
    SchedSimulator simulator(*policies.find("stride"), jobs);
    simulator.run(20'000);
    double sum = 0;
    for (int nice : {0, -5, 5}) sum += Stride::kWeights[20 + nice];
    for (size_t i = 0; i < 3; ++i) {
        const double share = Stride::kWeights[20 - jobs[i].priority] / sum;
        EXPECT_NEAR(static_cast<double>(simulator.service(i)), share * 20'000, 10);
    }
    for (int i = 1; i < 40; ++i)
        EXPECT_NEAR(1.25 * Stride::kWeights[i], Stride::kWeights[i - 1],
                    3 + 0.01 * Stride::kWeights[i]);
}

TEST(Schedulers, HaveTheirNamesFromTheList) {
    Schedulers policies;
    std::set<std::string_view> names;
    for (uint32_t i = 0; i < Schedulers::kCount; ++i) {
        EXPECT_TRUE(names.insert(Schedulers::kNames[i]).second);
        EXPECT_EQ(policies.at(i).name(), Schedulers::kNames[i]);
        EXPECT_EQ(policies.find(Schedulers::kNames[i]), &policies.at(i));
    }
    EXPECT_EQ(&policies.get<Mlfq>(), policies.find("mlfq"));
    EXPECT_EQ(policies.find("lottery"), nullptr);
    EXPECT_EQ(policies.find(""), nullptr);
    EXPECT_EQ(Schedulers::index_of("lottery"), std::nullopt);
}

TEST(Tunables, RejectWhatIsOutOfRange) {
    Schedulers policies;
    const Tunable& quantum = *policies.tunable("rr_quantum_us");
    EXPECT_FALSE(policies.set_tunable("rr_quantum_us", {}));
    EXPECT_FALSE(policies.set_tunable("rr_quantum_us", std::array{0u}));
    EXPECT_FALSE(policies.set_tunable("rr_quantum_us", std::array{1000u, 1000u}));
    EXPECT_EQ(quantum.value(), 20'000u);
    EXPECT_TRUE(policies.set_tunable("rr_quantum_us", std::array{5000u}));
    EXPECT_EQ(quantum.ns(), 5'000'000u);
    EXPECT_EQ(policies.get<RoundRobin>().tunables.quantum.value(), 5000u);
    EXPECT_TRUE(policies.set_tunable("mlfq_quanta_us", std::array{100u, 200u}));
    EXPECT_EQ(policies.tunable("mlfq_quanta_us")->count, 2u);
    EXPECT_FALSE(policies.set_tunable("nothing", std::array{1u}));
    EXPECT_EQ(policies.tunable("nothing"), nullptr);
}

TEST(Tunables, AreListedOnceWithTheirMeaning) {
    static constexpr auto kTunables =
        join_tunables(Schedulers::default_tunables(), default_tunables<RealTimeClass::Tunables>());
    std::set<std::string_view> names;
    for (const Tunable& tunable : kTunables.span()) {
        EXPECT_TRUE(names.insert(tunable.name).second) << tunable.name;
        EXPECT_FALSE(tunable.meaning.empty()) << tunable.name;
        Tunable same = tunable;
        EXPECT_TRUE(same.set({tunable.values, tunable.count})) << tunable.name;
    }
    for (std::string_view name : {"service_guess_us", "rr_quantum_us", "realtime_limit_us"})
        EXPECT_TRUE(names.contains(name)) << name;
}

}  // namespace
