// The first process. It mounts what the kernel has not and runs /etc/rc.local, if there is one. Then it keeps a login
// shell on the console, and one on each other terminal on which Enter is pressed; a root with passwords (/etc/shadow) asks there who
// it is. Or, when the kernel's command line holds exec=CMD (percent-encoded), it runs that one command with the host's
// streams as its own, reports how it ended, and powers the machine off.
//
// Invariant: only this process may end the machine, and it does so after every other one is gone,
// so that nothing is written to the host after the status. Signals are blocked except inside
// sigsuspend(), which leaves no gap between looking for dead children and waiting for more.
// Spec: the signals that BusyBox halt (USR1), poweroff (USR2) and reboot (TERM) send to process 1.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char* const kConsoleEnvironment[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin",
                                            "HOME=/root",
                                            "USER=root",
                                            "SHELL=/bin/sh",
                                            "TERM=linux",
                                            "PS1=orrery:\\w# ",
                                            NULL};
static char* const kExecEnvironment[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/root",
                                         "TERM=dumb", NULL};

// The console is first. Of a terminal without a shell the descriptor is open, to see Enter; else it is -1.
static struct terminal {
    const char* path;
    pid_t shell;
    int fd;
} terminals[] = {{"/dev/console", 0, -1},
                 {"/dev/tty2", 0, -1},
                 {"/dev/tty3", 0, -1},
                 {"/dev/tty4", 0, -1},
                 {"/dev/ttyS1", 0, -1}};
enum { kTerminals = sizeof terminals / sizeof *terminals };

static volatile sig_atomic_t asked_to_stop;  // the signal that asked, or 0
static bool under_exec;                      // a status is owed to the host

static void note_signal(int signal) {
    if (signal != SIGCHLD) asked_to_stop = signal;
}

static void mount_if_missing(const char* type, const char* where, const char* sign) {
    if (access(sign, F_OK) == 0) return;
    if (mount(type, where, type, 0, NULL) != 0 && errno != EBUSY)
        dprintf(2, "init: cannot mount %s on %s: %s\n", type, where, strerror(errno));
}

// Makes PATH the descriptor FD. Says so on the console when it cannot.
static bool open_as(int fd, const char* path, int flags) {
    int opened = open(path, flags);
    if (opened < 0) {
        int error = errno, console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
        dprintf(console, "init: cannot open %s: %s\n", path, strerror(error));
        return false;
    }
    if (opened != fd) {
        dup2(opened, fd);
        close(opened);
    }
    return true;
}

static void write_status(int status) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d", status);
    int fd = open("/dev/hoststatus", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, length) != length)
        dprintf(2, "init: cannot report status %d: %s\n", status, strerror(errno));
    if (fd >= 0) close(fd);
}

// Ends the machine: kills all that runs, writes what is unwritten, then HOW (a reboot() command).
static void shut_down(int how, int status) {
    do {  // again: one may have been forking meanwhile
        kill(-1, SIGKILL);
    } while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
    if (under_exec) write_status(status);
    sync();
    mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
    reboot(how);
    dprintf(2, "init: reboot: %s\n", strerror(errno));
    for (;;) pause();
}

static void check_asked_to_stop(void) {
    switch (asked_to_stop) {
        case 0: return;
        case SIGUSR1: shut_down(RB_HALT_SYSTEM, 0); break;
        case SIGUSR2: shut_down(RB_POWER_OFF, 0); break;
        default: shut_down(RB_AUTOBOOT, 0);
    }
}

// Reaps orphans until SHELL is dead, and returns its wait status.
static int wait_for(pid_t shell) {
    sigset_t none;
    sigemptyset(&none);
    for (;;) {
        int status;
        pid_t dead;
        while ((dead = waitpid(-1, &status, WNOHANG)) > 0)
            if (dead == shell) return status;
        check_asked_to_stop();
        sigsuspend(&none);
        check_asked_to_stop();
    }
}

// Replaces this child by PROGRAM; returns only if that fails.
static void become(const char* program, char* const arguments[], char* const environment[]) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir("/root") != 0 && chdir("/") != 0) return;
    execve(program, arguments, environment);
    dprintf(2, "init: cannot run %s: %s\n", program, strerror(errno));
}

