// lab-banker: the kernel's decisions about deadlock (kernel/deadlock/), on a state from the command line,
// word by word. Each answer is a line, or a row of the JSON.
#include <algorithm>

#include "kernel/deadlock/analysis.cpp"
#include "kernel/deadlock/recovery.cpp"
#include "kernel/deadlock/resource_table.cpp"
#include "kernel/deadlock/strategies.hpp"
#include "user/lab/command.hpp"
#include "user/lab/lines.hpp"
#include "user/lab/setting.hpp"

namespace {

using Row = std::vector<Units>;

constexpr char kHelp[] =
    "usage: lab-banker [--json] total=N,.. [weight=W,..] [take=0|1,..] [grants=G,..] max=ROW/.. "
    "held=ROW/..\n"
    "                  [safe] [ask=STRATEGY:P:ROW] [want=P:ROW] [reduce] [detect] ...\n"
    "total: units of each type; a ROW has a number for each type, for each process P0, P1...; "
    "weight: cost\n"
    "of a unit; take: whether it may be taken away; grants: what a process has done. Then, in "
    "order:\n"
    "  safe              the safety algorithm, step by step\n"
    "  ask=STRATEGY:P:ROW   P asks for that, and has it if that is granted: none all-at-once "
    "release-first\n"
    "                    preempt ordered banker detect\n"
    "  want=P:ROW        P waits for that\n"
    "  reduce            who is deadlocked\n"
    "  detect            those that wait are taken as deadlocked: the cost of each, and whom "
    "recovery would choose\n"
    "Your own tables from a file, and random ones: lab-deadlock banker.\n"
    "    # lab-banker total=12 max=10/4/9 held=5/2/2 safe ask=banker:2:1\n"
    "    step P1 work 3\n"
    "    step P0 work 5\n"
    "    step P2 work 10\n"
    "    state safe\n"
    "    ask P2 1 unsafe\n";

lab::Lines lines;

template <typename... Parts>
void say(const Parts&... parts) {
    lines.say(lab::join({std::string(parts)...}));
}
std::string party_name(uint32_t p) { return "P" + std::to_string(p); }

Row row_of(const std::string& text) {
    Row row;
    for (const long units : lab::numbers("a row", text, 0, 1'000'000))
        row.push_back(static_cast<Units>(units));
    return row;
}

std::string shown(std::span<const Units> row) {
    std::string text;
    for (Units n : row) text += (text.empty() ? "" : ",") + std::to_string(n);
    return text;
}

struct Steps final : SafetySteps {
    void step(uint32_t party, std::span<const Units> work) override {
        say("step", party_name(party), "work", shown(work));
    }
};

struct State {
    ResourceTable table;
    Row total, weight, take, grants;

    uint32_t party(const std::string& text) const {
        const Row number = row_of(text);
        if (number.size() != 1 || number[0] >= table.parties())
            lab::refuse("no process P%s", text.c_str());
        return number[0];
    }
    Row units(const std::string& text) const {
        Row row = row_of(text);
        if (row.size() != table.types())
            lab::refuse("'%s' has not %u numbers, one a type", text.c_str(), table.types());
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
                lab::fail("no memory");
    }
    void fill(const std::string& all, bool held) {
        if (table.types() == 0) make_types();
        uint32_t p = 0;
        for (const std::string& text : lab::split(all, "/")) {
            if (p == table.parties() && !table.add_party().is_ok()) lab::fail("no memory");
            const Row row = units(text);
            for (uint32_t t = 0; !held && t < row.size(); ++t) table.set_max(p, t, row[t]);
            want(p, row);
            if (held && !table.wanted_available(p))
                lab::refuse("held=%s: more than there is", all.c_str());
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
    const std::vector<std::string> words = lab::split(what, ":");
    if (words.size() != 3) lab::refuse("ask wants STRATEGY:P:ROW, not '%s'", what.c_str());
    const std::vector<std::string> names(std::begin(Strategies::kNames),
                                         std::end(Strategies::kNames));
    const Strategy* strategy = strategies.find(lab::one_of("STRATEGY", words[0], names));
    const uint32_t p = state.party(words[1]);
    state.want(p, state.units(words[2]));
    const Answer answer = strategy->decide(state.table, p);
    if (answer == Answer::granted) state.table.grant(p);
    if (answer == Answer::granted || answer == Answer::refused) state.table.clear_wanted(p);
    say("ask", party_name(p), words[2], text_of(answer));
}

// `costs`: and what the end of each would cost, and whom recovery would choose.
void detect(const State& state, bool costs) {
    if (!costs) reduce(state.table);
    uint32_t count = 0;
    std::string who;
    for (uint32_t p = 0; p < state.table.parties(); ++p) {
        if (costs) state.table.finish()[p] = !state.table.party(p).waits;
        if (state.table.finish()[p]) continue;
        ++count;
        who += " P" + std::to_string(p);
        if (costs) who += "(" + std::to_string(recovery_cost(state.table, p)) + ")";
    }
    say("deadlocked", std::to_string(count) + who);
    if (!count || !costs) return;
    const Victim victim = choose_victim(state.table);
    say("victim", party_name(victim.party), victim.take_away ? "take-away" : "break");
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
        say("state", safe ? "safe" : "unsafe");
    } else if (name == "want") {
        const std::vector<std::string> words = lab::split(value, ":");
        if (words.size() != 2) lab::refuse("want wants P:ROW, not '%s'", value.c_str());
        state.want(state.party(words[0]), state.units(words[1]));
        state.table.party(state.party(words[0])).waits = true;
    } else {
        lab::refuse("no word '%s'; see --help", word.c_str());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words =
        lab::Command(kHelp).flag("--json", lines.as_json).parse(argc, argv);
    if (words.empty()) lab::refuse("which state? Like total=12 max=10/4 held=5/2 safe; see --help");
    State state;
    for (const std::string& word : words) {
        // An event of the trace, at which a debugger can stop (scripts/debug --at).
        lab::write_file("/proc/trace_marker", word);
        perform(state, word);
    }
    lines.end("lab-banker", words);
}
