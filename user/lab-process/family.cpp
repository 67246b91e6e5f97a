// lab-process: how children end, who hears of it, and who gets those that a process leaves behind.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "user/lab-process/parts.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"

namespace {

constexpr int64_t kMoment = 5'000'000;  // all others have done what they can by then

[[noreturn]] void sleep_on() {
    for (;;) lab::sleep_for(1'000'000'000);
}

// R, S, Z, T, ... of /proc/PID/status; 0: there is no such process.
char state_of(pid_t pid) {
    const std::string text = lab::read_file("/proc/" + std::to_string(pid) + "/status");
    const size_t at = text.find("State:");
    return at == text.npos ? 0 : text[text.find_first_not_of(" \t", at + 6)];
}
pid_t parent_of(pid_t pid) {
    const std::string text = lab::read_file("/proc/" + std::to_string(pid) + "/status");
    const size_t at = text.find("PPid:");
    return at == text.npos ? 0 : atoi(text.c_str() + at + 5);
}

struct Shared {
    volatile pid_t pids[16];
    volatile pid_t told[16];  // what getppid() says there
};
Shared& shared() {
    static auto* memory = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (memory == MAP_FAILED) lab::fail("memory: %s", strerror(errno));
    return *memory;
}

// A signal, for a call that would sleep on.
void ring(int) {}
void disturb_after(int64_t nanoseconds) {
    struct sigaction action {};
    action.sa_handler = ring;  // without SA_RESTART: the call ends with EINTR
    sigaction(SIGALRM, &action, nullptr);
    const itimerval time{{0, 0}, {0, static_cast<suseconds_t>(nanoseconds / 1000)}};
    setitimer(ITIMER_REAL, &time, nullptr);
}
std::string waited(pid_t result, const std::string& what) {
    if (result > 0) return what;
    if (result == 0) return "nothing yet";
    return errno == EINTR ? "sleeps on" : errno == ECHILD ? "no child" : strerror(errno);
}

}  // namespace

void ends(const Words& words) {
    for (const std::string& word : words) {
        say_step(word);
        const bool killed = word.starts_with("signal-");
        const long number = killed ? lab::number("a signal", word.substr(7), 1, 31)
                                   : lab::number("a code", word, -1'000'000, 1'000'000);
        const pid_t child = fork_or_fail();
        if (child == 0) {
            if (killed) raise(static_cast<int>(number));
            _exit(static_cast<int>(number));
        }
        int status = 0;
        waitpid(child, &status, 0);
        printf("%s: status %04x\n", word.c_str(), static_cast<unsigned>(status));
    }
}

void zombie(const Words& words) {
    for (const std::string& word : words) {
        say_step(word);
        lab::one_of("HOW", word, {"default", "ignore", "no-wait"});
        struct sigaction action {};
        action.sa_handler = word == "ignore" ? SIG_IGN : SIG_DFL;
        action.sa_flags = word == "no-wait" ? SA_NOCLDWAIT : 0;
        sigaction(SIGCHLD, &action, nullptr);
        const pid_t child = fork_or_fail();
        if (child == 0) _exit(3);
        lab::sleep_for(kMoment);
        const char state = state_of(child);
        int status = 0;
        const pid_t result = waitpid(child, &status, 0);
        const std::string wait = waited(result, "status " + std::to_string(WEXITSTATUS(status)));
        printf("%s: %s, wait: %s\n", word.c_str(), state ? std::string(1, state).c_str() : "gone",
               wait.c_str());
        signal(SIGCHLD, SIG_DFL);
    }
}

// Process 0 is this one; each makes the next. `ends` ends; the one behind it then tells its parent.
void orphan(const Words& words) {
    if (words.size() < 2) lab::refuse("orphan wants LENGTH ENDS ADOPTER...");
    const long length = lab::number("LENGTH", words[0], 2, 10),
               ends = lab::number("ENDS", words[1], 1, length - 1);
    std::vector<long> adopters;
    for (size_t i = 2; i < words.size(); ++i)
        adopters.push_back(lab::number("ADOPTER", words[i], 0, length));
    Shared& s = shared();
    say_step("orphan");
    long me = 0;
    for (long i = 0; i <= length; ++i) s.pids[i] = 0;
    const pid_t self = getpid();
    for (;; ++me) {
        s.pids[me] = getpid();
        prctl(PR_SET_CHILD_SUBREAPER, std::ranges::find(adopters, me) != adopters.end());
        if (me == length || fork_or_fail() != 0) break;
    }
    if (getpid() != self) {
        if (me == ends) {
            while (!s.pids[length]) lab::sleep_for(1'000'000);
            lab::sleep_for(kMoment);
            _exit(0);
        }
        for (;; lab::sleep_for(1'000'000)) s.told[me] = getppid();
    }
    lab::sleep_for(10 * kMoment);
    const pid_t parent = parent_of(s.pids[ends + 1]), told = s.told[ends + 1];
    auto name = [&](pid_t pid) {
        for (long i = 0; i <= length; ++i)
            if (s.pids[i] == pid) return "process " + std::to_string(i);
        return pid == 1 ? std::string("init") : "nobody known";
    };
    printf("%ld ends: %ld is a child of %s; getppid: %s\n", ends, ends + 1, name(parent).c_str(),
           name(told).c_str());
    for (long i = length; i >= 1; --i)
        if (i != ends) kill(s.pids[i], SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
}

// This process takes orphans. Its child stays; the child's child ends, and leaves a zombie behind.
void waking(const Words& words) {
    if (!words.empty()) lab::refuse("waking takes no words");
    Shared& s = shared();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int i = 1; i <= 3; ++i) s.pids[i] = 0;
    const pid_t child = fork_or_fail();
    if (child == 0) {
        if (fork_or_fail() == 0) {
            s.pids[2] = getpid();
            const pid_t last = fork_or_fail();
            if (last == 0) _exit(7);
            s.pids[3] = last;
            lab::sleep_for(4 * kMoment);
            _exit(0);
        }
        sleep_on();
    }
    lab::sleep_for(2 * kMoment);
    say_step("waking");
    printf("before: state %c, a child of %s\n", state_of(s.pids[3]),
           parent_of(s.pids[3]) == s.pids[2] ? "the one that will end" : "another");
    disturb_after(10 * kMoment);  // it looks again then, woken or not
    const int64_t start = lab::now();
    int status = 0;
    const pid_t result = waitpid(-1, &status, 0);
    const bool woken = lab::now() - start < 8 * kMoment;
    const std::string what =
        result == s.pids[3] ? "it, status " + std::to_string(WEXITSTATUS(status)) : "another";
    printf("wait: %s, %s\n", waited(result, what).c_str(),
           woken ? "woken by it" : "only when a signal came");
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    kill(child, SIGKILL);
    while (waitpid(-1, nullptr, WNOHANG) >= 0 && state_of(child)) lab::sleep_for(1'000'000);
}

// Child i is in the group of the first child with the same number. They end one after another.
void select_children(const Words& words) {
    if (words.size() < 2) lab::refuse("select wants GROUP... WHICH");
    Words groups(words.begin(), words.end() - 1);
    const std::string& which = words.back();
    std::vector<pid_t> children;
    auto first_of = [&](const std::string& group) {
        return children[static_cast<size_t>(std::ranges::find(groups, group) - groups.begin())];
    };
    for (size_t i = 0; i < groups.size(); ++i) {
        lab::number("GROUP", groups[i], 0, 9);
        const pid_t child = fork_or_fail();
        if (child == 0) {
            lab::sleep_for(static_cast<int64_t>(i + 2) * kMoment);
            _exit(0);
        }
        children.push_back(child);
        if (groups[i] != "0") setpgid(child, first_of(groups[i]));  // 0: stays in the caller's
    }
    say_step(which);
    const std::string kind = which.substr(0, which.find('-'));
    lab::one_of("WHICH", kind, {"any", "own", "group", "child"});
    pid_t wanted = kind == "own" ? 0 : -1;
    if (kind == "group") wanted = -first_of(lab::one_of("GROUP", which.substr(6), groups));
    if (kind == "child")
        wanted = children[static_cast<size_t>(
                              lab::number("N", which.substr(6), 1, std::ssize(children))) -
                          1];
    std::string line = which + ":";
    for (pid_t child; (child = waitpid(wanted, nullptr, 0)) > 0;)
        line += " " + std::to_string(std::ranges::find(children, child) - children.begin() + 1);
    puts((line + (errno == ECHILD ? ", then no child" : ", then another error")).c_str());
    while (waitpid(-1, nullptr, 0) > 0) {
    }
}

void news(const Words& words) {
    for (const std::string& word : words) {
        say_step(word);
        lab::one_of("OPTION", word, {"none", "stopped", "continued", "both"});
        const int options = WNOHANG | (word == "stopped" || word == "both" ? WUNTRACED : 0) |
                            (word == "continued" || word == "both" ? WCONTINUED : 0);
        const pid_t child = fork_or_fail();
        if (child == 0) sleep_on();
        auto ask = [&] {
            lab::sleep_for(kMoment);
            int status = 0;
            const pid_t result = waitpid(child, &status, options);
            if (result <= 0) return std::string(result ? "error" : "-");
            char text[8];
            snprintf(text, sizeof text, "%04x", static_cast<unsigned>(status));
            return std::string(text);
        };
        std::string line = word + ": runs " + ask();
        kill(child, SIGSTOP);
        line += ", stops " + ask();
        line += ", again " + ask();
        kill(child, SIGCONT);
        line += ", goes on " + ask();
        line += ", again " + ask();
        kill(child, SIGTERM);
        puts((line + ", ends " + ask()).c_str());
        waitpid(child, nullptr, WNOHANG);
    }
}

void times(const Words& words) {
    auto of_children = [] {
        rusage usage{};
        getrusage(RUSAGE_CHILDREN, &usage);
        const long micros = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
                            usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
        return (micros + 5'000) / 10'000 * 10;  // milliseconds, to the nearest ten
    };
    for (const std::string& word : words) {
        say_step(word);
        const long milliseconds = lab::number("MILLISECONDS", word, 10, 1000);
        const pid_t child = fork_or_fail();
        if (child == 0) {
            while (lab::now(CLOCK_PROCESS_CPUTIME_ID) < milliseconds * 1'000'000) asm volatile("");
            _exit(0);
        }
        while (state_of(child) != 'Z') lab::sleep_for(kMoment);
        const long before = of_children();
        waitpid(child, nullptr, 0);
        printf("%s: before %ld, after %ld\n", word.c_str(), before, of_children());
    }
}
