// The scheduling tables of the course note, reproduced to the unit by the same policy classes that
// the kernel runs: order, start, end, turnaround, weighted turnaround (exactly), waiting.
#include "tests/host/support/sched_simulator.hpp"

#include <gtest/gtest.h>

#include "kernel/sched/schedulers.hpp"

namespace {

struct Example {
    const char* title;
    const char* policy;
    struct Setting {
        const char* tunable;
        std::vector<uint32_t> values;  // in units, if it is a time
    };
    std::vector<Setting> settings;
    struct Process {
        const char* name;
        uint64_t arrival, burst;
        int priority = 0;
    };
    std::vector<Process> workload;
    struct Bar {
        const char* name;
        uint64_t start, end;
    };
    std::vector<Bar> gantt;
    struct Row {
        const char* name;
        uint64_t turnaround;
        const char* weighted;
        uint64_t waiting;
    };
    std::vector<Row> rows;
};

const Example kExamples[] = {
    {"fcfs",
     "fcfs",
     {},
     {{"P1", 0, 7}, {"P2", 2, 4}, {"P3", 4, 1}, {"P4", 5, 4}},
     {{"P1", 0, 7}, {"P2", 7, 11}, {"P3", 11, 12}, {"P4", 12, 16}},
     {{"P1", 7, "1", 0}, {"P2", 9, "9/4", 5}, {"P3", 8, "8", 7}, {"P4", 11, "11/4", 7}}},
    {"sjf",
     "sjf",
     {},
     {{"P1", 0, 7}, {"P2", 2, 4}, {"P3", 4, 1}, {"P4", 5, 4}},
     {{"P1", 0, 7}, {"P3", 7, 8}, {"P2", 8, 12}, {"P4", 12, 16}},
     {{"P1", 7, "1", 0}, {"P2", 10, "5/2", 6}, {"P3", 4, "4", 3}, {"P4", 11, "11/4", 7}}},
    {"srtn",
     "srtn",
     {},
     {{"P1", 0, 7}, {"P2", 2, 4}, {"P3", 4, 1}, {"P4", 5, 4}},
     {{"P1", 0, 2}, {"P2", 2, 4}, {"P3", 4, 5}, {"P2", 5, 7}, {"P4", 7, 11}, {"P1", 11, 16}},
     {{"P1", 16, "16/7", 9}, {"P2", 5, "5/4", 1}, {"P3", 1, "1", 0}, {"P4", 6, "3/2", 2}}},
    {"hrrn",
     "hrrn",
     {},
     {{"P1", 0, 7}, {"P2", 2, 4}, {"P3", 4, 1}, {"P4", 5, 4}},
     {{"P1", 0, 7}, {"P3", 7, 8}, {"P2", 8, 12}, {"P4", 12, 16}},
     {{"P1", 7, "1", 0}, {"P2", 10, "5/2", 6}, {"P3", 4, "4", 3}, {"P4", 11, "11/4", 7}}},
    {"rr quantum=2",
     "rr",
     {{"rr_quantum_us", {2}}},
     {{"P1", 0, 5}, {"P2", 2, 4}, {"P3", 4, 1}, {"P4", 5, 6}},
     {{"P1", 0, 2},
      {"P2", 2, 4},
      {"P1", 4, 6},
      {"P3", 6, 7},
      {"P2", 7, 9},
      {"P4", 9, 11},
      {"P1", 11, 12},
      {"P4", 12, 14},
      {"P4", 14, 16}},
     {{"P1", 12, "12/5", 7}, {"P2", 7, "7/4", 3}, {"P3", 3, "3", 2}, {"P4", 11, "11/6", 5}}},
    {"rr quantum=5",
     "rr",
     {{"rr_quantum_us", {5}}},
     {{"P1", 0, 5}, {"P2", 2, 4}, {"P3", 4, 1}, {"P4", 5, 6}},
     {{"P1", 0, 5}, {"P2", 5, 9}, {"P3", 9, 10}, {"P4", 10, 15}, {"P4", 15, 16}},
     {{"P1", 5, "1", 0}, {"P2", 7, "7/4", 3}, {"P3", 6, "6", 5}, {"P4", 11, "11/6", 5}}},
    {"priority",
     "priority",
     {},
     {{"P1", 0, 7, 1}, {"P2", 2, 4, 2}, {"P3", 4, 1, 3}, {"P4", 5, 4, 2}},
     {{"P1", 0, 7}, {"P3", 7, 8}, {"P2", 8, 12}, {"P4", 12, 16}},
     {{"P1", 7, "1", 0}, {"P2", 10, "5/2", 6}, {"P3", 4, "4", 3}, {"P4", 11, "11/4", 7}}},
    {"priority preemptive",
     "priority",
     {{"priority_preemptive", {1}}},
     {{"P1", 0, 7, 1}, {"P2", 2, 4, 2}, {"P3", 4, 1, 3}, {"P4", 5, 4, 2}},
     {{"P1", 0, 2}, {"P2", 2, 4}, {"P3", 4, 5}, {"P2", 5, 7}, {"P4", 7, 11}, {"P1", 11, 16}},
     {{"P1", 16, "16/7", 9}, {"P2", 5, "5/4", 1}, {"P3", 1, "1", 0}, {"P4", 6, "3/2", 2}}},
    {"mlfq quanta=1,2,4",
     "mlfq",
     {{"mlfq_quanta_us", {1, 2, 4}}},
     {{"P1", 0, 8}, {"P2", 2, 4}, {"P3", 5, 1}},
     {{"P1", 0, 1},
      {"P1", 1, 2},
      {"P2", 2, 3},
      {"P1", 3, 5},
      {"P3", 5, 6},
      {"P2", 6, 8},
      {"P1", 8, 12},
      {"P2", 12, 13}},
     {{"P1", 12, "3/2", 4}, {"P2", 11, "11/4", 7}, {"P3", 1, "1", 0}}},
    {"mlfq quanta=1,2,4 (textbook)",
     "mlfq",
     {{"mlfq_quanta_us", {1, 2, 4}}},
     {{"P1", 0, 8}, {"P2", 1, 4}, {"P3", 5, 1}},
     {{"P1", 0, 1},
      {"P2", 1, 2},
      {"P1", 2, 4},
      {"P2", 4, 5},
      {"P3", 5, 6},
      {"P2", 6, 8},
      {"P1", 8, 12},
      {"P1", 12, 13}},
     {{"P1", 13, "13/8", 5}, {"P2", 7, "7/4", 3}, {"P3", 1, "1", 0}}},
};

std::string fraction(uint64_t over, uint64_t under) {
    const uint64_t common = std::gcd(over, under);
    const std::string top = std::to_string(over / common);
    return under == common ? top : top + "/" + std::to_string(under / common);
}

void apply(Schedulers& policies, const Example::Setting& setting) {
    std::vector<uint32_t> values = setting.values;
    for (uint32_t& value : values)
        if (std::string_view(setting.tunable).ends_with("_us")) value *= kUnitUs;
    ASSERT_TRUE(policies.set_tunable(setting.tunable, values)) << setting.tunable;
}

class PolicyExample : public testing::TestWithParam<Example> {};

TEST_P(PolicyExample, IsReproduced) {
    const Example& example = GetParam();
    Schedulers policies;
    for (const Example::Setting& setting : example.settings) apply(policies, setting);
    FairPolicy* policy = policies.find(example.policy);
    ASSERT_TRUE(policy);

    std::vector<Job> jobs;
    for (const Example::Process& p : example.workload)
        jobs.push_back(
            {.name = p.name, .arrival = p.arrival, .bursts = {{p.burst}}, .priority = p.priority});
    SchedSimulator simulator(*policy, jobs);
    const std::vector<Segment>& segments = simulator.run();

    ASSERT_EQ(segments.size(), example.gantt.size());
    for (size_t i = 0; i < segments.size(); ++i) {
        EXPECT_EQ(jobs[segments[i].job].name, example.gantt[i].name) << "bar " << i;
        EXPECT_EQ(segments[i].start, example.gantt[i].start) << "bar " << i;
        EXPECT_EQ(segments[i].end, example.gantt[i].end) << "bar " << i;
    }
    ASSERT_EQ(jobs.size(), example.rows.size());
    for (size_t i = 0; i < jobs.size(); ++i) {
        const Example::Row& row = example.rows[i];
        const uint64_t burst = example.workload[i].burst;
        const uint64_t turnaround = simulator.finished_at(i) - jobs[i].arrival;
        EXPECT_EQ(jobs[i].name, row.name);
        EXPECT_EQ(turnaround, row.turnaround) << row.name;
        EXPECT_EQ(fraction(turnaround, burst), row.weighted) << row.name;
        EXPECT_EQ(turnaround - burst, row.waiting) << row.name;
    }
}

INSTANTIATE_TEST_SUITE_P(CourseNote, PolicyExample, testing::ValuesIn(kExamples),
                         [](const testing::TestParamInfo<Example>& info) {
                             std::string name = info.param.title;
                             for (char& c : name)
                                 if (!isalnum(static_cast<unsigned char>(c))) c = '_';
                             return name;
                         });

}  // namespace
