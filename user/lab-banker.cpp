// lab-banker: the kernel's decisions about deadlock (kernel/deadlock/), on a state from the command line.
//   total=10,5,7 max=7,5,3/3,2,2 held=0,1,0/2,0,0    units of each type; a row for each process P0, P1 ...
//   weight=1,2,1 take=1,0,1 grants=0,3               types: cost of a unit, may be taken away; work done
// then, in order:
//   safe               the safety algorithm, step by step
//   ask=STRATEGY:1:1,0,2    P1 asks for that; granted, it has it afterwards; else it waits for it or is refused
//   want=0:1,0,0       P0 waits for that
//   reduce             who is deadlocked
//   detect             the same with the cost of each, and whom recovery would choose
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernel/deadlock/analysis.cpp"
#include "kernel/deadlock/recovery.cpp"
#include "kernel/deadlock/resource_table.cpp"
#include "kernel/deadlock/strategies.hpp"
#include "user/lab/setting.hpp"

namespace {

using Row = std::vector<Units>;

[[noreturn]] void fail(const std::string& what) {
    fprintf(stderr, "lab-banker: %s\n", what.c_str());
    exit(2);
}

Row row_of(const std::string& text) {
    Row row;
    for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find(',', at), text.size());
        char* rest;
        const std::string word = text.substr(at, end - at);
        row.push_back(static_cast<Units>(strtoul(word.c_str(), &rest, 10)));
        if (word.empty() || *rest || row.back() > 1'000'000) fail("not a number: '" + word + "'");
        at = end + 1;
    }
    return row;
}

std::vector<std::string> split(const std::string& text, char by) {
    std::vector<std::string> parts;
    for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find(by, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

std::string shown(std::span<const Units> row) {
    std::string text;
    for (Units n : row) text += (text.empty() ? "" : ",") + std::to_string(n);
    return text;
}

struct Steps final : SafetySteps {
    void step(uint32_t party, std::span<const Units> work) override {
        printf("step P%u work %s\n", party, shown(work).c_str());
    }
};

struct State {
    ResourceTable table;
    Row total, weight, take, grants;

    uint32_t party(const std::string& text) const {
        const Row number = row_of(text);
        if (number.size() != 1 || number[0] >= table.parties()) fail("no process P" + text);
        return number[0];
    }
    Row units(const std::string& text) const {
        Row row = row_of(text);
        if (row.size() != table.types()) fail("not a number for each type: " + text);
        return row;
    }
    void want(uint32_t p, const Row& row) {
        for (uint32_t t = 0; t < table.types(); ++t) table.set_wanted(p, t, row[t]);
    }
    void make_types() {
        for (uint32_t t = 0; t < total.size(); ++t)
            if (!table
                     .add_type("R" + std::to_string(t), total[t], t < take.size() && take[t],
                               t < weight.size() ? weight[t] : 1)
                     .is_ok())
                fail("no memory");
    }
    void fill(const std::string& rows, bool held) {
        if (table.types() == 0) make_types();
        uint32_t p = 0;
        for (const std::string& text : split(rows, '/')) {
            if (p == table.parties() && !table.add_party().is_ok()) fail("no memory");
            const Row row = units(text);
            for (uint32_t t = 0; !held && t < row.size(); ++t) table.set_max(p, t, row[t]);
            want(p, row);
            if (held && !table.wanted_available(p)) fail("more is held than there is");
            if (held) table.grant(p);
            table.clear_wanted(p);
            table.party(p).grants = p < grants.size() ? grants[p] : 0;
            ++p;
        }
    }
};

const char* text_of(Answer answer) {
    constexpr const char* kTexts[] = {"granted", "unavailable", "unsafe", "refused", "gives-back"};
    return kTexts[static_cast<uint32_t>(answer)];
}

void ask(State& state, const std::string& what) {
    static Strategies strategies;
    const std::vector<std::string> words = split(what, ':');
    if (words.size() != 3) fail("ask=STRATEGY:PROCESS:UNITS");
    const Strategy* strategy = strategies.find(words[0]);
    if (!strategy) fail("no strategy " + words[0]);
    const uint32_t p = state.party(words[1]);
    state.want(p, state.units(words[2]));
    const Answer answer = strategy->decide(state.table, p);
    if (answer == Answer::granted) state.table.grant(p);
    if (answer == Answer::granted || answer == Answer::refused) state.table.clear_wanted(p);
    printf("ask P%u %s %s\n", p, words[2].c_str(), text_of(answer));
}

// `costs`: and what the end of each would cost, and whom recovery would choose.
void detect(const State& state, bool costs) {
    const uint32_t count = reduce(state.table);
    std::string who;
    for (uint32_t p = 0; p < state.table.parties(); ++p) {
        if (state.table.finish()[p]) continue;
        who += " P" + std::to_string(p);
        if (costs) who += "(" + std::to_string(recovery_cost(state.table, p)) + ")";
    }
    printf("deadlocked %u%s\n", count, who.c_str());
    if (!count || !costs) return;
    const Victim victim = choose_victim(state.table);
    printf("victim P%u %s\n", victim.party, victim.take_away ? "take-away" : "break");
}

void perform(State& state, const std::string& word) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (name == "total")
        state.total = row_of(value);
    else if (name == "weight")
        state.weight = row_of(value);
    else if (name == "take")
        state.take = row_of(value);
    else if (name == "grants")
        state.grants = row_of(value);
    else if (name == "max" || name == "held")
        state.fill(value, name == "held");
    else if (name == "ask")
        ask(state, value);
    else if (name == "detect" || name == "reduce")
        detect(state, name == "detect");
    else if (name == "safe") {
        Steps steps;
        const bool safe = is_safe(state.table, &steps);
        printf("state %s\n", safe ? "safe" : "unsafe");
    } else if (name == "want") {
        const std::vector<std::string> words = split(value, ':');
        if (words.size() != 2) fail("want=PROCESS:UNITS");
        state.want(state.party(words[0]), state.units(words[1]));
        state.table.party(state.party(words[0])).waits = true;
    } else {
        fail("what is '" + word + "'?");
    }
}

}  // namespace

int main(int argc, char* argv[]) {
    if (argc < 2) {
        fputs(
            "usage: lab-banker [weight=W,..] [take=0|1,..] [grants=G,..] total=N,.. max=ROW/ROW "
            "held=ROW/ROW\n"
            "                  [safe] [ask=STRATEGY:P:ROW] [want=P:ROW] [reduce] [detect] ...\n",
            stderr);
        return 2;
    }
    State state;
    for (int i = 1; i < argc; ++i) {
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", argv[i]);
        perform(state, argv[i]);
    }
}
