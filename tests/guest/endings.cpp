// Processes that end while they hold something, wait for it, or are half way through a call: see
// endings.hpp. Spec: semop(2), msgop(2), shmop(2), pipe(7), futex(2), fcntl(2), flock(2).
// needs: wing
#include "tests/guest/endings.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "kernel/uapi/resources.h"

namespace {

using namespace check;

// --- semaphores

void change(int set, std::initializer_list<sembuf> operations) {
    semop(set, const_cast<sembuf*>(operations.begin()), operations.size());
}

void test_semaphores() {
    const int set = needs("semget", semget(IPC_PRIVATE, 3, 0600));
    for (int i : {0, 2}) semctl(set, i, SETVAL, 3);
    auto as_before = [=] {
        return semctl(set, 0, GETVAL) == 3 && semctl(set, 1, GETVAL) == 0 &&
               semctl(set, 2, GETVAL) == 3 && semctl(set, 0, GETNCNT) == 0 &&
               semctl(set, 1, GETNCNT) == 0 && semctl(set, 0, GETZCNT) == 0;
    };
    ending(
        "holds a semaphore",
        [=](int) {
            change(set, {{0, -1, SEM_UNDO}}), pause();
        },
        as_before);
    ending(
        "holds several",
        [=](int) {
            change(set, {{0, -1, SEM_UNDO}, {2, -1, SEM_UNDO}}), pause();
        },
        as_before);
    ending(
        "waits for a semaphore",
        [=](int) {
            change(set, {{1, -1, SEM_UNDO}});
        },
        as_before);
    ending(
        "waits for several",
        [=](int) {
            change(set, {{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}});
        },
        as_before);
    ending(
        "waits for zero",
        [=](int) {
            change(set, {{2, -1, SEM_UNDO}, {0, 0, 0}});
        },
        as_before);
    ending(
        "waits for a while",
        [=](int) {
            sembuf operation = {1, -1, 0};
            const timespec long_time = {1000, 0};
            semtimedop(set, &operation, 1, &long_time);
        },
        as_before);
    ending_at_work(
        "P and V",
        [=](int) {
            change(set, {{0, -1, SEM_UNDO}, {2, -2, SEM_UNDO}});
            change(set, {{0, 1, SEM_UNDO}, {2, 2, SEM_UNDO}});
        },
        as_before);
    semctl(set, 0, IPC_RMID);
}

// --- messages and shared memory

struct Letter {
    long type;
    char text[1024];
};

void test_messages() {
    const int full = needs("msgget", msgget(IPC_PRIVATE, 0600));
    const int empty = needs("msgget", msgget(IPC_PRIVATE, 0600));
    Letter letter = {1, {}};
    long letters = 0;
    while (msgsnd(full, &letter, sizeof letter.text, IPC_NOWAIT) == 0) ++letters;
    auto as_before = [=] {
        msqid_ds a, b;
        msgctl(full, IPC_STAT, &a);
        msgctl(empty, IPC_STAT, &b);
        return long(a.msg_qnum) == letters && b.msg_qnum == 0 && b.__msg_cbytes == 0;
    };
    ending(
        "sends to a full mailbox",
        [=](int) {
            Letter mine = {2, {}};
            msgsnd(full, &mine, sizeof mine.text, 0);
        },
        as_before);
    ending(
        "waits for a message",
        [=](int) {
            Letter mine;
            msgrcv(empty, &mine, sizeof mine.text, 0, 0);
        },
        as_before);
    ending_at_work(
        "messages",
        [=](int i) {
            Letter mine = {1, {}};
            if (i)
                msgsnd(empty, &mine, sizeof mine.text, 0);
            else
                msgrcv(empty, &mine, sizeof mine.text, 0, 0);
        },
        [=] {
            Letter mine;
            while (msgrcv(empty, &mine, sizeof mine.text, 0, IPC_NOWAIT) >= 0) {
            }
            return as_before();
        });
    msgctl(full, IPC_RMID, nullptr);
    msgctl(empty, IPC_RMID, nullptr);
}

void test_shared_memory() {
    constexpr int kBytes = 65536;
    const int segment = needs("shmget", shmget(IPC_PRIVATE, kBytes, 0600));
    auto nobody = [=] {
        shmid_ds state;
        return shmctl(segment, IPC_STAT, &state) == 0 && state.shm_nattch == 0;
    };
    ending(
        "has a segment", [=](int) { memset(shmat(segment, nullptr, 0), 1, kBytes), pause(); },
        nobody);
    ending(
        "has one that is removed",
        [=](int) {
            const int own = shmget(IPC_PRIVATE, kBytes, 0600);
            char* at = static_cast<char*>(shmat(own, nullptr, 0));
            shmctl(own, IPC_RMID, nullptr);
            memset(at, 1, kBytes);
            pause();
        },
        nobody);
    ending_at_work(
        "attaching and detaching",
        [=](int) {
            void* at = shmat(segment, nullptr, 0);
            memset(at, 2, 4096);
            shmdt(at);
        },
        nobody);
    shmctl(segment, IPC_RMID, nullptr);
}

// --- pipes and the like

void test_pipes() {
    int pipe_ends[2];
    needs("pipe", pipe(pipe_ends));
    const int from = pipe_ends[0], to = pipe_ends[1];
    ending("reads from an empty pipe", [=](int) { read(from, bytes, 1); });
    ending("waits with poll", [=](int) {
        pollfd polled[] = {{from, POLLIN, 0}, {to, POLLERR, 0}};
        poll(polled, 2, -1);
    });
    ending("waits with select", [=](int) {
        fd_set in;
        FD_ZERO(&in);
        FD_SET(from, &in);
        select(from + 1, &in, nullptr, nullptr, nullptr);
    });
    const int counter = needs("eventfd", eventfd(0, 0));
    ending("waits for a counter", [=](int) {
        uint64_t value;
        read(counter, &value, sizeof value);
    });
    close(counter);
    ending(
        "is half way through a write",
        [=](int) {
            for (int i = 0; i < 64; ++i) write(to, bytes, sizeof bytes);
        },
        [=] { return drain(from), true; });
    mkfifo("/tmp/endings.fifo", 0600);
    ending("waits for a FIFO's reader", [](int) { open("/tmp/endings.fifo", O_WRONLY); });
    ending("waits for a FIFO's writer", [](int) { open("/tmp/endings.fifo", O_RDONLY); });
    unlink("/tmp/endings.fifo");
    ending_at_work(
        "a pipe",
        [=](int i) {
            if (i)
                write(to, bytes, 3000);
            else
                read(from, bytes, 5000);
        },
        [=] { return drain(from), true; });
    close(from);
    close(to);
}

// --- locks

struct Shared {
    pthread_mutex_t mutex;
    pthread_mutex_t plain;
};

void test_mutexes() {
    auto& shared = *static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&shared.plain, &attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared.mutex, &attributes);
    auto lock = [&] {
        const int result = pthread_mutex_lock(&shared.mutex);
        if (result == EOWNERDEAD) pthread_mutex_consistent(&shared.mutex);
        return result == 0 || result == EOWNERDEAD;
    };
    auto can_be_locked = [&] { return lock() && pthread_mutex_unlock(&shared.mutex) == 0; };
    pthread_mutex_lock(&shared.plain);
    ending("waits for a futex", [&](int) { pthread_mutex_lock(&shared.plain); });
    ending(
        "holds a robust mutex, or waits for it", [&](int) { lock(), pause(); }, can_be_locked);
    ending_at_work(
        "a robust mutex", [&](int) { lock(), pthread_mutex_unlock(&shared.mutex); }, can_be_locked);
    munmap(&shared, sizeof shared);
}

