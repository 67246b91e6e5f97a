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
#include <sstream>

#include "user/lab-deadlock/lab.hpp"
#include "user/lab/random.hpp"

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
constexpr long kMostUnits = 1'000'000;

struct Asked {
    size_t process;
    Row units;
};
struct Example {
    std::vector<std::string> names;
    Row available;
    std::vector<Row> max, held;
    std::vector<Asked> requests;
    size_t processes() const { return max.size(); }
};
const Example kBanker = {{"P0", "P1", "P2", "P3", "P4"},
                         {3, 3, 2},
                         {{7, 5, 3}, {3, 2, 2}, {9, 0, 2}, {2, 2, 2}, {4, 3, 4}},
                         {{0, 1, 0}, {2, 0, 0}, {3, 0, 2}, {2, 1, 1}, {0, 0, 2}},
                         {{1, {1, 0, 2}}, {4, {3, 3, 0}}, {0, {0, 2, 0}}}};
const Example kSafeState = {{"P1", "P2", "P3"}, {3}, {{10}, {4}, {9}}, {{5}, {2}, {2}}, {{2, {1}}}};

// --- one's own table

Row row_of(const char* what, const std::string& text, const char* separators) {
    Row row;
    for (const std::string& word : lab::split(text, separators))
        if (!word.empty())
            row.push_back(static_cast<uint32_t>(lab::number(what, word, 0, kMostUnits)));
    return row;
}

std::vector<Row> matrix_of(const char* what, const std::string& text) {
    std::vector<Row> rows;
    for (const std::string& row : lab::split(text, "/;")) rows.push_back(row_of(what, row, ", "));
    return rows;
}

size_t process_named(const Example& of, const std::string& name) {
    lab::one_of("a request's process", name, of.names);
    return static_cast<size_t>(std::ranges::find(of.names, name) - of.names.begin());
}

void read_file(Example& of, const std::string& file) {
    std::vector<std::pair<std::string, std::string>> requests;
    for (const std::string& line : lab::lines_of(file)) {
        std::istringstream words(line);
        std::string first;
        words >> first;
        std::string rest;
        std::getline(words, rest);
        const size_t max = rest.find("max"), allocation = rest.find("allocation");
        if (first == "available") {
            of.available = row_of("available", rest, " \t,");
        } else if (first == "request") {
            std::istringstream asked(rest);
            std::string name, units;
            asked >> name;
            std::getline(asked, units);
            requests.emplace_back(name, units);
        } else if (max != rest.npos && allocation != rest.npos && max < allocation) {
            of.names.push_back(first);
            of.max.push_back(row_of("max", rest.substr(max + 3, allocation - max - 3), " \t,"));
            of.held.push_back(row_of("allocation", rest.substr(allocation + 10), " \t,"));
        } else {
            lab::refuse(
                "%s: a line is `available ...`, `NAME max ... allocation ...` or "
                "`request NAME ...`; not '%s'",
                file.c_str(), line.c_str());
        }
    }
    for (const auto& [name, units] : requests)
        of.requests.push_back({process_named(of, name), row_of("request", units, " \t,")});
}

void check(const Example& of) {
    const size_t types = of.available.size();
    if (!types || of.max.empty() || of.max.size() != of.held.size())
        lab::refuse("wanted: --available, --max and --allocation, the latter with as many rows");
    auto wrong = [&](const Row& row) { return row.size() != types; };
    if (std::ranges::any_of(of.max, wrong) || std::ranges::any_of(of.held, wrong) ||
        std::ranges::any_of(of.requests, [&](const Asked& a) { return wrong(a.units); }))
        lab::refuse("each row has %zu number%s, as many as there are available", types,
                    types == 1 ? "" : "s");
    for (size_t t = 0; t < types; ++t) {
        uint32_t total = of.available[t];
        for (const Row& held : of.held) total += held[t];
        if (!total) lab::refuse("there is no unit of type %zu at all", t);
        for (size_t p = 0; p < of.processes(); ++p) {
            if (of.held[p][t] > of.max[p][t])
                lab::refuse("%s holds more than its maximum", of.names[p].c_str());
            if (of.max[p][t] > total)
                lab::refuse("%s may want %u of a type of which there are %u", of.names[p].c_str(),
                            of.max[p][t], total);
        }
    }
}

Example random_example(long count, long seed) {
    lab::Random random(seed);
    const long types = random.between(1, 4);
    Example of;
    Row total;
    for (long t = 0; t < types; ++t) {
        total.push_back(static_cast<uint32_t>(random.between(3, 12)));
        of.available.push_back(total.back());
    }
    for (long p = 0; p < count; ++p) {
        Row max, held;
        for (size_t t = 0; t < total.size(); ++t) {
            max.push_back(static_cast<uint32_t>(random.between(0, total[t])));
            const long most = std::min(max[t], (of.available[t] + 1) / 2);
            held.push_back(static_cast<uint32_t>(random.between(0, most)));
            of.available[t] -= held[t];
        }
        of.names.push_back("P" + std::to_string(p));
        of.max.push_back(max);
        of.held.push_back(held);
    }
    for (long i = 0; i < 4; ++i) {
        const size_t p = static_cast<size_t>(random.between(0, count - 1));
        Row units;
        for (size_t t = 0; t < total.size(); ++t)
            units.push_back(static_cast<uint32_t>(random.between(0, of.max[p][t] - of.held[p][t])));
        of.requests.push_back({p, units});
    }
    return of;
}

struct Parsed {
    Example example;
    bool json = false;
};
Parsed parse(Example example, int argc, char** argv) {
    Parsed parsed;
    Example own;
    std::vector<std::string> requests;
    long random = 0, seed = 1;
    const auto words =
        lab::Command(kHelp)
            .act("--available",
                 [&](const std::string& text) { own.available = row_of("--available", text, ","); })
            .act("--max", [&](const std::string& text) { own.max = matrix_of("--max", text); })
            .act("--allocation",
                 [&](const std::string& text) { own.held = matrix_of("--allocation", text); })
            .act("--request", [&](const std::string& text) { requests.push_back(text); })
            .act("--file", [&](const std::string& name) { read_file(own, name); })
            .random(random, 50, seed)
            .flag("--json", parsed.json)
            .parse(argc, argv);
    if (!words.empty()) lab::refuse("no arguments but options; not '%s'", words[0].c_str());
    if (random) own = random_example(random, seed);
    const bool mine = !own.available.empty() || !own.max.empty() || !own.held.empty();
    for (size_t p = 0; mine && own.names.size() < own.max.size(); ++p)
        own.names.push_back("P" + std::to_string(p));
    Example& of = parsed.example = mine ? own : std::move(example);
    if (!requests.empty()) of.requests.clear();
    for (const std::string& text : requests) {
        const auto parts = lab::split(text, ":");
        if (parts.size() != 2) lab::refuse("a request is like P1:1,0,2; not '%s'", text.c_str());
        of.requests.push_back({process_named(of, parts[0]), row_of("--request", parts[1], ",")});
    }
    check(of);
    return parsed;
}

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
    const auto [of, json] = parse(kBanker, argc, argv);
    Answers answers;
    const State state = play(of, answers);
    json ? print_json(of, state, answers) : print_table(of, state, answers);
    return 0;
}

int run_safe_state(int argc, char** argv) {
    const auto [of, json] = parse(kSafeState, argc, argv);
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
