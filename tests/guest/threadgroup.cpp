// A process of several threads to the outside: its first thread may end first, exec and fork by any
// of them, exits and waiting, who takes a signal, what /proc tells of each thread.
// Spec: clone(2) "CLONE_THREAD", execve(2), wait(2), signal(7), proc(5), tgkill(2).
#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/guest/signals.hpp"

namespace {

using namespace check;
using namespace signals;

pid_t own_tid() { return syscall(SYS_gettid); }

std::string text_of(const std::string& path) {
    char text[1024];
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return "";
    ssize_t length = read(fd, text, sizeof text);
    close(fd);
    return std::string(text, length > 0 ? length : 0);
}

std::string task(pid_t process, pid_t thread, const char* file) {
    return text_of("/proc/" + std::to_string(process) + "/task/" + std::to_string(thread) + "/" +
                   file);
}

char state_in(const std::string& stat) {
    size_t end = stat.rfind(')');
    return end == std::string::npos ? 0 : stat[end + 2];
}

int count_tasks(pid_t process) {
    DIR* folder = opendir(("/proc/" + std::to_string(process) + "/task").c_str());
    if (!folder) return -1;
    int count = 0;
    while (dirent* entry = readdir(folder)) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

// The first thread ends with status 5; the other waits at the gate, then ends the process by END.
template <typename End>
pid_t start_without_leader(Gate& gate, End end) {
    pid_t child = start([&] {
        static pthread_t first = pthread_self();
        std::thread([&] {
            pthread_join(first, nullptr);
            gate.wait();
            end();
        }).detach();
        syscall(SYS_exit, 5);
        return 1;
    });
    wait_until(child, 'Z');
    return child;
}

void test_leader_ends_first() {
    Gate gate;
    pid_t child = start_without_leader(gate, [] { syscall(SYS_exit, 9); });
    equal("its state is that of a zombie", state_of(child), 'Z');
    equal("so is its task's", state_in(task(child, child, "stat")), 'Z');
    equal("two tasks are listed", count_tasks(child), 2);
    equal("but it can't be waited for", waitpid(child, nullptr, WNOHANG), 0);
    succeeds("its id is still there", syscall(SYS_tgkill, child, child, 0));
    succeeds("a signal to it is lost", syscall(SYS_tgkill, child, child, SIGTERM));
    gate.pass();
    equal("the status is the first thread's", wait_for(child), W_EXITCODE(5, 0));

    child = start_without_leader(gate, [] { _exit(9); });
    gate.pass();
    equal("exit_group's goes first", wait_for(child), W_EXITCODE(9, 0));

    child = start_without_leader(gate, [] { pause(); });
    kill(child, SIGTERM);
    equal("a signal to the process meets the others", wait_for(child), SIGTERM);

    child = start_without_leader(
        gate, [] { execl("/bin/sh", "sh", "-c", "exit $(($$ % 2 + 3))", nullptr); });
    gate.pass();
    equal("exec takes the leader's place", wait_for(child), W_EXITCODE(child % 2 + 3, 0));
}

// EXEC is called in a thread beside the first, while others sleep and compute.
int exec_status(void (*exec)()) {
    return status_of([exec] {
        for (int i = 0; i < 3; i++) std::thread([] { pause(); }).detach();
        std::thread([] {
            for (;;) sched_yield();
        }).detach();
        std::thread(exec).join();
        return 1;
    });
}

void test_exec() {
    equal("exec from another thread keeps the pid and leaves one thread", exec_status([] {
              std::string pid = std::to_string(getpid());
              execl("/bin/sh", "sh", "-c", "[ $$ = $0 ] && set /proc/self/task/* && [ $# = 1 ]",
                    pid.c_str(), nullptr);
          }),
          0);
    equal("a failed one leaves all as it was", exec_status([] {
              execl("/does/not/exist", "x", nullptr);
              _exit(count_tasks(getpid()) == 6 ? 0 : 1);
          }),
          0);
    for (int i = 0; i < 5; i++)
        exits("two at once: one wins", 0, [] {
            static std::atomic<int> ready = 0;
            auto exec = [] {
                for (ready++; ready < 2;) sched_yield();
                execl("/bin/true", "true", nullptr);
            };
            std::thread(exec).detach();
            exec();
            return 1;
        });
    exits("a mask goes through exec", 0, [] {
        block(SIGUSR1);
        execl("/bin/sh", "sh", "-c", "grep -q 'SigBlk:.*0200$' /proc/self/status", nullptr);
        return 1;
    });
}

void test_fork() {
    std::mutex mutex;
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] {
            while (!stop) {
                std::lock_guard lock(mutex);
                sched_yield();
            }
        });
    int bad = 0;
    for (int i = 0; i < 10; i++)
        bad += status_of([] { return count_tasks(getpid()) != 1 || own_tid() != getpid(); });
    equal("a child of fork() is one thread", bad, 0);
    std::atomic<int> status = -1;
    std::thread([&] { status = status_of([] { return getpid() == own_tid() ? 6 : 1; }); }).join();
    equal("forked in a thread, waited for there", status, W_EXITCODE(6, 0));
    pid_t child = 0;
    std::thread([&] { child = start([] { return 8; }); }).join();
    equal("or by another thread", wait_for(child), W_EXITCODE(8, 0));
    stop = true;
    for (auto& thread : threads) thread.join();
}

