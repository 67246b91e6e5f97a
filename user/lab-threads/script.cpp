// See script.hpp.
#include "user/lab-threads/script.hpp"

#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include "user/lab-threads/futex_mutex.hpp"
#include "user/lab-threads/many_to_one.hpp"
#include "user/lab/command.hpp"
#include "user/lab/setting.hpp"

namespace {

std::atomic<int> futex_waits, futex_wakes;

}  // namespace

void futex_wait(std::atomic<int>& word, int value) {
    ++futex_waits;
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr);
}
void futex_wake(std::atomic<int>& word, int threads) {
    ++futex_wakes;
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, threads);
}

namespace {

void say(const std::string& who, const std::string& what) {
    printf("%s %s\n", who.c_str(), what.c_str());
    fflush(stdout);
}

// An event of the trace, at which a debugger can stop (scripts/debug --at).
void mark(int step) { lab::write_file("/proc/trace_marker", "step " + std::to_string(step)); }

// Calls yield() with known values in the registers that a function has to keep; which were others afterwards:
// 1 ebx, 2 esi, 4 edi, 8 ebp.
__attribute__((naked)) unsigned lost_registers(void (*)(), unsigned) {
    asm("pushl %ebp\n"
        "pushl %ebx\n"
        "pushl %esi\n"
        "pushl %edi\n"
        "subl $12, %esp\n"
        "movl 32(%esp), %eax\n"
        "movl 36(%esp), %ebx\n"
        "leal 1(%ebx), %esi\n"
        "leal 2(%ebx), %edi\n"
        "leal 3(%ebx), %ebp\n"
        "call *%eax\n"
        "movl 36(%esp), %ecx\n"
        "xorl %eax, %eax\n"
        "cmpl %ecx, %ebx\n"
        "je 1f\n"
        "orl $1, %eax\n"
        "1: incl %ecx\n"
        "cmpl %ecx, %esi\n"
        "je 1f\n"
        "orl $2, %eax\n"
        "1: incl %ecx\n"
        "cmpl %ecx, %edi\n"
        "je 1f\n"
        "orl $4, %eax\n"
        "1: incl %ecx\n"
        "cmpl %ecx, %ebp\n"
        "je 1f\n"
        "orl $8, %eax\n"
        "1: addl $12, %esp\n"
        "popl %edi\n"
        "popl %esi\n"
        "popl %ebx\n"
        "popl %ebp\n"
        "ret");
}

struct Program {
    std::string name, acts;
    many_to_one::Thread* thread;
};
std::vector<Program> programs;
int happened;

void happens(const std::string& who, const std::string& what) {
    mark(++happened);
    say(who, what);
}

void join(const std::string& who, char name) {
    const auto other = std::find_if(programs.begin(), programs.end(),
                                    [&](const Program& p) { return p.name[0] == name; });
    happens(who, "joins " + other->name);
    many_to_one::join(other->thread);
    happens(who, "joined " + other->name);
}

void run_program(void* argument) {
    const Program& self = *static_cast<Program*>(argument);
    const bool aligned = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) % 16 == 8;
    happens(self.name, aligned ? "begins" : "begins on a stack that is not aligned");
    unsigned value = static_cast<unsigned>(self.name[0]) << 24;
    for (size_t i = 0; i < self.acts.size(); ++i) {
        if (self.acts[i] == 'j') {
            join(self.name, self.acts[++i]);
            continue;
        }
        happens(self.name, "yields");
        const unsigned lost = lost_registers(many_to_one::yield, value += 16);
        std::string names;
        for (int bit = 0; bit < 4; ++bit)
            if (lost >> bit & 1)
                names += std::string(" ") + (const char*[]){"ebx", "esi", "edi", "ebp"}[bit];
        happens(self.name, names.empty() ? "goes on" : "goes on without its" + names);
    }
    happens(self.name, "ends");
}

Program parsed(const std::string& word, const std::string& names) {
    const size_t colon = word.find(':');
    if (colon != 1) lab::refuse("'%s' is no thread; like A:yyjB", word.c_str());
    for (size_t i = 2; i < word.size(); ++i) {
        if (word[i] == 'y') continue;
        if (word[i] != 'j' || ++i == word.size() || names.find(word[i]) == names.npos)
            lab::refuse("'%s': y yields, jB joins the thread B", word.c_str());
    }
    return {word.substr(0, 1), word.substr(2), nullptr};
}

// Kernel threads that lock and unlock when they are told.
struct Actor {
    std::string name;
    pthread_t thread;
    sem_t go;
    std::atomic<pid_t> id = 0;
    std::atomic<bool> busy = false;
    bool locks;
};
FutexMutex disputed;

void* act(void* argument) {
    Actor& self = *static_cast<Actor*>(argument);
    for (self.id = static_cast<pid_t>(syscall(SYS_gettid));;) {
        while (sem_wait(&self.go) != 0) {
        }
        self.locks ? disputed.lock() : disputed.unlock();
        self.busy = false;
    }
}

