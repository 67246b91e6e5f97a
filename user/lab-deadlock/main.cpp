// lab-deadlock: see lab.hpp. Each part has its own --help.
#include "user/lab-deadlock/lab.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-deadlock PART ...\n"
    "  banker        the banker's table, safe sequence and requests, of the note or your own\n"
    "  safe-state    the note's safe state with one safe sequence only\n"
    "  philosophers  philosophers under each strategy: who deadlocks, and what the others cost\n"
    "  messages      consumable resources: processes that wait for each other's messages\n"
    "  victim        whom recovery chooses by each rule, and why\n"
    "lab-deadlock PART --help tells more. Settings are put back at the end.\n"
    "    # lab-deadlock safe-state\n"
    "    Available  3\n"
    "    ...\n"
    "    Safe sequence: P2 P1 P3, the only one\n"
    "    P3 asks for  1: denied for now: the state would be unsafe\n";

}  // namespace

int main(int argc, char* argv[]) {
    return lab::run_part(kHelp,
                         {{"banker", run_banker},
                          {"safe-state", run_safe_state},
                          {"philosophers", run_philosophers},
                          {"messages", run_messages},
                          {"victim", run_victim}},
                         argc, argv);
}
