// Consumable resources: a message is there once it was sent, and gone when it was received. Processes
// sit in a ring, each with a mailbox that its predecessor fills. If all receive before they send, each
// waits for a message that only a waiting process could send: a deadlock with nothing held by anybody.
// If one of them sends first, the messages go round.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "user/lab-deadlock/lab.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-deadlock messages [--processes N] [--rounds N] [--dot] [--json]\n"
    "N processes (3) in a ring pass messages, which are consumable resources, --rounds (4) times: "
    "once\n"
    "all receive first, once one of them sends first. --dot draws the graph while all wait.\n"
    "    # lab-deadlock messages\n"
    "    order           end       sent  received  in it\n"
    "    receive first   DEADLOCK     0         0  P0 P1 P2\n"
    "    one sends first finished    12        12\n";

struct Counts {
    long sent, received;
};
Counts* counts;

[[noreturn]] void pass_on(uint32_t self, uint32_t processes, long rounds, bool sends_first) {
    const uint32_t next = (self + 1) % processes;
    prctl(PR_SET_NAME, ("P" + std::to_string(self)).c_str());
    Party party("P" + std::to_string(self));
    party.produce(next, 0);  // it is the one that fills this mailbox
    for (long i = 0; i < rounds; ++i) {
        for (const bool send : {sends_first, !sends_first}) {
            const int error =
                send ? party.produce(next, 1) : party.request(one_unit(processes, {self}));
            if (error) lab::fail("%s: %s", send ? "send" : "receive", strerror(error));
            __atomic_fetch_add(send ? &counts->sent : &counts->received, 1, __ATOMIC_SEQ_CST);
        }
    }
    // Who leaves sends no more: the others would be right to give up. So it stays until all are done.
    while (__atomic_load_n(&counts->received, __ATOMIC_SEQ_CST) <
           rounds * static_cast<long>(processes))
        lab::sleep_for(1'000'000);
    _exit(0);
}

bool run(bool one_sends, uint32_t processes, long rounds, bool dot, lab::Table& table) {
    *counts = {};
    const lab::Setting strategy(kDeadlockSettings + "strategy", "none");
    Party post("post");
    for (uint32_t p = 0; p < processes; ++p)
        post.add_type(p, "mail" + std::to_string(p), 0, false, true);
    std::vector<pid_t> children;
    for (uint32_t p = 0; p < processes; ++p) {
        const pid_t pid = fork_or_fail();
        if (pid == 0) pass_on(p, processes, rounds, one_sends && p == 0);
        children.push_back(pid);
    }
    // A process that has not yet said what it sends looks as if it never would.
    const bool finished = all_end(children, 100'000'000);
    const std::string deadlocked = read_state().deadlocked;
    if (!finished && dot) fputs(lab::read_file("/proc/deadlock.dot").c_str(), stdout);
    for (const pid_t pid : children)
        if (!finished) kill(pid, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    table.row({one_sends ? "one sends first" : "receive first", finished ? "finished" : "DEADLOCK",
               counts->sent, counts->received, finished ? "" : deadlocked.c_str()});
    return finished == one_sends;
}

}  // namespace

int run_messages(int argc, char** argv) {
    long processes = 3, rounds = 4;
    bool dot = false, json = false;
    const auto words = lab::Command(kHelp)
                           .number("--processes", processes, 2, 100)
                           .number("--rounds", rounds, 1, 100'000)
                           .flag("--dot", dot)
                           .flag("--json", json)
                           .parse(argc, argv);
    if (!words.empty()) lab::refuse("no arguments but options; not '%s'", words[0].c_str());
    counts = static_cast<Counts*>(
        mmap(nullptr, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (counts == MAP_FAILED) lab::fail("memory: %s", strerror(errno));
    lab::Table table({{"order", "order"},
                      {"end", "end"},
                      {"sent", "sent"},
                      {"received", "received"},
                      {"deadlocked", "in it"}});
    bool good = true;
    for (const bool one_sends : {false, true})
        good &= run(one_sends, static_cast<uint32_t>(processes), rounds, dot, table);
    if (!json) return table.print(), good ? 0 : 1;
    lab::Object()
        .add("lab", "lab-deadlock")
        .add("input", lab::Object().add("processes", processes).add("rounds", rounds))
        .add("rows", table.rows())
        .print();
    return good ? 0 : 1;
}
