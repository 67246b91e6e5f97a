// lab-tlb: what a TLB is for, and what goes wrong when it isn't told.
#include "user/lab-tlb/lab.hpp"
#include "user/lab/command.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-tlb stale         a flush is left out on purpose (/proc/tlb): what is read then\n"
    "       lab-tlb model ...     hit rate and effective access time; lab-tlb model --help\n"
    "    # lab-tlb stale\n"
    "    page A holds 1111 in frame 07de6, page B 2222\n"
    "    A and B change places in the page table; the TLB isn't told\n"
    "    A by the page table: frame 07de5. A as read: 1111, the TLB's (stale)\n"
    "    A after INVLPG: 2222\n";

int stale(int argc, char** argv) {
    if (!lab::Command(kHelp).parse(argc, argv).empty()) lab::refuse("stale takes no words");
    return show_stale();
}

}  // namespace

int main(int argc, char** argv) {
    return lab::run_part(kHelp, {{"stale", stale}, {"model", show_model}}, argc, argv);
}
