// What ipcs and ipcrm stand on and what they print: the _INFO and _STAT commands of System V IPC, its
// files in /proc, the limits in /proc/sys/kernel; removal by id and key; and who may.
// Spec: msgctl(2), semctl(2), shmctl(2), proc(5), sysvipc(7).
// boot: its own, where ids begin at 0
// needs: wing
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include <algorithm>

#include "tests/guest/check.hpp"

using namespace check;

namespace {

union SemaphoreArgument {
    int value;
    semid_ds* status;
    seminfo* info;
};

struct Outcome {
    int status;
    std::string text;
    bool has(std::string_view part) const { return text.find(part) != std::string::npos; }
};
Outcome run(const std::string& command) {
    Outcome outcome;
    FILE* out = popen((command + " 2>&1").c_str(), "r");
    char line[256];
    while (fgets(line, sizeof line, out)) outcome.text += line;
    outcome.status = WEXITSTATUS(pclose(out));
    return outcome;
}
std::string contents(const char* path) { return run(std::string("cat ") + path).text; }

struct Objects {
    int queue = needs("msgget", msgget(0x1234, IPC_CREAT | 0640));
    int segment = needs("shmget", shmget(0x2345, 5000, IPC_CREAT | 0604));
    int set = needs("semget", semget(0x3456, 3, IPC_CREAT | 0600));
};

void test_info(const Objects& objects) {
    msginfo messages = {};
    const int highest = msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&messages));
    equal("MSG_INFO: queues", messages.msgpool, 1);
    equal("messages", messages.msgmap, 1);
    equal("bytes", messages.msgtql, 5);
    msqid_ds queue = {};
    equal("MSG_STAT of the last slot", msgctl(highest, MSG_STAT, &queue), objects.queue);
    equal("its key", queue.msg_perm.__key, 0x1234);
    equal("its bytes", queue.__msg_cbytes, 5);
    fails("MSG_STAT beyond", msgctl(highest + 1, MSG_STAT, &queue), EINVAL);
    needs("IPC_INFO", msgctl(0, IPC_INFO, reinterpret_cast<msqid_ds*>(&messages)));
    equal("msgmax", messages.msgmax, std::stol(contents("/proc/sys/kernel/msgmax")));
    equal("msgmnb", messages.msgmnb, std::stol(contents("/proc/sys/kernel/msgmnb")));
    equal("msgmni", messages.msgmni, std::stol(contents("/proc/sys/kernel/msgmni")));

    shm_info use = {};
    const int last = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&use));
    equal("SHM_INFO: segments", use.used_ids, 1);
    equal("pages", use.shm_tot, 2);
    shmid_ds segment = {};
    equal("SHM_STAT", shmctl(last, SHM_STAT, &segment), objects.segment);
    equal("its size", segment.shm_segsz, 5000);
    shminfo limits = {};
    needs("IPC_INFO", shmctl(0, IPC_INFO, reinterpret_cast<shmid_ds*>(&limits)));
    equal("shmmax", limits.shmmax, std::stoul(contents("/proc/sys/kernel/shmmax")));
    equal("shmmni", limits.shmmni, std::stoul(contents("/proc/sys/kernel/shmmni")));
    equal("shmall", limits.shmall, std::stoul(contents("/proc/sys/kernel/shmall")));

    seminfo info = {};
    SemaphoreArgument argument = {};
    argument.info = &info;
    const int top = semctl(0, 0, SEM_INFO, argument);
    equal("SEM_INFO: sets", info.semusz, 1);
    equal("semaphores", info.semaem, 3);
    semid_ds status = {};
    argument.status = &status;
    equal("SEM_STAT", semctl(top, 0, SEM_STAT, argument), objects.set);
    equal("its size", status.sem_nsems, 3);
    int numbers[4];
    equal("/proc/sys/kernel/sem",
          sscanf(contents("/proc/sys/kernel/sem").c_str(), "%d\t%d\t%d\t%d", &numbers[0],
                 &numbers[1], &numbers[2], &numbers[3]),
          4);
    equal("semmsl", numbers[0], info.semmsl);
    equal("semmni", numbers[3], info.semmni);
}

