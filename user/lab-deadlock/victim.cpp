// Recovery: processes in a circle, each with units of its own type and a wish for a unit of the next
// one's, so that all are deadlocked. Detection finds that when asked to; which process is broken is
// decided by the rule in /proc/sys/kernel/deadlock/victim, and told by /proc/deadlock, the log and the
// trace.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "user/lab-deadlock/lab.hpp"
#include "user/lab/random.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-deadlock victim [--random N [--seed S]] [--json] [UNITS:NICE...]\n"
    "Processes in a circle (three, or those named by the units that each holds and its nice "
    "value):\n"
    "whom each rule chooses, and by which figure it is the least of all.\n"
    "    # lab-deadlock victim 3:0 1:5 2:10\n"
    "    process  units  nice  cost\n"
    "    P0           3     0     4\n"
    "    P1           1     5     2\n"
    "    P2           2    10     3\n"
    "    rule      victim  figure  among\n"
    "    cost      P1           2      3\n"
    "    priority  P2           9      3\n"
    "    size      P1           1      3\n"
    "    age       P2           0      3\n";

struct Member {
    long units, nice;
};

// Takes its units, tells so, and once all have theirs wants one of the next one's.
[[noreturn]] void live(const std::vector<Member>& members, uint32_t self, int ready, int go) {
    const uint32_t count = static_cast<uint32_t>(members.size());
    prctl(PR_SET_NAME, ("P" + std::to_string(self)).c_str());
    setpriority(PRIO_PROCESS, 0, static_cast<int>(members[self].nice));
    Party party("P" + std::to_string(self));
    Row units(count, 0);
    units[self] = static_cast<uint32_t>(members[self].units);
    if (const int error = party.request(units)) lab::fail("units: %s", strerror(error));
    char byte;
    if (write(ready, "", 1) < 0 || read(go, &byte, 1) < 0) _exit(1);
    party.request(one_unit(count, {(self + 1) % count}));
    _exit(0);
}

struct Chosen {
    State before, after;
};
Chosen play(const std::vector<Member>& members, const std::string& rule) {
    const lab::Setting strategy(kDeadlockSettings + "strategy", "detect");
    const lab::Setting detection(kDeadlockSettings + "detection", "demand");
    const lab::Setting recovery(kDeadlockSettings + "recovery", "fail");
    const lab::Setting by(kDeadlockSettings + "victim", rule);
    Party parent("parent");
    for (uint32_t t = 0; t < members.size(); ++t)
        parent.add_type(t, "type" + std::to_string(t), static_cast<uint32_t>(members[t].units));
    std::vector<pid_t> children;
    int go[2];
    if (pipe(go)) lab::fail("pipe: %s", strerror(errno));
    for (uint32_t p = 0; p < members.size(); ++p) {
        int ready[2];
        char byte;
        if (pipe(ready)) lab::fail("pipe: %s", strerror(errno));
        const pid_t pid = fork_or_fail();
        if (pid == 0) {
            close(go[1]);
            live(members, p, ready[1], go[0]);
        }
        close(ready[1]);
        // One after the other, so that P0 is the oldest.
        if (read(ready[0], &byte, 1) != 1) lab::fail("P%u could not start", p);
        close(ready[0]);
        children.push_back(pid);
    }
    close(go[1]);
    close(go[0]);
    Chosen chosen;
    for (uint64_t words = 0; words < members.size();) {
        chosen.before = read_state();
        words =
            chosen.before.deadlocked.empty() ? 0 : lab::split(chosen.before.deadlocked, " ").size();
        if (words < members.size()) lab::sleep_for(1'000'000);
    }
    lab::write_file("/proc/deadlock", "detect");
    chosen.after = read_state();
    for (const pid_t pid : children) waitpid(pid, nullptr, 0);
    return chosen;
}

Member read_member(const std::string& word) {
    const auto fields = lab::split(word, ":");
    if (fields.size() != 2)
        lab::refuse("a process is UNITS:NICE, like 3:0; not '%s'", word.c_str());
    return {lab::number("UNITS", fields[0], 1, 1000), lab::number("NICE", fields[1], -20, 19)};
}

}  // namespace

int run_victim(int argc, char** argv) {
    long random = 0, seed = 1;
    bool json = false;
    const auto words =
        lab::Command(kHelp).random(random, 30, seed).flag("--json", json).parse(argc, argv);
    std::vector<Member> members;
    for (const std::string& word : words) members.push_back(read_member(word));
    lab::Random draw(seed);
    for (long i = 0; i < random; ++i)
        members.push_back({draw.between(1, 9), draw.between(-10, 15)});
    if (members.empty()) members = {{3, 0}, {1, 5}, {2, 10}};
    if (members.size() < 2) lab::refuse("a circle wants two processes at least");

    lab::Table processes(
        {{"process", "process"}, {"units", "units"}, {"nice", "nice"}, {"cost", "cost"}});
    lab::Table rules(
        {{"rule", "rule"}, {"victim", "victim"}, {"figure", "figure"}, {"among", "among"}});
    for (const std::string& rule : lab::names_in(kDeadlockSettings + "victim")) {
        const Chosen chosen = play(members, rule);
        if (rule == "cost")
            for (size_t p = 0; p < members.size(); ++p) {
                const std::string name = "P" + std::to_string(p);
                processes.row(
                    {name, members[p].units, members[p].nice, chosen.before.members.at(name).cost});
            }
        auto victim = chosen.after.victim;
        rules.row(
            {rule, victim["name"], atol(victim["least"].c_str()), atol(victim["among"].c_str())});
    }
    if (!json) {
        processes.print();
        puts("");
        rules.print();
        return 0;
    }
    lab::Object()
        .add("lab", "lab-deadlock")
        .add("input", lab::Object().add("processes", processes.rows()))
        .add("rows", rules.rows())
        .print();
    return 0;
}
