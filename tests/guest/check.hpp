// What every guest test uses. A check prints one line, `ok NAME` or `FAIL NAME: why (file:line)`,
// and a failed one does not end the test; main() returns done(), 1 if any failed. Lines are written
// whole and at once, so that a fork() never copies half a line, and two processes may both check.
#pragma once
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <string>
#include <string_view>

namespace check {

using Where = std::source_location;

inline int failures = 0;

inline void print(const std::string& line) {
    if (write(1, line.data(), line.size()) != ssize_t(line.size())) _exit(125);
}

inline bool report(bool passed, std::string_view name, const std::string& why, const Where& where) {
    if (passed) {
        print("ok " + std::string(name) + "\n");
        return true;
    }
    ++failures;
    std::string_view file = where.file_name();
    file.remove_prefix(file.rfind('/') + 1);
    print("FAIL " + std::string(name) + ": " + why + " (" + std::string(file) + ":" +
          std::to_string(where.line()) + ")\n");
    return false;
}

inline bool that(std::string_view name, bool condition, Where where = Where::current()) {
    return report(condition, name, "not so", where);
}

inline bool equal(std::string_view name, long long got, long long wanted,
                  Where where = Where::current()) {
    return report(got == wanted, name,
                  "got " + std::to_string(got) + ", not " + std::to_string(wanted), where);
}

inline bool same(std::string_view name, std::string_view got, std::string_view wanted,
                 Where where = Where::current()) {
    return report(got == wanted, name,
                  "got \"" + std::string(got) + "\", not \"" + std::string(wanted) + "\"", where);
}

// RESULT is what a call returned, with errno still as that call left it.
inline bool succeeds(std::string_view name, long long result, Where where = Where::current()) {
    return report(result >= 0, name, std::string("failed: ") + strerror(errno), where);
}

inline bool fails(std::string_view name, long long result, int wanted,
                  Where where = Where::current()) {
    int error = errno;
    std::string why = result >= 0 ? "returned " + std::to_string(result)
                                  : std::string("failed with ") + strerrorname_np(error);
    return report(result < 0 && error == wanted, name,
                  why + ", not " + std::string(strerrorname_np(wanted)), where);
}

// For what the rest of a test stands on: ends it if the call failed.
inline long needs(std::string_view what, long result, Where where = Where::current()) {
    if (result < 0) {
        report(false, what, std::string("needed, but failed: ") + strerror(errno), where);
        _exit(1);
    }
    return result;
}

inline int done() { return failures != 0; }

// Runs BODY in a child, which exits with BODY's result.
template <typename Body>
pid_t start(Body body) {
    pid_t child = needs("fork", fork());
    if (child == 0) {
        failures = 0;
        _exit(body());
    }
    return child;
}

inline int wait_for(pid_t child) {
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

template <typename Body>
int status_of(Body body) {
    return wait_for(start(body));
}

inline std::string name_of(int signal) {
    const char* name = sigabbrev_np(signal);
    return name ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

inline std::string describe(int status) {
    if (WIFEXITED(status)) return "exited with " + std::to_string(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return "was killed by " + name_of(WTERMSIG(status));
    return "has status " + std::to_string(status);
}

// The child that runs BODY must exit with CODE.
template <typename Body>
bool exits(std::string_view name, int code, Body body, Where where = Where::current()) {
    int status = status_of(body);
    return report(WIFEXITED(status) && WEXITSTATUS(status) == code, name,
                  "child " + describe(status) + ", not with " + std::to_string(code), where);
}

template <typename Body>
bool killed(std::string_view name, int signal, Body body, Where where = Where::current()) {
    int status = status_of(body);
    return report(WIFSIGNALED(status) && WTERMSIG(status) == signal, name,
                  "child " + describe(status) + ", not killed by " + name_of(signal), where);
}

// A pipe to wait for another process with: pass() lets one wait() through.
class Gate {
  public:
    Gate() { needs("pipe", pipe2(ends_, O_CLOEXEC)); }
    ~Gate() {
        close(ends_[0]);
        close(ends_[1]);
    }
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    void pass(char message = 1) { needs("gate", write(ends_[1], &message, 1)); }
    char wait() {
        char message = 0;
        while (read(ends_[0], &message, 1) < 0 && errno == EINTR) {
        }
        return message;
    }

  private:
    int ends_[2];
};

// While it lives, the caller and its children take turns, though the machine's policy may be one
// under which a program that computes keeps the CPU. Threads that exist already do not.
class TakingTurns {
  public:
    TakingTurns() {
        int fd = needs(kQuantum, open(kQuantum, O_RDWR | O_CLOEXEC));
        before_.resize(needs(kQuantum, read(fd, before_.data(), before_.size())));
        needs(kQuantum, write(fd, "10000", 5));
        close(fd);
        sched_param first = {};
        first.sched_priority = 1;
        needs("SCHED_RR", sched_setscheduler(0, SCHED_RR, &first));
    }
    ~TakingTurns() {
        sched_param none = {};
        needs("SCHED_OTHER", sched_setscheduler(0, SCHED_OTHER, &none));
        int fd = needs(kQuantum, open(kQuantum, O_WRONLY | O_CLOEXEC));
        needs(kQuantum, write(fd, before_.data(), before_.size()));
        close(fd);
    }
    TakingTurns(const TakingTurns&) = delete;
    TakingTurns& operator=(const TakingTurns&) = delete;

  private:
    static constexpr const char* kQuantum = "/proc/sys/kernel/sched/realtime_quantum_us";
    std::string before_ = std::string(32, 0);
};

// The state letter of a process in /proc/PID/stat; 0 if there is none.
inline char state_of(pid_t process) {
    char text[512], path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return 0;
    text[length] = 0;
    const char* after_name = strrchr(text, ')');
    return after_name && after_name[1] ? after_name[2] : 0;
}

// Returns once the process sleeps in a call (or is in another STATE), so that what is done to it
// next meets it there.
inline void wait_until(pid_t process, char state = 'S') {
    for (char now; (now = state_of(process)) != state;) {
        if (now == 0 || now == 'Z') {
            errno = ESRCH;
            needs("a live process in /proc/PID/stat", -1);
        }
        sched_yield();
    }
}

}  // namespace check
