// lab-process: states of threads, and how processes end: statuses, zombies, orphans, waiting.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "user/lab-process/parts.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-process PART ...\n"
    "changes [STATE...]         to which states a thread may go from there\n"
    "walk EVENT...              a thread's state after each event: admit run over wait wake "
    "suspend "
    "resume exit\n"
    "suspended SUSPEND RESUME WAKE\n"
    "                           a real process that sleeps; what happens to it at which "
    "millisecond\n"
    "ends HOW...                children that end, and their statuses: a code, or signal-9\n"
    "zombie HOW...              is there a zombie, if the parent does the default, ignore, "
    "no-wait\n"
    "orphan LENGTH ENDS ADOPTER...\n"
    "                           a line of processes, each the parent of the next; one ends: whose "
    "child is\n"
    "                           the next now? ADOPTERs have asked for orphans\n"
    "waking                     a zombie gets another parent, which waits\n"
    "select GROUP... WHICH      children in groups (numbers) end in order; WHICH: any, group-G, "
    "child-N\n"
    "news OPTION...             what waitpid says of a child that stops, goes on and ends: none, "
    "stopped,\n"
    "                           continued, both\n"
    "times MILLISECONDS...      CPU time of children that have ended, before and after they are "
    "waited for\n"
    "    # lab-process walk admit run wait suspend wake resume\n"
    "    admit    ready\n"
    "    run      running\n"
    "    wait     blocked\n"
    "    suspend  suspended-blocked\n"
    "    wake     suspended-ready\n"
    "    resume   ready\n";

}  // namespace

pid_t fork_or_fail() {
    const pid_t child = fork();
    if (child < 0) lab::fail("fork: %s", strerror(errno));
    return child;
}
void say_step(const std::string& text) { lab::write_file("/proc/trace_marker", "step " + text); }

int main(int argc, char** argv) {
    Words words = lab::Command(kHelp).parse(argc, argv);
    if (words.empty()) lab::refuse("wants a PART; see --help");
    constexpr std::pair<const char*, void (*)(const Words&)> kParts[] = {
        {"changes", changes},     {"walk", walk},
        {"suspended", suspended}, {"ends", ends},
        {"zombie", zombie},       {"orphan", orphan},
        {"waking", waking},       {"select", select_children},
        {"news", news},           {"times", times}};
    std::vector<std::string> names;
    for (const auto& part : kParts) names.push_back(part.first);
    const std::string chosen = lab::one_of("PART", words[0], names);
    words.erase(words.begin());
    for (const auto& [part, run] : kParts)
        if (chosen == part) run(words);
}