thread_local volatile int mine;
std::atomic<pid_t> taken_by;

void take(int) {
    mine = mine + 1;
    taken_by = own_tid();
}

void test_signals() {
    handle(SIGUSR1, take);
    handle(SIGUSR2, take);
    Gate ready, end;
    std::atomic<pid_t> tid = 0;
    std::atomic<int> count = 0;
    std::thread other([&] {
        block(SIGUSR2);
        tid = own_tid();
        ready.pass();
        end.wait();
        unblock(SIGUSR2);
        count = mine;
    });
    ready.wait();
    pthread_kill(other.native_handle(), SIGUSR1);
    while (!taken_by) sched_yield();
    equal("pthread_kill meets that thread", taken_by, tid);
    taken_by = 0;
    kill(getpid(), SIGUSR2);
    equal("a process' signal meets one that doesn't block it", taken_by, own_tid());
    block(SIGUSR1);
    taken_by = 0;
    kill(getpid(), SIGUSR1);
    while (!taken_by) sched_yield();
    equal("whichever that is", taken_by, tid);
    block(SIGUSR2);
    kill(getpid(), SIGUSR2);
    end.pass();
    other.join();
    equal("if all do, the first to let it in", count, 3);
    unblock(SIGUSR1);
    unblock(SIGUSR2);
    equal("and it was taken once", mine, 1);

    // The taker leaves before it can take it: another one has to.
    exits("a signal does not get lost with its taker", 0, [] {
        block(SIGUSR1);
        taken_by = 0;
        std::thread waiter([] {
            sigset_t none;
            sigemptyset(&none);
            while (!taken_by) sigsuspend(&none);
        });
        kill(getpid(), SIGUSR1);
        waiter.join();
        return taken_by == 0;
    });
    fails("tgkill: not of that process", syscall(SYS_tgkill, 1, own_tid(), 0), ESRCH);
    fails("tgkill: no such thread", syscall(SYS_tgkill, getpid(), 99999, 0), ESRCH);
    fails("tgkill: no thread", syscall(SYS_tgkill, getpid(), 0, 0), EINVAL);
    fails("tgkill: no such signal", syscall(SYS_tgkill, getpid(), own_tid(), 65), EINVAL);
    killed("SIGKILL to one thread kills all", SIGKILL, [] {
        std::thread([] { syscall(SYS_tgkill, getpid(), own_tid(), SIGKILL); }).join();
        return 1;
    });
}

void test_task_files() {
    Gate ready, end;
    std::atomic<pid_t> tid = 0;
    std::thread other([&] {
        tid = own_tid();
        pthread_setname_np(pthread_self(), "second");
        ready.pass();
        end.wait();
    });
    ready.wait();
    equal("tasks", count_tasks(getpid()), 2);
    same("name of a task", task(getpid(), tid, "comm"), "second\n");
    std::string status = task(getpid(), tid, "status");
    that("status of a task",
         status.find("\nTgid:\t" + std::to_string(getpid()) + "\n") != std::string::npos &&
             status.find("\nPid:\t" + std::to_string(tid) + "\n") != std::string::npos &&
             status.find("\nThreads:\t2\n") != std::string::npos);
    while (state_in(task(getpid(), tid, "stat")) != 'S') sched_yield();
    equal("own state", state_in(task(getpid(), getpid(), "stat")), 'R');
    end.pass();
    other.join();
    // The one who joins is told a little before the thread is quite gone.
    while (!task(getpid(), tid, "stat").empty()) sched_yield();
    equal("one left", count_tasks(getpid()), 1);
    equal("tasks of no process", count_tasks(99999), -1);
}

void test_priorities() {
    Gate ready, end;
    std::atomic<pid_t> tid = 0;
    std::thread other([&] {
        tid = own_tid();
        ready.pass();
        end.wait();
    });
    ready.wait();
    succeeds("setpriority of one thread", setpriority(PRIO_PROCESS, tid, 7));
    equal("it has it", getpriority(PRIO_PROCESS, tid), 7);
    equal("the other has not", getpriority(PRIO_PROCESS, 0), 0);
    end.pass();
    other.join();
}

}  // namespace

int main() {
    test_leader_ends_first();
    test_exec();
    test_fork();
    test_signals();
    test_task_files();
    test_priorities();
    return done();
}
