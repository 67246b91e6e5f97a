// Avoidance: processes claim and hold what a table says; the kernel's safety algorithm gives the
// rows; then some of them ask, one after the other. The tables are the course note's, or one's own.
//   banker      five processes, three types; P1, P4 and P0 ask
//   safe-state  three processes, twelve units of one type; P3 asks for one more
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "user/lab-deadlock/given_state.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-deadlock banker [--available A,B,C --max ROW/ROW... --allocation ROW/ROW...]\n"
    "                           [--request P1:1,0,2]... [--file FILE] [--random N [--seed S]] "
    "[--json]\n"
    "       lab-deadlock safe-state [the same]\n"
    "Need, the safety algorithm's rows and a safe sequence of the note's table or your own, by "
    "the\n"
    "kernel; then each request is made by its process. A FILE has lines `available 3 3 2`,\n"
    "`P0 max 7 5 3 allocation 0 1 0`, `request P1 1 0 2`; # begins a comment.\n"
    "    # lab-deadlock banker --available 1,1 --max 2,2/1,1 --allocation 1,0/0,1 --request "
    "P0:1,1\n"
    "    Available  1  1\n"
    "            Max         Allocation  Need\n"
    "    P0        2  2        1  0        1  2\n"
    "    P1        1  1        0  1        1  0\n"
    "    ...\n"
    "    Safe sequence: P1 P0, the only one\n"
    "    P0 asks for  1  1: denied for now: the state would be unsafe\n";
const Example kBanker = {{"P0", "P1", "P2", "P3", "P4"},
                         {3, 3, 2},
                         {{7, 5, 3}, {3, 2, 2}, {9, 0, 2}, {2, 2, 2}, {4, 3, 4}},
                         {{0, 1, 0}, {2, 0, 0}, {3, 0, 2}, {2, 1, 1}, {0, 0, 2}},
                         {{1, {1, 0, 2}}, {4, {3, 3, 0}}, {0, {0, 2, 0}}}};
const Example kSafeState = {{"P1", "P2", "P3"}, {3}, {{10}, {4}, {9}}, {{5}, {2}, {2}}, {{2, {1}}}};

// --- the processes

struct Child {
    pid_t pid;
    int orders;   // the number of the request to make
    int answers;  // an int at the start and after each request: 0 or errno
};

// Takes its part of the table, then makes the requests that it is told.
[[noreturn]] void live(const Example& of, size_t p, int orders, int answers) {
    Party party(of.names[p]);
    int result = party.claim(of.max[p]);
    if (!result) result = party.request(of.held[p]);
    for (size_t order;;) {
        if (write(answers, &result, sizeof result) < 0 || read(orders, &order, sizeof order) <= 0)
            _exit(0);
        result = party.request(of.requests[order].units);
    }
}

