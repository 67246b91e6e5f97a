// lab-deadlock banker [--json] | safe-state [--json] | philosophers [--meals N] [--eat MS] [--dot] [--take-away] [STRATEGY...]
#include <cstdio>
#include <cstdlib>

#include "user/lab-deadlock/lab.hpp"

namespace {

constexpr char kHelp[] =
    "lab-deadlock banker [--json]\n"
    "    the course note's banker: table, safe sequence, three requests\n"
    "lab-deadlock safe-state [--json]\n"
    "    the note's safe state: its only safe sequence, and a unit that would end it\n"
    "lab-deadlock philosophers [--meals N] [--eat MS] [--dot] [--take-away] [STRATEGY...]\n"
    "    five philosophers under each strategy (default: all), N meals each (10) of MS ms (10);\n"
    "    --dot draws the deadlock; with --take-away forks are preemptible. Status 0: only `none` "
    "deadlocks.\n"
    "The strategy that is in force is put back at the end.\n";

// "none [banker] ...": the one in brackets.
std::string current_strategy() {
    std::string all = read_all("/proc/sys/kernel/deadlock/strategy");
    size_t open = all.find('[');
    return all.substr(open + 1, all.find(']') - open - 1);
}

}  // namespace

int main(int argc, char* argv[]) {
    std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty() || words[0] == "--help") {
        fputs(kHelp, stdout);
        return words.empty() ? 2 : 0;
    }
    std::string what = words[0];
    bool json = false, dot = false, take_away = false;
    unsigned meals = 10, eat_ms = 10;
    std::vector<std::string> strategies;
    for (size_t i = 1; i < words.size(); i++) {
        if (words[i] == "--json")
            json = true;
        else if (words[i] == "--dot")
            dot = true;
        else if (words[i] == "--take-away")
            take_away = true;
        else if (words[i] == "--meals" && i + 1 < words.size())
            meals = atoi(words[++i].c_str());
        else if (words[i] == "--eat" && i + 1 < words.size())
            eat_ms = atoi(words[++i].c_str());
        else
            strategies.push_back(words[i]);
    }
    if (strategies.empty())
        strategies = {"none",    "all-at-once", "release-first", "preempt",
                      "ordered", "banker",      "detect"};
    const std::string before = current_strategy();
    int status = 2;
    if (what == "banker")
        status = run_banker(json);
    else if (what == "safe-state")
        status = run_safe_state(json);
    else if (what == "philosophers")
        status = run_philosophers(strategies, meals, eat_ms, dot, take_away);
    else
        fputs(kHelp, stderr);
    set_strategy(before);
    return status;
}
