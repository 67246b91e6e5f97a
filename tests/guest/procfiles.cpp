// What /proc tells of descriptors, locks, signals and CPUs, and the preference for running out of
// memory. Spec: proc(5), getrlimit(2).
// needs: wing
// boot: it uses all memory up
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

std::string content(const std::string& path) {
    std::string text;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char buffer[4096];
    for (ssize_t got; fd >= 0 && (got = read(fd, buffer, sizeof buffer)) > 0;)
        text.append(buffer, size_t(got));
    if (fd >= 0) close(fd);
    return text;
}

// The rest of the line that begins with `word`.
std::string field(const std::string& text, const std::string& word) {
    const size_t at = ("\n" + text).find("\n" + word);
    if (at == text.npos) return "(no " + word + ")";
    const size_t from = at + word.size();
    return text.substr(from, text.find('\n', from) - from);
}
std::string status(const std::string& word) {
    return field(content("/proc/self/status"), word + ":\t");
}

int put(const char* path, std::string_view text) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int error = write(fd, text.data(), text.size()) < 0 ? errno : 0;
    close(fd);
    return error;
}

void test_descriptors() {
    const int fd = needs("open", open("/tmp/procfiles", O_RDWR | O_CREAT | O_APPEND, 0600));
    needs("write", write(fd, "0123456789", 10));
    lseek(fd, 7, SEEK_SET);
    const std::string told = content("/proc/self/fdinfo/" + std::to_string(fd));
    same("position", field(told, "pos:\t"), "7");
    equal("flags", stoll(field(told, "flags:\t"), nullptr, 8) & (O_ACCMODE | O_APPEND),
          O_RDWR | O_APPEND);
    equal("a look moves nothing", lseek(fd, 0, SEEK_CUR), 7);
    struct stat there;
    equal("a closed one", stat("/proc/self/fdinfo/77", &there), -1);
    equal("FDSize covers them", stoi(status("FDSize")) > fd, 1);
    dup2(fd, 700);
    equal("FDSize grows", stoi(status("FDSize")), 1024);
    close(700);

    struct flock range = {};
    range.l_type = F_WRLCK, range.l_start = 3, range.l_len = 4;
    succeeds("lock", fcntl(fd, F_SETLK, &range));
    fstat(fd, &there);
    char line[80];
    snprintf(line, sizeof line, "POSIX  ADVISORY  WRITE %d", getpid());
    const std::string locks = content("/proc/locks");
    that("/proc/locks: the process", locks.find(line) != locks.npos);
    snprintf(line, sizeof line, ":%llu 3 6\n", (unsigned long long)there.st_ino);
    that("/proc/locks: file and range", locks.find(line) != locks.npos);
    close(fd);
    that("and gone with it", content("/proc/locks").find(line) == locks.npos);
    unlink("/tmp/procfiles");
}

void test_status() {
    const std::string before = status("SigQ");
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    for (int i = 0; i < 3; ++i) sigqueue(getpid(), SIGRTMIN, {});
    equal("queued signals", stoi(status("SigQ")) - stoi(before), 3);
    for (int i = 0; i < 3; ++i) sigwaitinfo(&set, nullptr);
    same("and taken", status("SigQ"), before);

    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);
    succeeds("affinity", sched_setaffinity(0, sizeof cpus, &cpus));
    same("Cpus_allowed_list", status("Cpus_allowed_list"), "0");
    that("all rights", stoull(status("CapEff"), nullptr, 16) != 0);
    exits("another user has none, but may get them", 0, [] {
        return setresuid(1, 1, 1) || stoull(status("CapEff"), nullptr, 16) ||
               !stoull(status("CapBnd"), nullptr, 16);
    });
}

void test_numbers() {
    const std::string one = content("/proc/sys/kernel/random/uuid");
    equal("a UUID", long(one.size()), 37);
    that("of version 4", one[14] == '4' && strchr("89ab", one[19]));
    that("another each time", one != content("/proc/sys/kernel/random/uuid"));
    same("but one for this boot", content("/proc/sys/kernel/random/boot_id"),
         content("/proc/sys/kernel/random/boot_id"));
    const auto most = rlim_t(stoul(content("/proc/sys/fs/nr_open")));
    const rlimit enough = {1024, most}, more = {1024, most + 1};
    succeeds("as many descriptors as nr_open", setrlimit(RLIMIT_NOFILE, &enough));
    fails("and no more", setrlimit(RLIMIT_NOFILE, &more), EPERM);
}

