// lab-disk: what a disk costs, and how its queue is ordered.
#include "user/lab-disk/lab.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-disk modes [--kib N] [--mode NAME] [--json] [DISK]\n"
    "       lab-disk elevators [--cylinders N] [--head C] [--down] [--computed] [--disk DISK] "
    "[--json]\n"
    "                          [--elevator NAME] [CYLINDER... | --random N [--seed S]]\n"
    "modes: one read by polling, interrupts and DMA. elevators: one set of requests under each\n"
    "elevator. DISK is a name in /proc/sys/dev/disk, like hda. lab-disk PART --help tells "
    "more.\n"
    "    # lab-disk elevators --computed --head 50 60 20 90\n"
    "    head at 50 of 200, going up; 3 requests: 60 20 90\n"
    "    elevator  computed  travelled  sectors   mean  order\n"
    "    fcfs           120          -        -  40.00  60 20 90\n"
    "    sstf           110          -        -  36.67  60 90 20\n"
    "    ...\n";

}  // namespace

int main(int argc, char** argv) {
    return lab::run_part(kHelp, {{"modes", modes}, {"elevators", elevators}}, argc, argv);
}