Child start(const Example& of, size_t p) {
    int orders[2], answers[2];
    if (pipe(orders) || pipe(answers)) lab::fail("pipe: %s", strerror(errno));
    const pid_t pid = fork_or_fail();
    if (pid == 0) {
        close(orders[1]);
        close(answers[0]);
        live(of, p, orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    return {pid, orders[1], answers[0]};
}

std::string error_text(int error) {
    return error == 0        ? "granted"
           : error == EINVAL ? "error: more than it still needs"
                             : std::string("refused: ") + strerror(error);
}

// What came of a request: its process has the answer, or waits and the kernel says why.
std::string outcome(const Child& child, const std::string& name) {
    for (;;) {
        pollfd ready = {child.answers, POLLIN, 0};
        if (poll(&ready, 1, 0) > 0) {
            int result = 0;
            if (read(child.answers, &result, sizeof result) <= 0) lab::fail("no answer");
            return error_text(result);
        }
        const State now = read_state();
        const auto member = now.members.find(name);
        if (member != now.members.end() && member->second.state.starts_with("waits"))
            return member->second.state;
        if (member != now.members.end() && member->second.state.starts_with("denied"))
            return member->second.state;
        sched_yield();
    }
}

using Answers = std::vector<std::pair<const Asked*, std::string>>;

State play(const Example& of, Answers& answers) {
    // Dealt out as it stands, safe or not; then the banker decides.
    lab::Setting strategy(kDeadlockSettings + "strategy", "none");
    Party parent("parent");
    for (uint32_t t = 0; t < of.available.size(); t++) {
        uint32_t total = of.available[t];
        for (const Row& held : of.held) total += held[t];
        parent.add_type(t, std::string(1, static_cast<char>('A' + t % 26)), total);
    }
    std::vector<Child> children;
    for (size_t p = 0; p < of.processes(); p++) {
        children.push_back(start(of, p));
        int result = -1;
        if (read(children[p].answers, &result, sizeof result) < 0 || result)
            lab::fail("%s could not start: %s", of.names[p].c_str(), strerror(result));
    }
    strategy.set("banker");
    State state = read_state();
    std::set<size_t> waits;
    for (size_t i = 0; i < of.requests.size(); ++i) {
        const Asked& asked = of.requests[i];
        std::string answer = "still waits";
        if (!waits.contains(asked.process)) {
            const Child& child = children[asked.process];
            if (write(child.orders, &i, sizeof i) < 0) lab::fail("no order");
            answer = outcome(child, of.names[asked.process]);
            if (answer.starts_with("waits") || answer.starts_with("denied"))
                waits.insert(asked.process);
        }
        answers.push_back({&asked, answer});
    }
    for (const Child& child : children) kill(child.pid, SIGKILL);
    for (const Child& child : children) waitpid(child.pid, nullptr, 0);
    return state;
}

// --- what is printed

std::string columns(const Row& row) {
    std::string text;
    char cell[16];
    for (const uint32_t n : row) text += (snprintf(cell, sizeof cell, "%3u", n), cell);
    return text;
}

Row need_of(const Example& of, size_t p) {
    Row need;
    for (size_t t = 0; t < of.available.size(); t++) need.push_back(of.max[p][t] - of.held[p][t]);
    return need;
}

// At each step of the safe sequence, whether no other could have finished first.
bool only_sequence(const State& state) {
    for (size_t i = 0; i < state.steps.size(); i++)
        for (size_t later = i + 1; later < state.steps.size(); later++) {
            bool fits = true;
            for (size_t t = 0; t < state.available.size(); t++)
                fits &= state.steps[later].need[t] <= state.steps[i].work[t];
            if (fits) return false;
        }
    return true;
}

std::vector<std::string> sequence_of(const State& state) {
    std::vector<std::string> names;
    for (const State::Step& s : state.steps) names.push_back(s.name);
    return names;
}

lab::Object common_json(const Example& of, const State& state) {
    std::vector<lab::Object> rows, requests;
    for (const State::Step& s : state.steps)
        rows.push_back(lab::Object()
                           .add("process", s.name)
                           .add("work", s.work)
                           .add("need", s.need)
                           .add("allocation", s.allocation)
                           .add("work_after", s.work_after));
    for (const Asked& asked : of.requests)
        requests.push_back(
            lab::Object().add("process", of.names[asked.process]).add("units", asked.units));
    return lab::Object()
        .add("lab", "lab-deadlock")
        .add("input", lab::Object()
                          .add("names", of.names)
                          .add("available", of.available)
                          .add("max", of.max)
                          .add("allocation", of.held)
                          .add("requests", requests))
        .add("safe", state.safe)
        .add("rows", rows);
}

std::string asked_json(const Example& of, const Answers::value_type& answer, bool one_type) {
    const Asked& asked = *answer.first;
    return "[" + lab::json(of.names[asked.process]) + ", " +
           (one_type ? lab::json(asked.units[0]) : lab::json(asked.units)) + ", " +
           lab::json(answer.second) + "]";
}

void print_json(const Example& of, const State& state, const Answers& answers) {
    std::vector<Row> need;
    for (size_t p = 0; p < of.processes(); ++p) need.push_back(need_of(of, p));
    std::vector<lab::Raw> requests;
    for (const auto& answer : answers) requests.push_back({asked_json(of, answer, false)});
    common_json(of, state)
        .add("available", state.available)
        .add("allocation", of.held)
        .add("need", need)
        .add("max", of.max)
        .add("safe_sequence", sequence_of(state))
        .add("requests_in_order", requests)
        .print();
}

void print_table(const Example& of, const State& state, const Answers& answers) {
    const int width = static_cast<int>(3 * of.available.size());
    auto heading = [&](const char* text) { printf("  %-*s", std::max(width, 10), text); };
    auto cells = [&](const Row& row) {
        printf("  %-*s", std::max(width, 10), columns(row).c_str());
    };
    printf("Available%s\n\n%-6s", columns(state.available).c_str(), "");
    for (const char* text : {"Max", "Allocation", "Need"}) heading(text);
    for (size_t p = 0; p < of.processes(); ++p) {
        printf("\n%-6s", of.names[p].c_str());
        cells(of.max[p]), cells(of.held[p]), cells(need_of(of, p));
    }
    printf("\n\n%-6s", "");
    for (const char* text : {"Work", "Need", "Allocation", "Work+Alloc", "Finish"}) heading(text);
    for (const State::Step& s : state.steps) {
        printf("\n%-6s", s.name.c_str());
        cells(s.work), cells(s.need), cells(s.allocation), cells(s.work_after);
        printf("  true");
    }
    if (state.safe)
        printf("\n\nSafe sequence: %s%s\n", lab::join(sequence_of(state)).c_str(),
               only_sequence(state) ? ", the only one" : "");
    else
        printf("\n\nUnsafe: after %zu of %zu processes none can finish\n", state.steps.size(),
               of.processes());
    for (const auto& [asked, answer] : answers)
        printf("%s asks for%s: %s\n", of.names[asked->process].c_str(),
               columns(asked->units).c_str(), answer.c_str());
}

// One type only: plain numbers.
void print_safe_state(const Example& of, const State& state, const Answers& answers) {
    Row max, held;
    uint32_t units = of.available[0];
    for (size_t p = 0; p < of.processes(); ++p) {
        max.push_back(of.max[p][0]);
        held.push_back(of.held[p][0]);
        units += of.held[p][0];
    }
    lab::Object object = common_json(of, state);
    object.add("units", units).add("max", max).add("held", held).add("free", state.available[0]);
    object.add(only_sequence(state) ? "only_safe_sequence" : "one_safe_sequence",
               sequence_of(state));
    if (!answers.empty()) object.add("request", lab::Raw{asked_json(of, answers[0], true)});
    object.print();
}

}  // namespace

int run_banker(int argc, char** argv) {
    const auto [of, json] = parse(kBanker, kHelp, argc, argv);
    Answers answers;
    const State state = play(of, answers);
    json ? print_json(of, state, answers) : print_table(of, state, answers);
    return 0;
}

int run_safe_state(int argc, char** argv) {
    const auto [of, json] = parse(kSafeState, kHelp, argc, argv);
    Answers answers;
    const State state = play(of, answers);
    if (!json)
        print_table(of, state, answers);
    else if (of.available.size() == 1)
        print_safe_state(of, state, answers);
    else
        print_json(of, state, answers);
    return 0;
}