bool sleeps(const Actor& actor) {
    const std::string stat =
        lab::read_file("/proc/self/task/" + std::to_string(actor.id) + "/stat");
    const size_t end = stat.rfind(')');
    return end != stat.npos && stat.compare(end, 3, ") S") == 0;
}

// Until each that acts sleeps or is done, seen twice, a while apart; or it is clear that one spins.
void settle(const std::vector<std::unique_ptr<Actor>>& actors) {
    for (int calm = 0, looks = 0; calm < 2 && looks < 10; ++looks) {
        usleep(1000);
        const bool all = std::all_of(actors.begin(), actors.end(), [](const auto& actor) {
            return !actor->busy || sleeps(*actor);
        });
        calm = all ? calm + 1 : 0;
    }
}

volatile long counter;
FutexMutex counted;

void* count(void* rounds) {
    for (long i = reinterpret_cast<intptr_t>(rounds); i > 0; --i) {
        counted.lock();
        const long before = counter;
        for (volatile int k = 0; k < 20;) k = k + 1;
        counter = before + 1;
        counted.unlock();
    }
    return nullptr;
}

}  // namespace

int run_order(const std::vector<std::string>& words) {
    std::string names;
    for (size_t i = 1; i < words.size(); ++i) names += words[i][0];
    for (size_t i = 1; i < words.size(); ++i) programs.push_back(parsed(words[i], names));
    std::string joined;
    for (Program& program : programs) {
        for (size_t i = 0; i < program.acts.size(); ++i)
            if (program.acts[i] == 'j') joined += program.acts[++i];
        program.thread = many_to_one::create(run_program, &program);
        if (!program.thread) lab::fail("no memory for a thread");
    }
    // Each thread is joined once: main takes those that nobody else joins.
    for (char name : names)
        if (joined.find(name) == joined.npos) join("main", name);
    happens("main", "ends");
    return 0;
}

int run_mutex(const std::vector<std::string>& words) {
    std::vector<std::unique_ptr<Actor>> actors;
    std::string inside;
    for (size_t i = 1; i < words.size(); ++i) {
        const size_t dot = words[i].find('.');
        const std::string name = words[i].substr(0, dot);
        const bool locks = dot != words[i].npos && words[i].substr(dot) == ".lock";
        if (name.empty() ||
            (!locks && words[i].substr(std::min(dot, words[i].size())) != ".unlock"))
            lab::refuse("'%s' is no act; like A.lock, A.unlock", words[i].c_str());
        auto found = std::find_if(actors.begin(), actors.end(),
                                  [&](const auto& a) { return a->name == name; });
        if (found == actors.end()) {
            actors.push_back(std::make_unique<Actor>());
            found = actors.end() - 1;
            (*found)->name = name;
            sem_init(&(*found)->go, 0, 0);
            if (pthread_create(&(*found)->thread, nullptr, act, found->get()))
                lab::fail("no thread");
        }
        Actor& actor = **found;
        mark(static_cast<int>(i));
        std::map<std::string, bool> waited;
        for (const auto& each : actors) waited[each->name] = each->busy;
        const int waits = futex_waits, wakes = futex_wakes;
        if (!actor.busy) {
            actor.locks = locks;
            if (!locks)
                inside.erase(std::remove(inside.begin(), inside.end(), name[0]), inside.end());
            actor.busy = true;
            waited[name] = locks;
            sem_post(&actor.go);
        }
        settle(actors);
        std::string waiting;
        for (const auto& each : actors) {
            if (each->busy)
                waiting += " " + each->name + (sleeps(*each) ? "" : " (spins)");
            else if (waited[each->name])
                inside += each->name;
        }
        printf("%-8s inside: %s; the word says %s; calls: %d wait, %d wake; waiting:%s\n",
               words[i].c_str(), inside.empty() ? "-" : inside.c_str(),
               disputed.is_taken() ? "taken" : "free", futex_waits - waits, futex_wakes - wakes,
               waiting.empty() ? " -" : waiting.c_str());
        fflush(stdout);
    }
    _exit(0);  // those that wait are not to be joined
}

int run_count(const std::vector<std::string>& words) {
    constexpr int kThreads = 4;
    if (words.size() != 2) lab::refuse("wants count ROUNDS; see --help");
    const long rounds = lab::number("ROUNDS", words[1], 1, 100'000'000);
    pthread_t threads[kThreads];
    for (pthread_t& thread : threads)
        if (pthread_create(&thread, nullptr, count, reinterpret_cast<void*>(intptr_t{rounds})))
            lab::fail("no thread");
    for (pthread_t thread : threads) pthread_join(thread, nullptr);
    printf("%d threads count to %ld: %ld, %ld lost, %d waits, %d wakes\n", kThreads,
           rounds * kThreads, counter, rounds * kThreads - counter, futex_waits.load(),
           futex_wakes.load());
    return 0;
}
