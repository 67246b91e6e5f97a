// lab-tlb: what a TLB is for, and what goes wrong when it isn't told.
#include "user/lab-tlb/lab.hpp"
#include "user/lab/command.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-tlb stale ...     a flush is left out on purpose: what is read then\n"
    "       lab-tlb model ...     hits and effective access time, of programs or a string of "
    "pages\n"
    "lab-tlb PART --help tells more.\n"
    "    # lab-tlb model --entries 2 --ways 2 --memory 100 --lookup 20 1 2 1 3 1\n"
    "    TLB of 2 entries, 2 ways, lru; memory 100, look-up 20; without a TLB 200\n"
    "    accesses of        count  pages    hits      EAT\n"
    "    the given pages        5      3  40.00%  180.000\n"
    "    1 miss, 2 miss, 1 hit, 3 miss, 1 hit\n";

}  // namespace

int main(int argc, char** argv) {
    return lab::run_part(kHelp, {{"stale", show_stale}, {"model", show_model}}, argc, argv);
}
