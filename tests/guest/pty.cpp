// Pseudo-terminals: numbers and locks, the line discipline between the two ends, polling, packet mode. What is
// checked here and in ptysessions.cpp holds on Linux too: built for the host it passes there as root.
// Spec: pty(7), ioctl_tty(2).
// needs: wing
#include "tests/guest/pty.hpp"

namespace {

void numbers_and_locks() {
    int master = int(needs("open /dev/ptmx", open("/dev/ptmx", O_RDWR | O_NOCTTY)));
    unsigned number = 9999;
    int locked = -1;
    succeeds("TIOCGPTN", ioctl(master, TIOCGPTN, &number));
    same("ptsname", slave_name(master), "/dev/pts/" + std::to_string(number));
    ioctl(master, TIOCGPTLCK, &locked);
    equal("a fresh one is locked", locked, 1);
    fails("a locked slave", open(slave_name(master).c_str(), O_RDWR | O_NOCTTY), EIO);
    locked = 0;
    succeeds("TIOCSPTLCK", ioctl(master, TIOCSPTLCK, &locked));
    int slave = open(slave_name(master).c_str(), O_RDWR | O_NOCTTY);
    succeeds("unlocked it opens", slave);
    struct stat s;
    fstat(slave, &s);
    equal("its device", long(s.st_rdev), long(0x8800 + number));
    that("it is a terminal", isatty(slave) == 1);
    char name[64] = {};
    ttyname_r(slave, name, sizeof name);
    same("ttyname", name, "/dev/pts/" + std::to_string(number));
    int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    succeeds("TIOCGPTPEER", peer);
    ttyname_r(peer, name, sizeof name);
    same("its name", name, "/dev/pts/" + std::to_string(number));
    Pair other = open_pair();
    unsigned second = number;
    ioctl(other.master, TIOCGPTN, &second);
    that("another number", second != number);
    fails("a slave is no master", ioctl(slave, TIOCGPTN, &second), ENOTTY);
    fails("a bad pointer", ioctl(master, TIOCGPTN, 1), EFAULT);
    fails("seeking", lseek(master, 0, SEEK_SET), ESPIPE);
    close(peer), close(slave), close(master);
    fails("without a master the name is gone",
          access(("/dev/pts/" + std::to_string(number)).c_str(), F_OK), ENOENT);
}

void line_discipline() {
    Pair p = open_pair();
    put(p.master, "helxx\x7f\x7flo\n");
    same("an edited line", take(p.slave), "hello\n");
    same("its echo", take(p.master), "helxx\b \b\b \blo\r\n");
    put(p.slave, "a\nb");
    same("output processing", take(p.master), "a\r\nb");
    put(p.master, "\x04");
    same("^D is an end of file", take(p.slave), "");
    int bytes = -1;
    put(p.master, "abc\n");
    await(p.slave);
    ioctl(p.slave, FIONREAD, &bytes);
    equal("FIONREAD of the slave", bytes, 4);
    ioctl(p.master, FIONREAD, &bytes);
    that("FIONREAD of the master", bytes == 5 || bytes == 7);  // with an echo of ^D on older Linux
    take(p.slave), take(p.master);
    raw(p.slave);
    put(p.master, "\x03\r\x7f");
    same("raw input", take(p.slave), "\x03\r\x7f");
    put(p.slave, "x\ny");
    same("raw output", take(p.master), "x\ny");
    termios t;
    tcgetattr(p.master, &t);
    that("the master shows the slave's settings", !(t.c_lflag & ICANON));
    fcntl(p.master, F_SETFL, O_NONBLOCK);
    fails("nothing there", read(p.master, &bytes, 1), EAGAIN);
}

void polling() {
    Pair p = open_pair();
    equal("a master at rest", ready(p.master), POLLOUT);
    equal("a slave at rest", ready(p.slave), POLLOUT);
    put(p.slave, "x");
    equal("output to read", ready(p.master), POLLIN | POLLOUT);
    put(p.master, "y\n");
    await(p.slave);
    equal("a line to read", ready(p.slave), POLLIN | POLLOUT);
}

// What one end writes arrives at the other, at whatever speed each end works.
struct Stream {
    int fd;
    unsigned total;
};
void* write_stream(void* of) {
    auto* stream = static_cast<Stream*>(of);
    char piece[777];
    for (unsigned done = 0; done < stream->total;) {
        unsigned now = std::min<unsigned>(sizeof piece, stream->total - done);
        for (unsigned i = 0; i < now; ++i) piece[i] = char((done + i) % 251);
        ssize_t written = write(stream->fd, piece, now);
        if (written <= 0) break;
        done += unsigned(written);
    }
    return nullptr;
}
bool read_stream(int fd, unsigned total) {
    char piece[1000];
    for (unsigned done = 0; done < total;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got <= 0) return false;
        for (ssize_t i = 0; i < got; ++i, ++done)
            if (piece[i] != char(done % 251)) return false;
    }
    return true;
}
void no_byte_is_lost() {
    Pair p = open_pair();
    raw(p.slave);
    for (bool outwards : {true, false}) {
        Stream stream{outwards ? p.slave : p.master, 200'000};
        pthread_t thread;
        pthread_create(&thread, nullptr, write_stream, &stream);
        that(outwards ? "200,000 bytes to the master" : "200,000 bytes to the slave",
             read_stream(outwards ? p.master : p.slave, stream.total));
        pthread_join(thread, nullptr);
    }
    fcntl(p.slave, F_SETFL, O_NONBLOCK);
    char piece[1024] = {};
    ssize_t written = 0, all = 0;
    while ((written = write(p.slave, piece, sizeof piece)) > 0) all += written;
    fails("a full ring", written, EAGAIN);
    equal("is not writable", ready(p.slave), 0);
    while (all > 0) all -= ssize_t(take(p.master).size());
    equal("and empty again it is", ready(p.slave), POLLOUT);
}

void packet_mode() {
    Pair p = open_pair();
    int on = 1;
    succeeds("TIOCPKT", ioctl(p.master, TIOCPKT, &on));
    on = 0;
    ioctl(p.master, TIOCGPKT, &on);
    equal("TIOCGPKT", on, 1);
    put(p.slave, "x");
    same("data", take(p.master), std::string("\0x", 2));
    tcflush(p.slave, TCIFLUSH);
    equal("news is urgent", ready(p.master, POLLPRI), POLLPRI);
    same("a flushed input", take(p.master), "\x01");
    tcflush(p.slave, TCOFLUSH);
    same("a flushed output", take(p.master), "\x02");
    tcflow(p.slave, TCOOFF);
    same("stopped", take(p.master), "\x04");
    tcflow(p.slave, TCOON);
    same("started", take(p.master), "\x08");
    termios t;
    tcgetattr(p.slave, &t);
    t.c_iflag &= ~unsigned(IXON);
    tcsetattr(p.slave, TCSANOW, &t);
    same("no flow control", take(p.master), "\x10");
    t.c_iflag |= IXON;
    tcsetattr(p.slave, TCSANOW, &t);
    same("flow control", take(p.master), "\x20");
    on = 0;
    ioctl(p.master, TIOCPKT, &on);
    put(p.slave, "y");
    same("off again", take(p.master), "y");
}

}  // namespace

int main() {
    numbers_and_locks();
    line_discipline();
    polling();
    no_byte_is_lost();
    packet_mode();
    return done();
}
