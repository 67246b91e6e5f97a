// The course note's examples of avoidance: processes claim and hold what the table says; the kernel's
// safety algorithm gives the rows; then some of them ask, one after the other.
//   banker      five processes, three types; P1, P4 and P0 ask
//   safe-state  three processes, twelve units of one type; P3 asks for one more
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "user/lab-deadlock/lab.hpp"

namespace {

struct Asked {
    unsigned process;
    Row units;
};
struct Example {
    unsigned first;  // the number of the first process' name
    Row totals;
    std::vector<Row> max, held;
    std::vector<Asked> requests;
    std::string name_of(unsigned p) const { return "P" + std::to_string(p + first); }
    unsigned processes() const { return max.size(); }
};
const Example kBanker = {0,
                         {10, 5, 7},
                         {{7, 5, 3}, {3, 2, 2}, {9, 0, 2}, {2, 2, 2}, {4, 3, 4}},
                         {{0, 1, 0}, {2, 0, 0}, {3, 0, 2}, {2, 1, 1}, {0, 0, 2}},
                         {{1, {1, 0, 2}}, {4, {3, 3, 0}}, {0, {0, 2, 0}}}};
const Example kSafeState = {1, {12}, {{10}, {4}, {9}}, {{5}, {2}, {2}}, {{2, {1}}}};

struct Child {
    pid_t pid;
    int orders;   // a byte: go on
    int answers;  // an int after each request: 0 or errno
};

// Takes its part of the table, then makes its request (if any) when told.
[[noreturn]] void live(const Example& of, unsigned p, int orders, int answers) {
    Party party(of.name_of(p));
    int result = party.claim(of.max[p]);
    if (!result) result = party.request(of.held[p]);
    for (;;) {
        char order;
        if (write(answers, &result, sizeof result) < 0 || read(orders, &order, 1) <= 0) _exit(0);
        for (const Asked& asked : of.requests)
            if (asked.process == p) result = party.request(asked.units);
    }
}

Child start(const Example& of, unsigned p) {
    int orders[2], answers[2];
    if (pipe(orders) || pipe(answers)) fail("pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0) fail("fork: %s", strerror(errno));
    if (pid == 0) {
        close(orders[1]);
        close(answers[0]);
        live(of, p, orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    return {pid, orders[1], answers[0]};
}

// What came of the request of `p`: it is granted, or it waits and the kernel says why.
std::string outcome(const std::string& name, const State& before) {
    for (;;) {
        State now = read_state();
        if (now.counts["requests"] > before.counts.at("requests")) {
            std::string state = now.members[name].state;
            return state == "runs" ? "granted" : state;
        }
        sched_yield();
    }
}

std::string list(const Row& row) {
    std::string text;
    for (uint32_t n : row) text += (text.empty() ? "[" : ", ") + std::to_string(n);
    return text + "]";
}

std::string columns(const Row& row) {
    std::string text;
    char cell[16];
    for (uint32_t n : row) text += (snprintf(cell, sizeof cell, "%3u", n), cell);
    return text;
}

Row need_of(const State::Member& m) {
    Row need;
    for (size_t t = 0; t < m.max.size(); t++) need.push_back(m.max[t] - m.held[t]);
    return need;
}

using Answers = std::vector<std::pair<const Asked*, std::string>>;

void print_json(const Example& of, const State& state, const Answers& answers) {
    auto matrix = [&](const char* name, auto row) {
        printf("\"%s\": [", name);
        for (unsigned p = 0; p < of.processes(); p++)
            printf("%s%s", p ? ", " : "", list(row(state.members.at(of.name_of(p)))).c_str());
        printf("], ");
    };
    printf("{\"available\": %s, ", list(state.available).c_str());
    matrix("allocation", [](const State::Member& m) { return m.held; });
    matrix("need", need_of);
    matrix("max", [](const State::Member& m) { return m.max; });
    printf("\"safe_sequence\": [");
    for (const State::Step& s : state.steps)
        printf("%s\"%s\"", &s == &state.steps[0] ? "" : ", ", s.name.c_str());
    printf("], \"rows\": [");
    for (const State::Step& s : state.steps)
        printf(
            "%s{\"process\": \"%s\", \"work\": %s, \"need\": %s, \"allocation\": %s, "
            "\"work_after\": %s}",
            &s == &state.steps[0] ? "" : ", ", s.name.c_str(), list(s.work).c_str(),
            list(s.need).c_str(), list(s.allocation).c_str(), list(s.work_after).c_str());
    printf("], \"requests_in_order\": [");
    for (const auto& [asked, answer] : answers)
        printf("%s[\"%s\", %s, \"%s\"]", asked == of.requests.data() ? "" : ", ",
               of.name_of(asked->process).c_str(), list(asked->units).c_str(), answer.c_str());
    printf("]}\n");
}

void print_table(const Example& of, const State& state, const Answers& answers) {
    printf("Available%s\n\n     Max      Allocation  Need\n", columns(state.available).c_str());
    for (const auto& [name, m] : state.members)
        if (!m.max.empty() && name[0] == 'P')
            printf("%s%s%s%s\n", name.c_str(), columns(m.max).c_str(), columns(m.held).c_str(),
                   columns(need_of(m)).c_str());
    printf("\n     Work     Need     Allocation  Work+Allocation  Finish\n");
    for (const State::Step& s : state.steps)
        printf("%s%s%s%s%s  true\n", s.name.c_str(), columns(s.work).c_str(),
               columns(s.need).c_str(), columns(s.allocation).c_str(),
               columns(s.work_after).c_str());
    printf("\nSafe sequence:");
    for (const State::Step& s : state.steps) printf(" %s", s.name.c_str());
    printf("\n");
    for (const auto& [asked, answer] : answers)
        printf("%s asks for%s: %s\n", of.name_of(asked->process).c_str(),
               columns(asked->units).c_str(), answer.c_str());
}

// At each step of the safe sequence, whether nobody else could have finished first.
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

void print_safe_state(const Example& of, const State& state, const Answers& answers) {
    printf("{\"units\": %u, \"max\": [", of.totals[0]);
    auto numbers = [&](auto row) {
        for (unsigned p = 0; p < of.processes(); p++)
            printf("%s%u", p ? ", " : "", row(state.members.at(of.name_of(p)))[0]);
    };
    numbers([](const State::Member& m) { return m.max; });
    printf("], \"held\": [");
    numbers([](const State::Member& m) { return m.held; });
    printf("], \"free\": %u, \"%s_safe_sequence\": [", state.available[0],
           only_sequence(state) ? "only" : "one");
    for (const State::Step& s : state.steps)
        printf("%s\"%s\"", &s == &state.steps[0] ? "" : ", ", s.name.c_str());
    printf("], \"request\": [\"%s\", %u, \"%s\"]}\n", of.name_of(answers[0].first->process).c_str(),
           answers[0].first->units[0], answers[0].second.c_str());
}

State play(const Example& of, Answers& answers) {
    set_strategy("banker");
    Party parent("parent");
    for (size_t t = 0; t < of.totals.size(); t++)
        if (parent.add_type(std::string(1, char('A' + t)), of.totals[t]) != t)
            fail("/dev/resources is in use");
    std::vector<Child> children;
    for (unsigned p = 0; p < of.processes(); p++) {
        children.push_back(start(of, p));
        int result = -1;
        if (read(children[p].answers, &result, sizeof result) < 0 || result)
            fail("%s could not start: %s", of.name_of(p).c_str(), strerror(result));
    }
    State state = read_state();
    for (const Asked& asked : of.requests) {
        State before = read_state();
        if (write(children[asked.process].orders, "", 1) < 0) fail("no order");
        answers.push_back({&asked, outcome(of.name_of(asked.process), before)});
    }
    for (const Child& child : children) kill(child.pid, SIGKILL);
    for (const Child& child : children) waitpid(child.pid, nullptr, 0);
    return state;
}

}  // namespace

int run_banker(bool json) {
    Answers answers;
    const State state = play(kBanker, answers);
    json ? print_json(kBanker, state, answers) : print_table(kBanker, state, answers);
    return 0;
}

int run_safe_state(bool json) {
    Answers answers;
    const State state = play(kSafeState, answers);
    json ? print_safe_state(kSafeState, state, answers) : print_table(kSafeState, state, answers);
    return 0;
}
