// lab-disk: what a disk costs, and how its queue is ordered.
#include "user/lab-disk/lab.hpp"

namespace {

constexpr char kHelp[] =
    "usage: lab-disk modes [--kib N] [--json] [DISK]\n"
    "       lab-disk elevators [--cylinders N] [--head C] [--down] [--computed] [--disk DISK] "
    "[--json]\n"
    "                          [CYLINDER... | --random N [--seed S]]\n"
    "modes: one read by polling, interrupts and DMA. elevators: one set of requests under each\n"
    "elevator. DISK is a name in /proc/sys/dev/disk, like hda. lab-disk PART --help has an "
    "example.\n";

}  // namespace

int main(int argc, char** argv) {
    return lab::run_part(kHelp, {{"modes", modes}, {"elevators", elevators}}, argc, argv);
}
