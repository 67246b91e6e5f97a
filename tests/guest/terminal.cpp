// The terminal's settings in both forms: struct termios, and termios2, which the C library asks for from
// glibc 2.42 on (isatty is false without it), with its speeds in bits a second; and System V's termio.
// Spec: ioctl_tty(2).
#include <asm/termbits.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "tests/guest/check.hpp"

using namespace check;

int main() {
    const int terminal = needs("open", open("/dev/console", O_RDWR | O_NOCTTY));
    termios old{};
    termios2 now{};
    equal("TCGETS", ioctl(terminal, TCGETS, &old), 0);
    equal("TCGETS2", ioctl(terminal, TCGETS2, &now), 0);
    equal("the same flags", now.c_lflag, old.c_lflag);
    equal("38400 bits a second out", now.c_ospeed, 38400u);
    equal("and in", now.c_ispeed, 38400u);

    now.c_cflag = (now.c_cflag & ~CBAUD) | BOTHER;
    now.c_ospeed = 12345;
    equal("TCSETS2 with a speed of one's own", ioctl(terminal, TCSETS2, &now), 0);
    termios2 read{};
    ioctl(terminal, TCGETS2, &read);
    equal("is kept", read.c_ospeed, 12345u);
    equal("and holds for input", read.c_ispeed, 12345u);
    old.c_cflag = (old.c_cflag & ~CBAUD) | B115200;
    equal("TCSETSF", ioctl(terminal, TCSETSF, &old), 0);
    ioctl(terminal, TCGETS2, &read);
    equal("a speed with a code", read.c_ospeed, 115200u);
    old.c_cflag = (old.c_cflag & ~CBAUD) | B38400;
    equal("TCSETSW2", ioctl(terminal, TCSETSW2, &now), 0);
    equal("TCSETSF2", ioctl(terminal, TCSETSF2, &now), 0);
    equal("TCSETS", ioctl(terminal, TCSETS, &old), 0);
    termio oldest{};
    equal("TCGETA", ioctl(terminal, TCGETA, &oldest), 0);
    equal("the lower half of the flags", oldest.c_lflag, old.c_lflag & 0xffff);
    equal("the first characters", oldest.c_cc[VEOF], old.c_cc[VEOF]);
    oldest.c_cc[VEOF] = 7;
    equal("TCSETA", ioctl(terminal, TCSETA, &oldest), 0);
    termios after{};
    ioctl(terminal, TCGETS, &after);
    equal("its character", after.c_cc[VEOF], 7);
    equal("others stay", after.c_cc[VSUSP], old.c_cc[VSUSP]);
    equal("TCSETAW", ioctl(terminal, TCSETAW, &oldest), 0);
    equal("TCSETAF", ioctl(terminal, TCSETAF, &oldest), 0);
    equal("back", ioctl(terminal, TCSETS, &old), 0);
    fails("a bad pointer", ioctl(terminal, TCGETA, 1), EFAULT);
    fails("a bad pointer", ioctl(terminal, TCGETS2, 1), EFAULT);
    return done();
}
