// script [-q] [-c COMMAND] [FILE]: a session at a pseudo-terminal, written down in FILE (default: typescript).
// What is typed at our terminal goes to the master's end, what the master's end shows goes to our terminal and
// the file; between the master and the shell lies a line discipline of its own, so ours is set to raw.
// Spec: script(1) of util-linux, the options above; pty(7).
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

volatile sig_atomic_t resized;

[[noreturn]] void fail(const char* what) {
    fprintf(stderr, "script: %s: %s\n", what, strerror(errno));
    exit(1);
}

void write_all(int fd, const char* from, ssize_t bytes) {
    for (ssize_t done; bytes > 0; from += done, bytes -= done)
        if ((done = write(fd, from, static_cast<size_t>(bytes))) < 0) fail("write");
}

// Until the shell's end of it is closed: then a read fails with EIO.
void copy(int master, int file) {
    pollfd ends[2] = {{0, POLLIN, 0}, {master, POLLIN, 0}};
    char buffer[4096];
    for (;;) {
        if (poll(ends, 2, -1) < 0 && errno != EINTR) fail("poll");
        winsize size;
        if (resized && ioctl(0, TIOCGWINSZ, &size) == 0) ioctl(master, TIOCSWINSZ, &size);
        resized = 0;
        if (ends[0].revents) {
            const ssize_t typed = read(0, buffer, sizeof buffer);
            if (typed > 0) write_all(master, buffer, typed);
            if (typed == 0) {  // our input is no terminal and has ended: tell the shell once
                ends[0].fd = -1;
                write_all(master, "\x04", 1);
            }
        }
        if (!ends[1].revents) continue;
        const ssize_t shown = read(master, buffer, sizeof buffer);
        if (shown < 0 && errno == EIO) return;
        if (shown < 0) fail("read");
        write_all(1, buffer, shown);
        write_all(file, buffer, shown);
    }
}

}  // namespace

int main(int argc, char** argv) {
    bool quiet = false;
    const char* command = nullptr;
    for (int option; (option = getopt(argc, argv, "qc:")) != -1;) {
        if (option == 'q') quiet = true;
        if (option == 'c') command = optarg;
        if (option == '?') return fprintf(stderr, "usage: script [-q] [-c COMMAND] [FILE]\n"), 2;
    }
    const char* name = optind < argc ? argv[optind] : "typescript";
    const int file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) fail(name);
    termios ours;
    winsize size;
    const bool at_terminal = tcgetattr(0, &ours) == 0 && ioctl(0, TIOCGWINSZ, &size) == 0;
    int master;
    const pid_t shell =
        forkpty(&master, nullptr, at_terminal ? &ours : nullptr, at_terminal ? &size : nullptr);
    if (shell < 0) fail("no pseudo-terminal");
    if (shell == 0) {
        if (command)
            execl("/bin/sh", "sh", "-c", command, nullptr);
        else
            execl("/bin/sh", "sh", "-i", nullptr);
        fail("/bin/sh");
    }
    if (!quiet) printf("script: what is shown goes to %s too\n", name), fflush(stdout);
    if (at_terminal) {
        termios raw = ours;
        cfmakeraw(&raw);
        tcsetattr(0, TCSADRAIN, &raw);
        struct sigaction on_resize {};
        on_resize.sa_handler = [](int) { resized = 1; };
        sigaction(SIGWINCH, &on_resize, nullptr);
    }
    copy(master, file);
    if (at_terminal) tcsetattr(0, TCSADRAIN, &ours);
    int status = 0;
    waitpid(shell, &status, 0);
    if (!quiet) printf("script: the session is in %s\n", name);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
