// Pseudo-terminals with a session at the slave's end: job control, windows, hang-ups from either side, devpts,
// a shell, and what is left after many rounds. It holds on Linux too, as pty.cpp says.
// Spec: pty(7), pts(4).
// needs: wing
#include "tests/guest/pty.hpp"

namespace {

int pipe_to_us[2];
void say(const char* text) { put(pipe_to_us[1], text); }
void tell_signal(int signal) {
    char text[3] = {'s', char('0' + signal / 10), char('0' + signal % 10)};
    if (write(pipe_to_us[1], text, 3) != 3) _exit(9);
}
std::string heard() {
    pollfd p{pipe_to_us[0], POLLIN, 0};
    return poll(&p, 1, 10'000) == 1 ? take(pipe_to_us[0], 3) : "nothing";
}
struct Session {
    int master;
    pid_t leader;
};
template <typename F>
Session session(F&& body) {
    needs("pipe", pipe2(pipe_to_us, O_CLOEXEC));
    int master = new_master();
    pid_t leader = int(needs("fork", fork()));
    if (leader) return {master, leader};
    alarm(60);
    setsid();
    std::string name = slave_name(master);
    close(master);
    int slave = open(name.c_str(), O_RDWR);
    body(slave);
    _exit(0);
}
int end_of(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}
void end(Session& s) {
    close(pipe_to_us[0]), close(pipe_to_us[1]);
    kill(s.leader, SIGKILL);
    end_of(s.leader);
}

void job_control() {
    Session s = session([](int slave) {
        signal(SIGINT, tell_signal), signal(SIGWINCH, tell_signal), signal(SIGTSTP, tell_signal);
        signal(SIGQUIT, tell_signal);
        int own = open("/dev/tty", O_RDWR);
        say(own >= 0 && tcgetpgrp(slave) == getpid() && tcgetsid(own) == getpid() ? "yes" : "no!");
        for (;;) pause();
    });
    same("opening made it the controlling terminal, and /dev/tty is it", heard(), "yes");
    put(s.master, "\x03");
    same("^C", heard(), "s02");
    put(s.master, "\x1a");
    same("^Z", heard(), "s20");
    winsize size{40, 100, 0, 0};
    succeeds("TIOCSWINSZ at the master", ioctl(s.master, TIOCSWINSZ, &size));
    same("SIGWINCH", heard(), "s28");
    succeeds("the same size", ioctl(s.master, TIOCSWINSZ, &size));
    succeeds("TIOCSIG", ioctl(s.master, TIOCSIG, SIGQUIT));
    same("is no news, the signal is", heard(), "s03");
    fails("TIOCSIG of another", ioctl(s.master, TIOCSIG, SIGUSR1), EINVAL);
    int group = 0;
    ioctl(s.master, TIOCGPGRP, &group);
    equal("the master knows the foreground", group, s.leader);
    fails("its own terminal it is not", tcsetpgrp(s.master, getpgrp()), ENOTTY);
    close(s.master);
    equal("SIGHUP ends the leader", end_of(s.leader), SIGHUP);
    end(s);
}

// The master closes: the leader gets SIGHUP, the foreground when the leader ends; files are dead.
void master_closes() {
    Session s = session([](int slave) {
        signal(SIGHUP, tell_signal);
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            setpgid(0, 0);
            signal(SIGTTOU, SIG_IGN);
            tcsetpgrp(slave, getpgrp());
            say("rea");
            for (;;) pause();
        }
        char c;
        signal(SIGTTIN, SIG_DFL);
        pause();
        say(read(slave, &c, 1) == 0 ? "eof" : "no!");
        say(write(slave, &c, 1) == -1 && errno == EIO ? "EIO" : "no!");
        say(ioctl(slave, TCGETS, &c) == -1 && errno == EIO ? "EIO" : "no!");
        say((ready(slave) & (POLLIN | POLLHUP | POLLERR)) == (POLLIN | POLLHUP | POLLERR) ? "HUP"
                                                                                          : "no!");
        say(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO ? "NXI" : "no!");
    });
    same("ready", heard(), "rea");
    close(s.master);
    same("SIGHUP to the leader", heard(), "s01");
    same("reads end", heard(), "eof");
    same("writes fail", heard(), "EIO");
    same("settings too", heard(), "EIO");
    same("poll says so", heard(), "HUP");
    same("the session has no terminal any more", heard(), "NXI");
    same("the leader has ended: SIGHUP to the foreground", heard(), "s01");
    end(s);
}

// One that waits while its other end goes.
void* read_one(void* of) {
    char c;
    ssize_t got = read(*static_cast<int*>(of), &c, 1);
    return reinterpret_cast<void*>(got < 0 ? -long(errno) : got);
}
void closed_in_the_midst() {
    for (bool master_waits : {true, false}) {
        Pair p = open_pair();
        pthread_t thread;
        int waits = dup(master_waits ? p.master : p.slave);
        pthread_create(&thread, nullptr, read_one, &waits);
        for (int i = 0; i < 100; ++i) sched_yield();
        // The copy keeps its own end; the other one goes.
        close(master_waits ? p.slave : p.master);
        (master_waits ? p.slave : p.master) = -1;
        void* got = nullptr;
        pthread_join(thread, &got);
        const long result = reinterpret_cast<long>(got);
        that(master_waits ? "a waiting master gets EIO" : "a waiting slave its end, or EIO",
             result == -EIO || (!master_waits && result == 0));
        close(waits);
    }
}

void slave_closes() {
    int master = new_master();
    fcntl(master, F_SETFL, O_NONBLOCK);
    char c;
    fails("a slave that was never open is no hang-up", read(master, &c, 1), EAGAIN);
    int slave = open(slave_name(master).c_str(), O_RDWR | O_NOCTTY);
    put(slave, "last words");
    close(slave);
    equal("data and hang-up", ready(master), POLLIN | POLLOUT | POLLHUP);
    same("the data first", take(master), "last words");
    fails("then EIO", read(master, &c, 1), EIO);
    slave = open(slave_name(master).c_str(), O_RDWR | O_NOCTTY);
    succeeds("it may be opened again", slave);
    fails("and then there is only nothing to read", read(master, &c, 1), EAGAIN);
    close(slave), close(master);
}

void hang_up_by_call() {
    Session s = session([](int slave) {
        signal(SIGHUP, tell_signal);
        char c;
        say(syscall(SYS_vhangup) == 0 ? "yes" : "no!");
        say(read(slave, &c, 1) == 0 && write(slave, "x", 1) == -1 && errno == EIO ? "eof" : "no!");
        for (;;) pause();
    });
    std::string all = heard();
    all += heard();
    all += heard();
    that("vhangup: a signal, and dead files", all == "s01yeseof" || all == "yess01eof");
    int again = open(slave_name(s.master).c_str(), O_RDWR | O_NOCTTY);
    succeeds("opened anew it is of use", again);
    put(again, "x");
    same("as ever", take(s.master), "x");
    close(again), close(s.master);
    end(s);
    if (pid_t child = fork(); child == 0) {
        if (setuid(65534)) _exit(2);
        _exit(syscall(SYS_vhangup) == -1 && errno == EPERM ? 0 : 1);
    } else {
        equal("vhangup is the superuser's", end_of(child), 0);
    }
}

void file_system() {
    mkdir("/tmp/pts", 0700);
    fails("an unknown option", mount("devpts", "/tmp/pts", "devpts", 0, "what=1"), EINVAL);
    fails("a bad number", mount("devpts", "/tmp/pts", "devpts", 0, "gid=x"), EINVAL);
    needs("mount", mount("devpts", "/tmp/pts", "devpts", 0, "mode=640,gid=7,ptmxmode=666"));
    int master = open("/tmp/pts/ptmx", O_RDWR | O_NOCTTY);
    succeeds("its ptmx", master);
    unsigned number = 0;
    ioctl(master, TIOCGPTN, &number);
    std::string name = "/tmp/pts/" + std::to_string(number);
    struct stat s {};
    succeeds("the name", stat(name.c_str(), &s));
    equal("mode=", s.st_mode, S_IFCHR | 0640);
    equal("gid=", s.st_gid, 7);
    equal("the opener's uid", s.st_uid, 0);
    succeeds("chmod", chmod(name.c_str(), 0600));
    succeeds("chown", chown(name.c_str(), 1, 2));
    stat(name.c_str(), &s);
    equal("are kept", s.st_mode * 100 + s.st_uid * 10 + s.st_gid, (S_IFCHR | 0600) * 100 + 12);
    that("no file can be made", open("/tmp/pts/x", O_CREAT | O_RDWR, 0600) == -1);
    that("no name removed", unlink(name.c_str()) == -1);
    close(master);
    fails("the name goes", stat(name.c_str(), &s), ENOENT);
    succeeds("umount", umount("/tmp/pts"));
    rmdir("/tmp/pts");
}

// A shell that thinks it is at a terminal, and is watched and typed to by us.
void a_shell() {
    Session s = session([](int slave) {
        dup2(slave, 0), dup2(slave, 1), dup2(slave, 2);
        setenv("PS1", "at$((6*7))$ ", 1);
        setenv("TERM", "dumb", 1);
        unsetenv("ENV");
        execl("/bin/sh", "sh", "-i", nullptr);
    });
    std::string shown;
    auto expect = [&](std::string_view text) {
        while (shown.find(text) == std::string::npos) {
            await(s.master);
            const std::string more = take(s.master);
            if (more.empty()) return that("the shell shows " + std::string(text), false);
            shown += more;
        }
        shown.erase(0, shown.find(text) + text.size());
        return that(
            "the shell shows " + std::string(text.substr(0, text.find_last_not_of("\r\n") + 1)),
            true);
    };
    winsize size{33, 44, 0, 0};
    ioctl(s.master, TIOCSWINSZ, &size);
    expect("at42$ ");
    put(s.master, "stty size\n");
    expect("\n33 44\r\n");
    put(s.master, "cat -n\n");
    expect("cat -n");
    put(s.master, "over\n");
    expect("1\tover\r\n");  // from cat, not an echo: it is in the foreground
    put(s.master, "\x1a");
    expect("topped");
    expect("at42$ ");
    put(s.master, "fg\n");
    expect("cat -n");
    put(s.master, "again\n");
    expect("2\tagain\r\n");
    put(s.master, "\x03");
    expect("at42$ ");
    put(s.master, "echo $?; exit 5\n");
    expect("130\r\n");
    equal("the shell ends", WEXITSTATUS(end_of(s.leader)), 5);
    close(s.master);
    end(s);
}

long free_kilobytes() {
    char text[512] = {};
    int file = open("/proc/meminfo", O_RDONLY);
    (void)!read(file, text, sizeof text - 1);
    close(file);
    const char* at = strstr(text, "MemAvailable:");
    return at ? atol(at + 13) : 0;
}
void many_rounds() {
    unsigned first = 0, last = 0;
    auto round = [](unsigned& number) {
        Pair p = open_pair();
        ioctl(p.master, TIOCGPTN, &number);
        put(p.slave, "x");
        put(p.master, "y\n");
    };
    for (int i = 0; i < 100; ++i) round(first);
    const long before = free_kilobytes();
    for (int i = 0; i < 10'000; ++i) round(last);
    equal("numbers come back", last, first);
    that("and memory", before - free_kilobytes() < 2000);
    std::vector<int> masters;
    int more;
    while (masters.size() < 300 && (more = open("/dev/ptmx", O_RDWR | O_NOCTTY)) >= 0)
        masters.push_back(more);
    that("many at once", masters.size() >= 200);
    for (int master : masters) close(master);
    round(last);
    equal("and they come back too", last, first);
}

}  // namespace

int main() {
    job_control();
    master_closes();
    closed_in_the_midst();
    slave_closes();
    hang_up_by_call();
    file_system();
    a_shell();
    many_rounds();
    return done();
}
