// Who may look into a process, and whom a file of /proc acts on. This program runs itself again in
// several roles, also as a set-user-id program that a user starts.
// Spec: ptrace(2), access mode checking; prctl(2), PR_SET_DUMPABLE; proc(5); prlimit(2).
// needs: wing
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/uapi/page_walk.h"
#include "tests/guest/check.hpp"

namespace {

using namespace check;

constexpr uid_t kUser = 1000;
constexpr const char* kProgram = "/tmp/access.d/program";

int run(const char* role, const char* argument = "") {
    execl(kProgram, kProgram, role, argument, nullptr);
    return 100;
}

void become_user() {
    needs("setgid", setresgid(kUser, kUser, kUser));
    needs("setuid", setresuid(kUser, kUser, kUser));
}

std::string in_proc(pid_t process, const char* name) {
    return "/proc/" + std::to_string(process) + "/" + name;
}

// 0, or why the file of that process cannot be opened and read.
int error_of(pid_t process, const char* name) {
    const int fd = open(in_proc(process, name).c_str(), O_RDONLY);
    if (fd < 0) return errno;
    char bytes[16];
    const ssize_t got = read(fd, bytes, sizeof bytes);
    const int error = got < 0 ? errno : 0;
    close(fd);
    return error;
}
int link_error_of(pid_t process, const char* name) {
    char bytes[256];
    return readlink(in_proc(process, name).c_str(), bytes, sizeof bytes) < 0 ? errno : 0;
}

// By a user: either everything that shows the inside of a process, or nothing.
void inspects(const std::string& who, pid_t process, int wanted) {
    for (const char* name :
         {"maps", "smaps", "smaps_rollup", "environ", "pagemap", "page_walk", "auxv"})
        equal(who + ": " + name, error_of(process, name), wanted);
    for (const char* name : {"exe", "cwd", "root", "fd/0"})
        equal(who + ": " + name, link_error_of(process, name), wanted);
    DIR* folder = opendir(in_proc(process, "fd").c_str());
    equal(who + ": fd", folder ? 0 : errno, wanted);
    if (folder) closedir(folder);
    for (const char* name : {"stat", "status", "cmdline", "comm", "limits", "mounts"})
        equal(who + ": " + name + ", for all", error_of(process, name), 0);
    void* head;
    size_t bytes;
    const long list = syscall(SYS_get_robust_list, process, &head, &bytes);
    equal(who + ": robust list", list < 0 ? errno : 0, wanted ? EPERM : 0);
}

// A child in PREPARE's state, inspected by one of its user's other processes.
template <typename Prepare>
void inspected(const std::string& who, int wanted, Prepare prepare) {
    Gate ready;
    const pid_t target = start([&] {
        become_user();
        prepare();
        ready.pass();
        pause();
        return 0;
    });
    ready.wait();
    exits(who, 0, [&] {
        become_user();
        inspects(who, target, wanted);
        return done();
    });
    kill(target, SIGKILL);
    wait_for(target);
}

void test_dumpable() {
    inspected("rights given up", EACCES, [] {});
    inspected("made dumpable again", 0, [] { prctl(PR_SET_DUMPABLE, 1); });
    inspected("not dumpable by its own wish", EACCES, [] {
        prctl(PR_SET_DUMPABLE, 1);
        prctl(PR_SET_DUMPABLE, 0);
    });
    exits("ids that stay keep it", 1, [] {
        prctl(PR_SET_DUMPABLE, 1);
        setresuid(0, 0, 0);
        return prctl(PR_GET_DUMPABLE);
    });
    exits("its own are its own", 0, [] {
        become_user();
        return error_of(getpid(), "environ") + error_of(getpid(), "maps");
    });
}

// A process of the user that runs KIND of program in role "hold", which says through fd 0 that it runs.
void test_programs() {
    const struct {
        const char* name;
        mode_t mode;
        int wanted;
    } kinds[] = {{"a program", 0755, 0},
                 {"set-user-id program", 04755, EACCES},
                 {"set-group-id program", 02755, EACCES},
                 {"unreadable program", 0711, EACCES}};
    for (const auto& kind : kinds) {
        needs("chmod", chmod(kProgram, kind.mode));
        exits(kind.name, 0, [&] {
            become_user();
            int ends[2];
            needs("pipe", pipe(ends));
            const pid_t target = start([&] {
                dup2(ends[1], 0);
                return run("hold");
            });
            char ready;
            needs("ready", read(ends[0], &ready, 1));
            inspects(kind.name, target, kind.wanted);
            const rlimit limit = {100, 100};
            const int error = prlimit(target, RLIMIT_FSIZE, &limit, nullptr) ? errno : 0;
            const bool other = kind.mode & 06000;
            equal(std::string(kind.name) + ": prlimit", error, other ? EPERM : 0);
            kill(target, SIGKILL);
            wait_for(target);
            return done();
        });
    }
}

// What was opened while a process ran one program shows nothing of the next.
void test_opened_before() {
    needs("chmod", chmod(kProgram, 04755));
    exits("opened before exec", 0, [] {
        become_user();
        prctl(PR_SET_DUMPABLE, 1);
        int ends[2];
        needs("pipe", pipe(ends));
        Gate go;
        const pid_t target = start([&] {
            dup2(ends[1], 0);
            go.wait();
            return run("hold");
        });
        const char* const names[] = {"maps", "environ", "pagemap", "page_walk", "smaps"};
        int files[5];
        for (int i = 0; i < 5; ++i)
            files[i] = needs(names[i], open(in_proc(target, names[i]).c_str(), O_RDONLY));
        go.pass();
        char bytes[16];
        needs("ready", read(ends[0], bytes, 1));
        for (int i = 0; i < 5; ++i) that(names[i], read(files[i], bytes, sizeof bytes) <= 0);
        kill(target, SIGKILL);
        wait_for(target);
        return done();
    });
}

// A set-user-id program whose output leads to a file that acts on its writer.
void test_redirected() {
    const struct {
        const char *file, *text;
    } cases[] = {
        {"/proc/tlb", "flush"}, {"/proc/paging", "off"}, {"/proc/sys/kernel/sched/jobs", "1000"}};
    for (const auto& c : cases) {
        exits(std::string("led to ") + c.file, EPERM, [&] {
            become_user();
            dup2(needs(c.file, open(c.file, O_WRONLY)), 1);
            return run("say", c.text);
        });
        exits(std::string("by its opener: ") + c.file, 0, [&] {
            become_user();
            const int fd = needs(c.file, open(c.file, O_WRONLY));
            return write(fd, c.text, strlen(c.text)) < 0 ? errno : 0;
        });
    }
}

// What tells of other processes or of memory is for the superuser.
void test_machine_files() {
    exits("files about all", 0, [] {
        become_user();
        for (const char* name : {"/proc/trace", "/proc/trace_raw", "/proc/heap_owners"})
            fails(name, open(name, O_RDONLY), EACCES);
        for (const char* name : {"/proc/sysrq-trigger", "/proc/sys/vm/drop_caches",
                                 "/proc/sys/kernel/sched/policy", "/proc/deadlock"})
            fails(name, open(name, O_WRONLY), EACCES);
        static int word = 1;
        page_walk record{};
        const int fd = needs("page_walk", open("/proc/self/page_walk", O_RDONLY));
        const off64_t at = off64_t{reinterpret_cast<unsigned>(&word) >> 12} * sizeof record;
        needs("record", pread64(fd, &record, sizeof record, at));
        that("mapped", record.lower & 1);
        equal("frames are not told", (record.directory | record.upper | record.lower) >> 12, 0);
        return done();
    });
}

int play(std::string_view role, const char* argument) {
    if (role == "hold") {
        if (write(0, "r", 1) != 1) return 1;
        pause();
        return 0;
    }
    if (role == "say") return write(1, argument, strlen(argument)) < 0 ? errno : 0;
    return 99;
}

void copy_program() {
    mkdir("/tmp/access.d", 0755);
    unlink(kProgram);
    const int from = needs("self", open("/proc/self/exe", O_RDONLY));
    const int to = needs("copy", open(kProgram, O_WRONLY | O_CREAT | O_EXCL, 0755));
    char bytes[65536];
    for (ssize_t got; (got = needs("read", read(from, bytes, sizeof bytes))) > 0;)
        needs("write", write(to, bytes, got));
    close(to);
}

}  // namespace

int main(int argc, char* argv[]) {
    if (argc > 2) return play(argv[1], argv[2]);
    copy_program();
    test_dumpable();
    test_programs();
    test_opened_before();
    test_redirected();
    test_machine_files();
    unlink(kProgram);
    rmdir("/tmp/access.d");
    return done();
}
