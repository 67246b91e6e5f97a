// System V IPC: semaphore sets, shared memory, message queues; ids, permissions, removal, death of
// processes. Spec: svipc(7), semop(2), semctl(2), shmop(2), shmctl(2), msgop(2), msgctl(2).
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "tests/guest/check.hpp"

namespace {

using namespace check;

union semun {
    int val;
    semid_ds* buf;
    unsigned short* array;
};

int op(int id, int number, int change, int flags = 0) {
    sembuf b = {static_cast<unsigned short>(number), static_cast<short>(change),
                static_cast<short>(flags)};
    return semop(id, &b, 1);
}
int value(int id, int number) { return semctl(id, number, GETVAL); }

void test_sets() {
    int id = semget(0x51, 3, IPC_CREAT | 0600);
    succeeds("semget", id);
    fails("exclusive", semget(0x51, 3, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    equal("the same", semget(0x51, 0, 0), id);
    fails("more than it has", semget(0x51, 4, 0), EINVAL);
    fails("no such key", semget(0x52, 1, 0600), ENOENT);
    fails("of nothing", semget(IPC_PRIVATE, 0, 0600), EINVAL);
    unsigned short all[3] = {1, 2, 3}, got[3];
    succeeds("SETALL", semctl(id, 0, SETALL, semun{.array = all}));
    succeeds("GETALL", semctl(id, 0, GETALL, semun{.array = got}));
    that("values", memcmp(all, got, sizeof all) == 0);
    succeeds("V", op(id, 0, 4));
    equal("its value", value(id, 0), 5);
    equal("GETPID", semctl(id, 0, GETPID), getpid());
    fails("too large", op(id, 0, 32767), ERANGE);
    fails("no such semaphore", op(id, 3, 1), EFBIG);
    fails("no such semaphore", semctl(id, 3, GETVAL), EINVAL);
    fails("not now", op(id, 1, -3, IPC_NOWAIT), EAGAIN);
    fails("not zero", op(id, 1, 0, IPC_NOWAIT), EAGAIN);
    sembuf both[2] = {{0, -5, IPC_NOWAIT}, {1, -3, IPC_NOWAIT}};
    fails("both or none", semop(id, both, 2), EAGAIN);
    equal("none", value(id, 0), 5);
    timespec soon = {0, 20000000};
    sembuf p = {1, -3, 0};
    fails("semtimedop", semtimedop(id, &p, 1, &soon), EAGAIN);
    fails("no operations", semop(id, both, 0), EINVAL);
    semid_ds status;
    succeeds("IPC_STAT", semctl(id, 0, IPC_STAT, semun{.buf = &status}));
    equal("size", status.sem_nsems, 3);
    equal("mode", status.sem_perm.mode, 0600);
    exits("permissions", 0, [&] {
        needs("setuid", setuid(1000));
        fails("beyond the set, which goes first", op(id, 3, 1), EFBIG);
        fails("others may not read", semctl(id, 0, GETVAL), EACCES);
        fails("nor get it", semget(0x51, 0, 0600), EACCES);
        fails("nor remove it", semctl(id, 0, IPC_RMID), EPERM);
        return done();
    });
    succeeds("direct number", syscall(SYS_semctl, id, 0, GETVAL, 0));
    succeeds("IPC_RMID", semctl(id, 0, IPC_RMID));
    fails("gone", op(id, 0, 1), EINVAL);
    int next = semget(0x51, 3, IPC_CREAT | 0600);
    that("a new id", next != id);
    fails("the old one stays dead", value(id, 0), EINVAL);
    semctl(next, 0, IPC_RMID);
}

void test_waiting() {
    int id = semget(IPC_PRIVATE, 2, 0600);
    pid_t child = start([&] { return op(id, 0, -2) != 0; });
    wait_until(child);
    equal("GETNCNT", semctl(id, 0, GETNCNT), 1);
    op(id, 0, 1);
    wait_until(child);
    op(id, 0, 1);
    equal("P goes on", wait_for(child), 0);
    op(id, 0, 1);
    child = start([&] { return op(id, 0, 0) != 0; });
    wait_until(child);
    equal("GETZCNT", semctl(id, 0, GETZCNT), 1);
    op(id, 0, -1);
    equal("wait for zero", wait_for(child), 0);
    // The AND semaphore: neither is taken before both can be.
    child = start([&] {
        sembuf both[2] = {{0, -1, 0}, {1, -1, 0}};
        return semop(id, both, 2) != 0;
    });
    wait_until(child);
    op(id, 0, 1);
    equal("the first is not taken alone", value(id, 0), 1);
    op(id, 1, 1);
    equal("both at once", wait_for(child), 0);
    equal("both taken", value(id, 0) + value(id, 1), 0);
    child = start([&] {
        fails("removed", op(id, 0, -1), EIDRM);
        return done();
    });
    wait_until(child);
    semctl(id, 0, IPC_RMID);
    equal("EIDRM", wait_for(child), 0);
    id = semget(IPC_PRIVATE, 1, 0600);
    child = start([&] {
        struct sigaction action = {};
        action.sa_handler = [](int) {};
        action.sa_flags = SA_RESTART;
        sigaction(SIGUSR1, &action, nullptr);
        fails("interrupted, never restarted", op(id, 0, -1), EINTR);
        return done();
    });
    wait_until(child);
    kill(child, SIGUSR1);
    equal("EINTR", wait_for(child), 0);
    semctl(id, 0, IPC_RMID);
}

void test_undo() {
    int id = semget(IPC_PRIVATE, 1, 0600);
    semctl(id, 0, SETVAL, semun{.val = 1});
    Gate held;
    pid_t child = start([&] {
        op(id, 0, -1, SEM_UNDO);
        held.pass();
        pause();
        return 0;
    });
    held.wait();
    equal("taken", value(id, 0), 0);
    pid_t waiter = start([&] { return op(id, 0, -1) != 0; });
    wait_until(waiter);
    kill(child, SIGKILL);
    wait_for(child);
    equal("the killed one's P is undone", wait_for(waiter), 0);
    equal("taken again", value(id, 0), 0);
    semctl(id, 0, IPC_RMID);
}

void test_memory() {
    int id = needs("shmget", shmget(0x53, 10000, IPC_CREAT | 0600));
    fails("larger", shmget(0x53, 20000, 0), EINVAL);
    fails("empty", shmget(IPC_PRIVATE, 0, 0600), EINVAL);
    auto* memory = static_cast<volatile int*>(shmat(id, nullptr, 0));
    that("shmat", memory != reinterpret_cast<void*>(-1));
    equal("zeros", memory[2499], 0);
    memory[0] = 42;
    exits("children have it", 0, [&] {
        memory[1] = memory[0] + 1;
        auto* again = static_cast<volatile int*>(shmat(id, nullptr, SHM_RDONLY));
        equal("another mapping", again[1], 43);
        shmid_ds status;
        shmctl(id, IPC_STAT, &status);
        equal("nattch", status.shm_nattch, 3);
        equal("shmdt", shmdt(const_cast<int*>(again)), 0);
        return done();
    });
    killed("read-only is", SIGSEGV, [&] {
        *static_cast<volatile int*>(shmat(id, nullptr, SHM_RDONLY)) = 1;
        return 0;
    });
    equal("shared", memory[1], 43);
    fails("address not aligned", (long)shmat(id, (void*)0x60000010, 0), EINVAL);
    equal("rounded", (long)shmat(id, (void*)0x60000010, SHM_RND), 0x60000000);
    fails("taken", (long)shmat(id, (void*)0x60000000, 0), EINVAL);
    equal("detach it", shmdt((void*)0x60000000), 0);
    fails("twice", shmdt((void*)0x60000000), EINVAL);
    succeeds("IPC_RMID", shmctl(id, IPC_RMID, nullptr));
    shmid_ds status;
    succeeds("still there", shmctl(id, IPC_STAT, &status));
    equal("SHM_DEST", status.shm_perm.mode & SHM_DEST, SHM_DEST);
    succeeds("SHM_LOCK", shmctl(id, SHM_LOCK, nullptr));
    shmctl(id, IPC_STAT, &status);
    equal("SHM_LOCKED", status.shm_perm.mode & SHM_LOCKED, SHM_LOCKED);
    succeeds("SHM_UNLOCK", shmctl(id, SHM_UNLOCK, nullptr));
    shmctl(id, IPC_STAT, &status);
    equal("no more", status.shm_perm.mode & SHM_LOCKED, 0);
    equal("one attached", status.shm_nattch, 1);
    equal("and usable", memory[0], 42);
    fails("its key is free", shmget(0x53, 0, 0), ENOENT);
    shmdt(const_cast<int*>(memory));
    fails("gone with the last", shmctl(id, IPC_STAT, &status), EINVAL);
}

struct Letter {
    long type;
    char text[64];
};

void test_messages() {
    int id = needs("msgget", msgget(0x54, IPC_CREAT | 0600));
    Letter letter = {};
    for (long type : {3, 1, 2, 1}) {
        letter.type = type;
        letter.text[0] = char('a' + type);
        succeeds("msgsnd", msgsnd(id, &letter, 1 + type, 0));
    }
    msqid_ds status;
    msgctl(id, IPC_STAT, &status);
    equal("msg_qnum", status.msg_qnum, 4);
    equal("msg_cbytes", status.__msg_cbytes, 11);
    constexpr int kCopy = 040000;  // MSG_COPY
    equal("a copy of the first", msgrcv(id, &letter, 64, 0, kCopy | IPC_NOWAIT), 4);
    equal("a copy's type", letter.type, 3);
    equal("of the second", msgrcv(id, &letter, 64, 1, kCopy | IPC_NOWAIT), 2);
    fails("of what isn't there", msgrcv(id, &letter, 64, 99, kCopy | IPC_NOWAIT), ENOMSG);
    fails("too long", msgrcv(id, &letter, 1, 0, kCopy | IPC_NOWAIT), E2BIG);
    equal("a cut copy", msgrcv(id, &letter, 1, 0, kCopy | IPC_NOWAIT | MSG_NOERROR), 1);
    fails("that would wait", msgrcv(id, &letter, 64, 0, kCopy), EINVAL);
    fails("with another flag", msgrcv(id, &letter, 64, 0, kCopy | IPC_NOWAIT | MSG_EXCEPT), EINVAL);
    equal("the first", msgrcv(id, &letter, 64, 0, 0), 4);
    equal("its type", letter.type, 3);
    equal("of a type", msgrcv(id, &letter, 64, 2, 0), 3);
    fails("too long", msgrcv(id, &letter, 1, 1, 0), E2BIG);
    equal("cut", msgrcv(id, &letter, 1, 1, MSG_NOERROR), 1);
    fails("none of the type", msgrcv(id, &letter, 64, 9, IPC_NOWAIT), ENOMSG);
    equal("MSG_COPY", msgrcv(id, &letter, 64, 0, MSG_COPY | IPC_NOWAIT), 2);
    fails("a copy of none", msgrcv(id, &letter, 64, 1, MSG_COPY | IPC_NOWAIT), ENOMSG);
    fails("a copy too long", msgrcv(id, &letter, 1, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
    fails("copies don't wait", msgrcv(id, &letter, 64, 0, MSG_COPY), EINVAL);
    fails("nor exclude", msgrcv(id, &letter, 64, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
    equal("the lowest", msgrcv(id, &letter, 64, -5, 0), 2);
    fails("empty", msgrcv(id, &letter, 64, 0, IPC_NOWAIT), ENOMSG);
    letter.type = 0;
    fails("bad type", msgsnd(id, &letter, 1, 0), EINVAL);
    letter.type = 1;
    fails("too large", msgsnd(id, &letter, 8193, 0), EINVAL);
    fails("bad pointer", msgsnd(id, (void*)8, 1, 0), EFAULT);
    pid_t child = start([&] { return msgrcv(id, &letter, 64, 7, 0) != 5; });
    wait_until(child);
    letter.type = 6;
    msgsnd(id, &letter, 5, 0);
    wait_until(child);
    letter.type = 7;
    msgsnd(id, &letter, 5, 0);
    equal("a waiting receiver", wait_for(child), 0);
    int sent = 0;
    while (msgsnd(id, &letter, 64, IPC_NOWAIT) == 0) ++sent;
    equal("full", errno, EAGAIN);
    equal("at 16 KiB", sent, (16384 - 5) / 64);
    child = start([&] { return msgsnd(id, &letter, 64, 0) != 0; });
    wait_until(child);
    msgrcv(id, &letter, 64, 7, 0);
    equal("a waiting sender", wait_for(child), 0);
    child = start([&] {
        fails("removed", msgsnd(id, &letter, 64, 0), EIDRM);
        return done();
    });
    wait_until(child);
    msgctl(id, IPC_RMID, nullptr);
    equal("EIDRM", wait_for(child), 0);
    fails("gone", msgrcv(id, &letter, 64, 0, 0), EINVAL);
}

void test_many() {
    int ids[300];
    bool all = true;
    for (int& id : ids) all &= (id = semget(IPC_PRIVATE, 1, 0600)) >= 0;
    that("three hundred sets", all);
    FILE* file = fopen("/proc/sysvipc/sem", "r");
    int lines = 0;
    for (int c; (c = getc(file)) != EOF;) lines += c == '\n';
    fclose(file);
    equal("/proc/sysvipc/sem", lines, 301);
    seminfo info;
    equal("SEM_INFO", semctl(0, 0, SEM_INFO, reinterpret_cast<semid_ds*>(&info)), 299);
    equal("in use", info.semusz, 300);
    for (int id : ids) semctl(id, 0, IPC_RMID);
}

}  // namespace

int main() {
    test_sets();
    test_waiting();
    test_undo();
    test_memory();
    test_messages();
    test_many();
    return done();
}
