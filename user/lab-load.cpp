// lab-load: what load control decides (mm/load_control/, mm/suspension.hpp), for figures from the command
// line.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "mm/memory_policies.hpp"
#include "mm/suspension.hpp"
#include "user/lab/command.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-load ls WAITING...\n"
    "       lab-load ws SETS,NEXT,FRAMES,RESERVE,FASTEST...\n"
    "       lab-load RULE NICE,PAGES,FAULTS,ACTIVE ...    (oldest youngest priority largest "
    "smallest faults)\n"
    "ls: programs waited for pages for WAITING thousandths of the window. ws: pages in all working "
    "sets and\n"
    "in that of the program to come next; frames, and those to be kept free; page faults of the "
    "fastest.\n"
    "A rule: which of the programs is suspended.\n"
    "    # lab-load ls 400 700 1300\n"
    "    400: room\n"
    "    700: as it is\n"
    "    1300: too many\n"
    "    # lab-load largest 0,300,5,900 0,500,2,100\n"
    "    largest: program 2\n";

std::vector<uint32_t> figures(const std::string& text, size_t count) {
    std::vector<uint32_t> made;
    for (const long n : lab::numbers("a figure", text, 0, 1'000'000))
        made.push_back(static_cast<uint32_t>(n));
    if (made.size() != count) lab::refuse("%zu figures, not '%s'", count, text.c_str());
    return made;
}

void judge(const LoadControl& control, const std::string& text, const PagingLoad& load) {
    const LoadJudgement verdict = control.judge(load);
    printf("%s: %s\n", text.c_str(),
           verdict.too_many ? "too many"
           : verdict.room   ? "room"
                            : "as it is");
}

void choose(const std::string& name, const std::vector<std::string>& programs) {
    uint32_t rule = 0;
    while (rule < std::size(kSuspensionRules) && kSuspensionRules[rule] != name) ++rule;
    if (rule == std::size(kSuspensionRules)) lab::refuse("no rule '%s'; see --help", name.c_str());
    size_t chosen = 0;
    std::vector<SuspensionCandidate> candidates;
    for (const std::string& text : programs) {
        const std::vector<uint32_t> n = figures(text, 4);
        candidates.push_back({static_cast<int>(n[0]), n[1], n[2], n[3]});
        if (rather(static_cast<SuspensionRule>(rule), candidates.back(), candidates[chosen]))
            chosen = candidates.size() - 1;
    }
    printf("%s: program %zu\n", name.c_str(), chosen + 1);
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> words = lab::Command(kHelp).parse(argc, argv);
    if (words.size() < 2) lab::refuse("a criterion or a rule, and figures; see --help");
    const std::string name = words[0];
    words.erase(words.begin());
    if (name != "ls" && name != "ws") return choose(name, words), 0;
    LoadControls controls;
    const LoadControl& control = *controls.find(name);
    for (const std::string& text : words) {
        const std::vector<uint32_t> n = figures(text, name == "ls" ? 1 : 5);
        judge(control, text,
              name == "ls" ? PagingLoad{.waiting_permille = n[0]}
                           : PagingLoad{.fastest = n[4],
                                        .working_sets = n[0],
                                        .next_set = n[1],
                                        .frames = n[2],
                                        .reserve = n[3]});
    }
}
