// lab-process: the states of a thread by the kernel's rules (kernel/sched/state_changes.hpp): of one that is
// only imagined, and of a real process that is suspended while it sleeps.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "kernel/sched/state_changes.hpp"
#include "user/lab-process/parts.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"
#include "user/lab/trace.hpp"

namespace {

const std::vector<std::string> kNames = {
    "created", "ready", "running", "blocked", "suspended-ready", "suspended-blocked", "terminated"};
static_assert(kThreadStates == 7);

std::string name_of(ThreadState state) { return kNames[static_cast<size_t>(state)]; }
ThreadState state_named(const std::string& name) {
    lab::one_of("STATE", name, kNames);
    return static_cast<ThreadState>(std::ranges::find(kNames, name) - kNames.begin());
}

// What the scheduler does to a thread, if the rules allow it.
struct Event {
    const char* name;
    ThreadState to;
};
constexpr Event kEvents[] = {{"admit", ThreadState::ready},
                             {"run", ThreadState::running},
                             {"over", ThreadState::ready},
                             {"wait", ThreadState::blocked},
                             {"exit", ThreadState::terminated}};

ThreadState after(const std::string& event, ThreadState state) {
    if (event == "wake") return state_after_wake(state);
    if (event == "suspend") return state_after_suspend(state);
    if (event == "resume") return state_after_resume(state);
    for (const Event& e : kEvents)
        if (event == e.name) return is_legal_change(state, e.to) ? e.to : state;
    lab::refuse("no event '%s'; there are admit run over wait wake suspend resume exit",
                event.c_str());
}

void wait_until(int64_t time) { lab::sleep_until(time); }

}  // namespace

void changes(const Words& words) {
    for (const std::string& word : words.empty() ? kNames : words) {
        say_step(word);
        std::string line = word + ":";
        for (const std::string& to : kNames)
            if (is_legal_change(state_named(word), state_named(to))) line += " " + to;
        puts(line.c_str());
    }
}

void walk(const Words& words) {
    ThreadState state = ThreadState::created;
    for (size_t i = 0; i < words.size(); ++i) {
        say_step(std::to_string(i + 1));
        state = after(words[i], state);
        printf("%-8s %s\n", words[i].c_str(), name_of(state).c_str());
    }
}

// A child sleeps; it is suspended and resumed at the given milliseconds, and wakes at another.
void suspended(const Words& words) {
    if (words.size() != 3) lab::refuse("suspended wants the times: SUSPEND RESUME WAKE");
    const int64_t start = lab::now();
    auto moment = [&](size_t i) {
        return start + lab::number("a time", words[i], 1, 1000) * 1'000'000;
    };
    const int64_t wake = moment(2), end = std::max({moment(0), moment(1), wake}) + 20'000'000;
    const pid_t child = fork_or_fail();
    if (child == 0) {
        wait_until(wake);
        for (;;) lab::sleep_for(1'000'000'000);
    }
    const bool resume_first = moment(1) < moment(0);
    for (const int i : {resume_first ? 1 : 0, resume_first ? 0 : 1}) {
        wait_until(moment(static_cast<size_t>(i)));
        say_step(i ? "resume" : "suspend");
        lab::write_file(std::string("/proc/sys/kernel/sched/") + (i ? "resume" : "suspend"),
                        std::to_string(child));
    }
    wait_until(end);
    std::string line;
    const std::string tid = std::to_string(child);
    for (lab::TraceEvent& event : lab::read_trace()) {
        if (event.name == "state" && event.fields["thread"] == tid)
            line += " " + event.fields["to"];
        if (event.name == "switch" && event.fields["next"] == tid) line += " running";
    }
    printf("states%s\n", line.c_str());
    kill(child, SIGKILL);
    lab::write_file("/proc/sys/kernel/sched/resume", tid);
    waitpid(child, nullptr, 0);
}
