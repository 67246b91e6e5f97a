// lab-load: what load control decides (mm/load_control/, mm/suspension.hpp), for figures from the command
// line.
#include "mm/memory_policies.hpp"
#include "mm/suspension.hpp"
#include "user/lab/command.hpp"
#include "user/lab/lines.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-load ls WAITING... [--json]\n"
    "       lab-load ws SETS,NEXT,FRAMES,RESERVE,FASTEST... [--json]\n"
    "       lab-load RULE NICE,PAGES,FAULTS,ACTIVE... [--json]  (oldest youngest priority largest "
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

lab::Lines lines;

std::vector<uint32_t> figures(const std::string& text, size_t count) {
    std::vector<uint32_t> made;
    for (const long n : lab::numbers("a figure", text, 0, 1'000'000))
        made.push_back(static_cast<uint32_t>(n));
    if (made.size() != count) lab::refuse("%zu figures, not '%s'", count, text.c_str());
    return made;
}

// Where a debugger may stop: `what` comes next.
void mark(const std::string& what) { lab::write_file("/proc/trace_marker", "asks " + what); }

void judge(const LoadControl& control, const std::string& text, const PagingLoad& load) {
    mark(text);
    const LoadJudgement verdict = control.judge(load);
    lines.say(text + ": " + (verdict.too_many ? "too many" : verdict.room ? "room" : "as it is"));
}

void choose(const std::string& name, const std::vector<std::string>& programs) {
    mark(name);
    uint32_t rule = 0;
    while (kSuspensionRules[rule] != name) ++rule;
    size_t chosen = 0;
    std::vector<SuspensionCandidate> candidates;
    for (const std::string& text : programs) {
        const std::vector<uint32_t> n = figures(text, 4);
        candidates.push_back({static_cast<int>(n[0]), n[1], n[2], n[3]});
        if (rather(static_cast<SuspensionRule>(rule), candidates.back(), candidates[chosen]))
            chosen = candidates.size() - 1;
    }
    lines.say(name + ": program " + std::to_string(chosen + 1));
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words =
        lab::Command(kHelp).flag("--json", lines.as_json).parse(argc, argv);
    if (words.size() < 2) lab::refuse("a criterion or a rule, and figures; see --help");
    std::vector<std::string> names{"ls", "ws"};
    names.insert(names.end(), std::begin(kSuspensionRules), std::end(kSuspensionRules));
    const std::string& name = lab::one_of("a criterion or a rule", words[0], names);
    const std::vector<std::string> all(words.begin() + 1, words.end());
    LoadControls controls;
    if (const LoadControl* control = controls.find(name)) {
        for (const std::string& text : all) {
            const std::vector<uint32_t> n = figures(text, name == "ls" ? 1 : 5);
            judge(*control, text,
                  name == "ls" ? PagingLoad{.waiting_permille = n[0]}
                               : PagingLoad{.fastest = n[4],
                                            .working_sets = n[0],
                                            .next_set = n[1],
                                            .frames = n[2],
                                            .reserve = n[3]});
        }
    } else {
        choose(name, all);
    }
    lines.end("lab-load", words);
}