void test_listing(const Objects& objects) {
    Outcome all = run("ipcs");
    equal("ipcs", all.status, 0);
    char line[80];
    snprintf(line, sizeof line, "0x00001234 %-10d root       640        5            1",
             objects.queue);
    that("the queue", all.has(line));
    snprintf(line, sizeof line, "0x00002345 %-10d root       604        5000       0",
             objects.segment);
    that("the segment", all.has(line));
    snprintf(line, sizeof line, "0x00003456 %-10d root       600        3", objects.set);
    that("the set", all.has(line));
    that("only queues", !run("ipcs -q").has("0x00002345") && run("ipcs -q").has("0x00001234"));
    that("limits", run("ipcs -l").has("max semaphores per array = "));
    that("use", run("ipcs -u").has("used headers = 1"));
    that("owners", run("ipcs -c").has(" 640        0          0          0          0\n"));
    const std::string self = " " + std::to_string(getpid());
    that("the sender", run("ipcs -q -p").has("root      " + self));
    that("the segment's maker", run("ipcs -m -p").has("root      " + self));
    that("times", run("ipcs -t").has("Not set"));
    equal("an unknown option", run("ipcs -X").status, 1);
    for (const char* file : {"msg", "shm", "sem"}) {
        const std::string text = contents((std::string("/proc/sysvipc/") + file).c_str());
        equal("/proc/sysvipc: a heading and one line", std::count(text.begin(), text.end(), '\n'),
              2);
    }
    exits("others", 0, [] {
        needs("setuid", setgid(100) | setuid(100));
        Outcome theirs = run("ipcs");
        that("see what they may read", theirs.has("0x00002345"));
        that("and nothing else", !theirs.has("0x00001234") && !theirs.has("0x00003456"));
        equal("may remove nothing", run("ipcrm -Q 0x1234").status, 1);
        return done();
    });
}

bool set(const char* name, const char* value) {
    const int fd = needs(name, open((std::string("/proc/sys/kernel/") + name).c_str(), O_WRONLY));
    const bool written = write(fd, value, strlen(value)) > 0;
    close(fd);
    return written;
}

void test_limits() {
    that("msgmax", set("msgmax", "20000") && set("msgmnb", "65536"));
    const int queue = needs("msgget", msgget(IPC_PRIVATE, 0600));
    const std::string large(4 + 20001, '\1');
    succeeds("a larger message", msgsnd(queue, large.data(), 20000, IPC_NOWAIT));
    fails("one too large", msgsnd(queue, large.data(), 20001, IPC_NOWAIT), EINVAL);
    needs("msgctl", msgctl(queue, IPC_RMID, nullptr));
    that("msgmni", set("msgmni", "1"));
    fails("no more queues", msgget(IPC_PRIVATE, 0600), ENOSPC);
    that("shmmax", set("shmmax", "10000"));
    fails("a segment too large", shmget(IPC_PRIVATE, 10001, 0600), EINVAL);
    that("shmall", set("shmall", "3"));
    fails("pages too many", shmget(IPC_PRIVATE, 8192, 0600), ENOSPC);
    that("sem", set("sem", "4 6 2 9"));
    fails("a set too large", semget(IPC_PRIVATE, 5, 0600), EINVAL);
    fails("semaphores too many", semget(IPC_PRIVATE, 4, 0600), ENOSPC);
    sembuf operations[3] = {};
    fails("operations too many", semop(0, operations, 3), E2BIG);
    same("as set", contents("/proc/sys/kernel/sem"), "4\t6\t2\t9\n");
    that("no number", !set("msgmax", "x"));
    that("more than it may be", !set("shmmni", "32769"));
    that("five numbers", !set("sem", "1 2 3 4 5"));
    that("back", set("msgmax", "8192") && set("msgmnb", "16384") && set("msgmni", "32768") &&
                     set("shmmax", "4278190079") && set("shmall", "4294967295") &&
                     set("sem", "32000 1073741824 500 32768"));
    exits("others", 0, [] {
        needs("setuid", setuid(100));
        fails("may not", open("/proc/sys/kernel/msgmax", O_WRONLY), EACCES);
        return done();
    });
}

void test_removal(const Objects& objects) {
    equal("a queue by id", run("ipcrm -q " + std::to_string(objects.queue)).status, 0);
    Outcome again = run("ipcrm -q " + std::to_string(objects.queue));
    equal("again", again.status, 1);
    that("why not", again.has("Invalid argument"));
    fails("is gone", msgsnd(objects.queue, "\1\0\0\0abc", 3, 0), EINVAL);
    const int next = needs("msgget", msgget(0x1234, IPC_CREAT | 0600));
    that("the next has another id", next != objects.queue);
    fails("and is not reached by the old one", msgsnd(objects.queue, "\1\0\0\0abc", 3, 0), EINVAL);
    equal("a queue by key", run("ipcrm -Q 0x1234").status, 0);
    equal("a segment and a set at once", run("ipcrm -M 0x2345 -S 0x3456").status, 0);
    equal("the older form", run("ipcrm sem " + std::to_string(semget(0x9, 1, IPC_CREAT))).status,
          0);
    equal("no number", run("ipcrm -s x").status, 1);
    equal("nothing", run("ipcrm").status, 1);
    const Outcome rest = run("ipcs");
    that("nothing is left", !rest.has("0x0000"));
}

}  // namespace

int main() {
    Objects objects;
    struct {
        long type;
        char text[5];
    } message = {1, {'h', 'e', 'l', 'l', 'o'}};
    needs("msgsnd", msgsnd(objects.queue, &message, 5, 0));
    test_info(objects);
    test_listing(objects);
    test_limits();
    test_removal(objects);
    return done();
}