const char* kBias = "/proc/self/oom_score_adj";

void test_bias() {
    same("at first", content(kBias), "0\n");
    equal("out of range", put(kBias, "1001"), EINVAL);
    equal("no number", put(kBias, "many"), EINVAL);
    exits("inherited; a user may raise it, and take that back", 0, [] {
        if (put(kBias, "300")) return 1;
        if (status_of([] { return content(kBias) != "300\n"; })) return 2;
        const std::string own = "/proc/" + std::to_string(getpid()) + "/oom_score_adj";
        // A set-id change makes /proc's files the superuser's: the open descriptor still writes.
        const int fd = open(own.c_str(), O_RDWR);
        if (setresuid(1, 1, 1)) return 3;
        if (write(fd, "200", 3) != -1 || errno != EACCES) return 4;
        if (write(fd, "400", 3) != 3) return 5;
        return write(fd, "300", 3) == 3 ? 0 : 6;
    });
}

// A small process offers itself: it ends before the one that takes all memory.
void test_choice() {
    if (getenv("ORRERY_TEST_ON_LINUX")) return;  // a host keeps its memory
    const pid_t small = start([] {
        put(kBias, "1000");
        for (;;) pause();
        return 0;
    });
    const pid_t spared = start([] {
        put(kBias, "-1000");
        for (;;) pause();
        return 0;
    });
    const pid_t greedy = start([] {
        for (;;) {
            auto* memory = static_cast<char*>(
                mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
            if (memory == MAP_FAILED) pause();
            for (int i = 0; i < 1 << 20; i += 4096) memory[i] = 1;
        }
        return 0;
    });
    int status = 0;
    equal("the first to end", wait(&status), small);
    equal("by SIGKILL", WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL);
    equal("then the greedy one", wait(&status), greedy);
    equal("the other is spared", waitpid(spared, &status, WNOHANG), 0);
    kill(spared, SIGKILL);
    waitpid(spared, &status, 0);
}

// What programs look for before they go on.
void test_looked_for() {
    same("cgroup", content("/proc/self/cgroup"), "0::/\n");
    that("file-max", stoul(content("/proc/sys/fs/file-max")) >= 1'000'000);
    const char* swappiness = "/proc/sys/vm/swappiness";
    const std::string before = content(swappiness);
    equal("swappiness", put(swappiness, "200"), 0);
    same("is set", content(swappiness), "200\n");
    equal("and has bounds", put(swappiness, "201"), EINVAL);
    put(swappiness, before);

    const size_t bytes = 16u << 20;
    const int score = stoi(content("/proc/self/oom_score"));
    void* more = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    that("oom_score grows with what one has", stoi(content("/proc/self/oom_score")) >= score + 1);
    munmap(more, bytes);
    put("/proc/self/oom_score_adj", "500");
    that("and with the preference", stoi(content("/proc/self/oom_score")) >= 500);
    put("/proc/self/oom_score_adj", "-1000");
    same("with the least it is nothing", content("/proc/self/oom_score"), "0\n");
    put("/proc/self/oom_score_adj", "0");
    same("init has none", content("/proc/1/oom_score"), "0\n");
}

// A text is as long as what it tells of: here of 16,000 regions, which is 10 MB.
void test_long_text() {
    constexpr size_t kPages = 16'000;
    char* pages = static_cast<char*>(
        mmap(nullptr, kPages * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t i = 0; i < kPages; i += 2) mprotect(pages + i * 4096, 4096, PROT_READ);
    const std::string told = content("/proc/self/smaps");
    size_t regions = 0;
    for (size_t at = 0; (at = told.find("VmFlags:", at)) != told.npos; ++at) ++regions;
    that("all regions", regions >= kPages);
    that("in more than a run of frames holds", told.size() > 5'000'000);
    that("to the end", told.find("[stack]") != told.npos && told.ends_with('\n'));
    munmap(pages, kPages * 4096);
}

}  // namespace

int main() {
    test_long_text();
    test_looked_for();
    test_descriptors();
    test_status();
    test_numbers();
    test_bias();
    test_choice();
    return done();
}