int record_lock(int fd, int command, short type) {
    struct flock lock = {};
    lock.l_type = type;
    lock.l_len = 10;
    return fcntl(fd, command, &lock);
}

void test_file_locks() {
    const char* name = "/tmp/endings.lock";
    const int file = needs("a file", open(name, O_RDWR | O_CREAT, 0600));
    auto locks_with = [=](int command) {
        return [=] {
            return record_lock(file, command, F_WRLCK) == 0 &&
                   record_lock(file, command, F_UNLCK) == 0;
        };
    };
    ending(
        "has a record lock, or waits", [=](int) { record_lock(file, F_SETLKW, F_WRLCK), pause(); },
        locks_with(F_SETLK));
    ending_at_work(
        "record locks",
        [=](int) {
            record_lock(file, F_SETLKW, F_WRLCK);
            record_lock(file, F_SETLKW, F_UNLCK);
        },
        locks_with(F_SETLK));
    ending(
        "has an open file's lock, or waits",
        [=](int) {
            record_lock(open(name, O_RDWR), F_OFD_SETLKW, F_WRLCK);
            pause();
        },
        locks_with(F_OFD_SETLK));
    auto flocked = [=] { return flock(file, LOCK_EX | LOCK_NB) == 0 && flock(file, LOCK_UN) == 0; };
    ending(
        "has flock(), or waits", [=](int) { flock(open(name, O_RDWR), LOCK_EX), pause(); },
        flocked);
    ending_at_work(
        "flock()",
        [=](int) {
            const int own = open(name, O_RDWR);
            flock(own, LOCK_EX);
            close(own);
        },
        flocked);
    close(file);
    unlink(name);
}

// --- the resource manager

void test_resources(const char* strategy) {
    write_file("/proc/sys/kernel/deadlock/strategy", strategy);
    const int keeper = needs("/dev/resources", open("/dev/resources", O_RDWR));
    res_type type = {"disk", 1, 0, 1, 0};
    needs("a type", ioctl(keeper, RES_ADD_TYPE, &type));
    auto request = [](int party) {
        res_amount amount = {0, 1};
        res_list list = {1, &amount};
        ioctl(party, RES_CLAIM, &list);
        ioctl(party, RES_REQUEST, &list);
    };
    auto nothing_held = [] {
        const std::string state = read_file("/proc/deadlock");
        return state.find("type 0 disk units 1 available 1") != state.npos &&
               state.find("\nparty") == state.rfind("\nparty");  // the keeper only
    };
    ending(
        std::string("has a unit, or waits: ") + strategy,
        [=](int) {
            request(open("/dev/resources", O_RDWR));
            pause();
        },
        nothing_held);
    ending_at_work(
        std::string("units: ") + strategy,
        [=](int) {
            const int party = open("/dev/resources", O_RDWR);
            request(party);
            close(party);
        },
        nothing_held);
    close(keeper);
}

}  // namespace

int main() {
    fill_caches();
    test_semaphores();
    test_messages();
    test_shared_memory();
    test_pipes();
    test_mutexes();
    test_file_locks();
    const std::string before = chosen("/proc/sys/kernel/deadlock/strategy");
    for (const char* strategy : {"none", "preempt", "banker", "detect"}) test_resources(strategy);
    write_file("/proc/sys/kernel/deadlock/strategy", before.c_str());
    return done();
}
