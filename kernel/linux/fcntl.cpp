// The commands of fcntl(2) that only wide compatibility needs. Spec: fcntl(2), Linux i386 values.
#include "kernel/linux/fcntl.hpp"

#include "kernel/lib/start_up.hpp"
#include "kernel/syscall/arguments.hpp"

namespace {

Result<int> command_of_wing(File& file, int fd, uint32_t command, uint32_t argument) {
    switch (command) {
        case 5 ... 7:
        case 12 ... 14:
        case 36 ... 38: return lock_command(file, command, argument);
        case 8 ... 11:
        case 15:
        case 16: return owner_command(file, command, argument);
        case 1024:
        case 1025: return lease_command(file, fd, command, argument);
        case 1026: return notice_command(file, fd, argument);
        case 1033:
        case 1034: return seal_command(file, command, argument);
        default: return Errno::inval;
    }
}

void fcntl_init() { other_fcntl = command_of_wing; }
AT_START_UP(fcntl_init);

}  // namespace
