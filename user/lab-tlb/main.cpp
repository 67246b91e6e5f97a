// lab-tlb: what a TLB is for, and what goes wrong when it isn't told.
//   lab-tlb model [--entries N] [--ways W] [--replacement lru|fifo|random] [--memory T] [--lookup L]
//                      hit rate and effective access time of real programs' accesses
//   lab-tlb stale      a flush is left out on purpose (/proc/tlb): what is read then
#include <cstring>

#include "user/lab-tlb/lab.hpp"

int main(int argc, char** argv) {
    if (argc == 2 && !std::strcmp(argv[1], "stale")) return show_stale();
    if (argc >= 2 && !std::strcmp(argv[1], "model")) return show_model(argc - 2, argv + 2);
    std::fputs(
        "usage: lab-tlb stale\n"
        "       lab-tlb model [--entries N] [--ways W] [--replacement lru|fifo|random]\n"
        "                     [--memory T] [--lookup L]\n",
        stderr);
    return 2;
}
