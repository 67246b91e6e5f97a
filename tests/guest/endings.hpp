// How processes end in endings.cpp and socketendings.cpp, and what must be as before: killed, ended
// by another of their threads, or replaced by a new program. Nothing stays locked, and nothing is
// lost: the kernel's objects and the machine's free pages are counted before and after.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "tests/guest/check.hpp"

inline std::string read_file(const char* path) {
    std::string text;
    char part[512];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t n; (n = read(fd, part, sizeof part)) > 0;) text.append(part, n);
    close(fd);
    return text;
}
inline void write_file(const char* path, const char* text) {
    const int fd = check::needs(path, open(path, O_WRONLY | O_CLOEXEC));
    check::needs(path, write(fd, text, strlen(text)));
    close(fd);
}
// The value in brackets in a file that lists all.
inline std::string chosen(const char* path) {
    const std::string text = read_file(path);
    const size_t open = text.find('[');
    return text.substr(open + 1, text.find(']') - open - 1);
}

// What the kernel has in use.
constexpr int kTogether = 3, kRounds = 2;
struct Use {
    long pages, objects, ids, sockets;
    // An object lost in each round, or a page by each process, would be.
    bool too_much() const { return objects >= kRounds || pages > kRounds || ids || sockets; }
};
inline Use use_now() {
    auto lines = [](const std::string& text) {
        long count = 0;
        for (char c : text) count += c == '\n';
        return count;
    };
    const std::string memory = read_file("/proc/meminfo"), heap = read_file("/proc/heap");
    Use use = {};
    use.pages = -atol(memory.c_str() + memory.find("MemFree:") + 8) / 4;
    for (const std::string file : {"sem", "msg", "shm"})
        use.ids += lines(read_file(("/proc/sysvipc/" + file).c_str()));
    use.sockets = lines(read_file("/proc/net/unix"));
    const size_t last = heap.rfind('\n', heap.size() - 2);
    sscanf(heap.c_str() + last + 1, "%*s %*s %*s %*s %ld", &use.objects);
    return use;
}

inline char bytes[16384];
inline void drain(int fd) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (read(fd, bytes, sizeof bytes) > 0) {
    }
    fcntl(fd, F_SETFL, 0);
}

enum class End { killed, by_a_thread, by_exec };
using Victim = std::function<void(int number)>;

inline char thread_state(int tid) {
    const std::string text =
        read_file(("/proc/self/task/" + std::to_string(tid) + "/stat").c_str());
    const size_t name_end = text.rfind(')');
    return name_end == text.npos ? 0 : text[name_end + 2];
}

// In the child: a second thread does it, and the first ends the process under it.
inline void end_under_it(End how, const Victim& victim, int number, bool at_work) {
    std::atomic<int> tid = 0;
    std::thread other([&] {
        tid = gettid();
        victim(number);
    });
    while (!tid) sched_yield();
    if (at_work)
        usleep(rand() % 2000);
    else
        while (thread_state(tid) != 'S') sched_yield();
    if (how == End::by_exec) execl("/bin/true", "true", nullptr);
    _exit(0);
}

inline void round_of(End how, const Victim& victim, bool at_work) {
    pid_t children[kTogether];
    for (int i = 0; i < kTogether; ++i) {
        rand();  // so that each child's are others
        children[i] = check::start([&] {
            if (how != End::killed) end_under_it(how, victim, i, at_work);
            victim(i);
            return 0;
        });
    }
    if (how == End::killed) {
        for (pid_t child : children)
            if (!at_work) check::wait_until(child);
        if (at_work) usleep(rand() % 4000);
        for (pid_t child : children) kill(child, SIGKILL);
    }
    for (pid_t child : children) check::wait_for(child);
}

// What some rounds lost for good. Caches may grow meanwhile: what is lost is so each time.
inline Use lost_in_rounds(const std::function<void()>& round) {
    Use lost = {};
    for (int attempt = 0; attempt < 3; ++attempt) {
        round();
        const Use before = use_now();
        for (int i = 0; i < kRounds; ++i) round();
        // A thread's stack goes when its CPU is at it again.
        for (int tries = 0; tries < 50; ++tries) {
            const Use after = use_now();
            lost = {after.pages - before.pages, after.objects - before.objects,
                    after.ids - before.ids, after.sockets - before.sockets};
            if (!lost.too_much()) return lost;
            usleep(2000);
        }
    }
    return lost;
}

inline void end_in_all_ways(const std::string& name, const Victim& victim,
                            const std::function<bool()>& as_before, bool at_work) {
    constexpr const char* kWays[] = {"killed", "exit", "exec"};
    bool always = true;
    for (End how : {End::killed, End::by_a_thread, End::by_exec}) {
        const Use lost = lost_in_rounds([&] {
            round_of(how, victim, at_work);
            always &= as_before();
        });
        check::that(name + " (" + kWays[int(how)] + "): objects " + std::to_string(lost.objects) +
                        ", pages " + std::to_string(lost.pages) + ", ids " +
                        std::to_string(lost.ids) + ", sockets " + std::to_string(lost.sockets),
                    !lost.too_much());
    }
    check::that(name + ": all as before", always);
}

inline void fill_caches() {
    for (End how : {End::killed, End::by_a_thread, End::by_exec})
        for (int i = 0; i < 2 * kRounds; ++i)
            round_of(
                how, [](int) { pause(); }, false);
    use_now();
}

// VICTIM, in several processes at once, comes to where it sleeps for good.
inline void ending(
    const std::string& name, const Victim& victim,
    const std::function<bool()>& as_before = [] { return true; }) {
    end_in_all_ways(name, victim, as_before, false);
}
// VICTIM is done again and again, and ended at any moment.
inline void ending_at_work(const std::string& name, const Victim& step,
                           const std::function<bool()>& as_before) {
    end_in_all_ways(
        "at work: " + name,
        [&](int i) {
            for (;;) step(i);
        },
        as_before, true);
}