static void run_command(char* command) {
    char* arguments[] = {"sh", "-c", command, NULL};
    pid_t shell = fork();
    if (shell == 0) {
        setsid();
        if (open_as(0, "/dev/hostin", O_RDONLY) && open_as(1, "/dev/hostout", O_WRONLY) &&
            open_as(2, "/dev/hosterr", O_WRONLY))
            become("/bin/sh", arguments, kExecEnvironment);
        _exit(126);
    }
    int status = shell < 0 ? 126 << 8 : wait_for(shell);
    shut_down(RB_POWER_OFF, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// Starts a login shell. False if there is none to run: a pipe that a successful execve() closes tells that from
// a shell that ended at once.
static bool start_login_shell(struct terminal* terminal) {
    const bool accounts = access("/etc/shadow", F_OK) == 0;  // there are passwords to ask for
    char* arguments[] = {accounts ? "login" : "-sh", NULL};
    char failed = 0;
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return false;
    pid_t shell = fork();
    if (shell == 0) {
        setsid();
        if (open_as(0, terminal->path, O_RDWR | O_NOCTTY)) {
            ioctl(0, TIOCSCTTY, 0);
            dup2(0, 1);
            dup2(0, 2);
            become(accounts ? "/bin/login" : "/bin/sh", arguments, kConsoleEnvironment);
        }
        _exit(write(report[1], "!", 1) == 1 ? 126 : 127);
    }
    close(report[1]);
    if (shell < 0)
        failed = 1;
    else if (read(report[0], &failed, 1) < 0)
        failed = 0;
    close(report[0]);
    terminal->shell = failed ? 0 : shell;
    return !failed;
}

static void offer_shell(struct terminal* terminal) {
    terminal->shell = 0;
    terminal->fd = open(terminal->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (terminal->fd < 0) return;
    struct termios mode;  // a shell that was killed may have left it raw
    if (tcgetattr(terminal->fd, &mode) == 0) {
        mode.c_lflag |= ICANON | ECHO | ISIG;
        mode.c_iflag |= ICRNL;
        mode.c_oflag |= OPOST;
        tcsetattr(terminal->fd, TCSANOW, &mode);
    }
    dprintf(terminal->fd, "\nOrrery, %s. Press Enter for a shell.\n", terminal->path);
}

// A terminal without lines is another program's by now, such as gdbserver's: what comes is not for us.
static void take_offer(struct terminal* terminal) {
    char line[256];
    struct termios mode;
    const bool ours = tcgetattr(terminal->fd, &mode) != 0 || (mode.c_lflag & ICANON);
    while (ours && read(terminal->fd, line, sizeof line) > 0) {
    }
    close(terminal->fd);
    terminal->fd = -1;
    if (ours && !start_login_shell(terminal)) dprintf(2, "init: no shell for %s\n", terminal->path);
}

// False when the console can have no shell.
static bool replace_shell(pid_t dead) {
    for (struct terminal* t = terminals; t < terminals + kTerminals; t++) {
        if (t->shell != dead) continue;
        if (t != terminals) {
            offer_shell(t);
        } else {
            dprintf(2,
                    "\ninit: the shell has ended; here is another (poweroff ends the machine)\n");
            if (!start_login_shell(t)) return false;
        }
    }
    return true;
}

// Gives each terminal its shell. Returns when the console can have none.
static void run_terminals(void) {
    sigset_t none;
    sigemptyset(&none);
    if (!start_login_shell(&terminals[0])) return;
    for (int i = 1; i < kTerminals; i++) offer_shell(&terminals[i]);
    for (;;) {
        struct pollfd polled[kTerminals];
        pid_t dead;
        for (int i = 0; i < kTerminals; i++)
            polled[i] = (struct pollfd){terminals[i].fd, POLLIN, 0};
        const int ready = ppoll(polled, kTerminals, NULL, &none);
        check_asked_to_stop();
        for (int i = 0; ready > 0 && i < kTerminals; i++)
            if (polled[i].revents) take_offer(&terminals[i]);
        while ((dead = waitpid(-1, NULL, WNOHANG)) > 0)
            if (!replace_shell(dead)) return;
    }
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode_percents(char* text) {
    char* out = text;
    for (; *text; text++) {
        int high = *text == '%' ? hex_digit(text[1]) : -1;
        int low = high >= 0 ? hex_digit(text[2]) : -1;
        *out++ = low >= 0 ? high << 4 | low : *text;
        if (low >= 0) text += 2;
    }
    *out = 0;
}

// The command of exec= on the kernel's command line, decoded; NULL without one.
static char* find_command(void) {
    static char line[160 * 1024];
    size_t length = 0;
    ssize_t got;
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0) dprintf(2, "init: cannot open /proc/cmdline: %s\n", strerror(errno));
    while (fd >= 0 && (got = read(fd, line + length, sizeof line - 1 - length)) > 0) length += got;
    if (fd >= 0) close(fd);
    for (char* word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
        if (strncmp(word, "exec=", 5) != 0) continue;
        decode_percents(word + 5);
        return word + 5;
    }
    return NULL;
}

static void run_start_script(void) {
    char* arguments[] = {"rc.local", NULL};
    if (access("/etc/rc.local", X_OK) != 0) return;
    pid_t script = fork();
    if (script == 0) {
        become("/etc/rc.local", arguments, kConsoleEnvironment);
        _exit(126);
    }
    if (script > 0) wait_for(script);
}

static void catch_signals(void) {
    static const int caught[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
        sigaddset(&blocked, caught[i]);
        sigaction(caught[i], &action, NULL);
    }
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

int main(void) {
    if (getpid() != 1) {
        dprintf(2, "init: must be process 1\n");
        return 1;
    }
    catch_signals();
    mount_if_missing("devfs", "/dev", "/dev/console");
    for (int fd = 0; fd < 3; fd++) open_as(fd, "/dev/console", O_RDWR | O_NOCTTY);
    mount_if_missing("proc", "/proc", "/proc/cmdline");
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    if (access("/dev/ptmx", F_OK) == 0)
        mount("devpts", "/dev/pts", "devpts", 0, "gid=5,mode=620,ptmxmode=666");
    mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777");
    mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777");
    mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL);
    sethostname("orrery", 6);
    run_start_script();

    char* command = find_command();
    under_exec = command != NULL;
    if (command) run_command(command);
    run_terminals();
    dprintf(2, "init: nothing to run; powering off\n");
    shut_down(RB_POWER_OFF, 126);
}
