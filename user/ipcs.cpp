// ipcs: the System V queues, segments and semaphore sets that there are. In the place of BusyBox's,
// where that was built without it.
//   ipcs [-q] [-m] [-s] [-a] [-l | -u | -c | -p | -t]     message queues, shared memory, semaphores,
//        all; instead of the list -l the limits, -u how much is in use; or -c their owners, -p the
//        processes that used them, -t when
#include <pwd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace {

enum class What { list, limits, use, owners, processes, times };

union SemaphoreArgument {
    int value;
    semid_ds* status;
    unsigned short* values;
    seminfo* info;
};

std::string owner_of(const ipc_perm& permission) {
    std::string name = std::to_string(permission.uid);
    FILE* users = std::fopen("/etc/passwd", "re");
    while (const passwd* user = users ? fgetpwent(users) : nullptr)
        if (user->pw_uid == permission.uid) {
            name = user->pw_name;
            break;
        }
    if (users) std::fclose(users);
    return name;
}

std::string moment(time_t time) {
    char text[32];
    std::strftime(text, sizeof text, "%b %e %H:%M:%S", std::localtime(&time));
    return time ? text : "Not set";
}

void print_owners(const ipc_perm& p, int id) {
    std::printf("%-10d %-10o %-10u %-10u %-10u %u\n", id, p.mode & 0777, p.cuid, p.cgid, p.uid,
                p.gid);
}
void print_processes(const ipc_perm& p, int id, int first, int last) {
    std::printf("%-10d %-10.10s %-10d %d\n", id, owner_of(p).c_str(), first, last);
}

// The columns of `what`, below a title: of the list if it has none of its own.
bool print_title(const char* kind, What what, const char* id, const char* list,
                 const char* processes, const char* times) {
    const char* suffix = what == What::owners      ? " Creators/Owners"
                         : what == What::processes ? " PIDs"
                         : what == What::times     ? " Times"
                                                   : "";
    const char* columns = what == What::processes ? processes : times;
    if (what == What::processes && !processes) return false;  // nobody notes them
    std::printf("\n------ %s%s --------\n", kind, suffix);
    if (what == What::owners)
        std::printf("%-10s perms      cuid       cgid       uid        gid\n", id);
    else if (what == What::list)
        std::printf("key        %-10s owner      perms      %s\n", id, list);
    else
        std::printf("%-10s owner      %s\n", id, columns);
    return true;
}

// The columns that all three lists begin with.
void print_head(const ipc_perm& permission, int id) {
    std::printf("0x%08x %-10d %-10.10s %-10o ", static_cast<unsigned>(permission.__key), id,
                owner_of(permission).c_str(), permission.mode & 0777);
}

// Calls see(slot) for all that may be in use; a kernel without that kind has none.
template <typename F>
void for_slots(int highest, F&& see) {
    for (int slot = 0; slot <= highest; ++slot) see(slot);
}

void show_queues(What what) {
    msginfo info = {};
    const bool limits = what == What::limits;
    const int highest = msgctl(0, limits ? IPC_INFO : MSG_INFO, reinterpret_cast<msqid_ds*>(&info));
    if (limits) {
        std::printf(
            "\n------ Messages: Limits --------\nmax queues system wide = %d\n"
            "max size of message (bytes) = %d\ndefault max size of queue (bytes) = %d\n",
            info.msgmni, info.msgmax, info.msgmnb);
        return;
    }
    if (what == What::use) {
        std::printf(
            "\n------ Messages: Status --------\nallocated queues = %d\n"
            "used headers = %d\nused space = %d bytes\n",
            info.msgpool, info.msgmap, info.msgtql);
        return;
    }
    if (!print_title("Message Queues", what, "msqid", "used-bytes   messages", "lspid      lrpid",
                     "send                 recv                 change"))
        return;
    for_slots(highest, [=](int slot) {
        msqid_ds queue;
        const int id = msgctl(slot, MSG_STAT, &queue);
        if (id < 0) return;
        if (what == What::owners) return print_owners(queue.msg_perm, id);
        if (what == What::processes)
            return print_processes(queue.msg_perm, id, queue.msg_lspid, queue.msg_lrpid);
        if (what == What::times) {
            std::printf("%-10d %-10.10s %-20s %-20s %s\n", id, owner_of(queue.msg_perm).c_str(),
                        moment(queue.msg_stime).c_str(), moment(queue.msg_rtime).c_str(),
                        moment(queue.msg_ctime).c_str());
            return;
        }
        print_head(queue.msg_perm, id);
        std::printf("%-12lu %lu\n", static_cast<unsigned long>(queue.__msg_cbytes),
                    static_cast<unsigned long>(queue.msg_qnum));
    });
}

void show_segments(What what) {
    const auto page = static_cast<unsigned long>(sysconf(_SC_PAGESIZE));
    if (what == What::limits) {
        shminfo info = {};
        shmctl(0, IPC_INFO, reinterpret_cast<shmid_ds*>(&info));
        std::printf(
            "\n------ Shared Memory Limits --------\nmax number of segments = %lu\n"
            "max seg size (kbytes) = %lu\nmax total shared memory (kbytes) = %lu\n"
            "min seg size (bytes) = %lu\n",
            info.shmmni, info.shmmax / 1024, info.shmall * (page / 1024), info.shmmin);
        return;
    }
    shm_info use = {};
    const int highest = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&use));
    if (what == What::use) {
        std::printf(
            "\n------ Shared Memory Status --------\nsegments allocated %d\n"
            "pages allocated %lu\npages resident  %lu\npages swapped   %lu\n",
            use.used_ids, use.shm_tot, use.shm_rss, use.shm_swp);
        return;
    }
    if (!print_title("Shared Memory Segments", what, "shmid", "bytes      nattch     status",
                     "cpid       lpid", "attached             detached             changed"))
        return;
    for_slots(highest, [=](int slot) {
        shmid_ds segment;
        const int id = shmctl(slot, SHM_STAT, &segment);
        if (id < 0) return;
        if (what == What::owners) return print_owners(segment.shm_perm, id);
        if (what == What::processes)
            return print_processes(segment.shm_perm, id, segment.shm_cpid, segment.shm_lpid);
        if (what == What::times) {
            std::printf("%-10d %-10.10s %-20s %-20s %s\n", id, owner_of(segment.shm_perm).c_str(),
                        moment(segment.shm_atime).c_str(), moment(segment.shm_dtime).c_str(),
                        moment(segment.shm_ctime).c_str());
            return;
        }
        print_head(segment.shm_perm, id);
        std::printf("%-10lu %-10lu %s\n", static_cast<unsigned long>(segment.shm_segsz),
                    static_cast<unsigned long>(segment.shm_nattch),
                    segment.shm_perm.mode & SHM_DEST ? "dest" : "");
    });
}

void show_sets(What what) {
    seminfo info = {};
    SemaphoreArgument argument = {};
    argument.info = &info;
    const int highest = semctl(0, 0, what == What::limits ? IPC_INFO : SEM_INFO, argument);
    if (what == What::limits) {
        std::printf(
            "\n------ Semaphore Limits --------\nmax number of arrays = %d\n"
            "max semaphores per array = %d\nmax semaphores system wide = %d\n"
            "max ops per semop call = %d\nsemaphore max value = %d\n",
            info.semmni, info.semmsl, info.semmns, info.semopm, info.semvmx);
        return;
    }
    if (what == What::use) {
        std::printf(
            "\n------ Semaphore Status --------\nused arrays = %d\n"
            "allocated semaphores = %d\n",
            info.semusz, info.semaem);
        return;
    }
    if (!print_title("Semaphore Arrays", what, "semid", "nsems", nullptr,
                     "last-op              last-changed"))
        return;
    for_slots(highest, [=](int slot) {
        semid_ds set;
        SemaphoreArgument to = {};
        to.status = &set;
        const int id = semctl(slot, 0, SEM_STAT, to);
        if (id < 0) return;
        if (what == What::owners) return print_owners(set.sem_perm, id);
        if (what == What::times) {
            std::printf("%-10d %-10.10s %-20s %s\n", id, owner_of(set.sem_perm).c_str(),
                        moment(set.sem_otime).c_str(), moment(set.sem_ctime).c_str());
            return;
        }
        print_head(set.sem_perm, id);
        std::printf("%lu\n", static_cast<unsigned long>(set.sem_nsems));
    });
}

[[noreturn]] void usage(int status) {
    std::fputs("usage: ipcs [-q] [-m] [-s] [-a] [-l | -u | -c | -p | -t]\n",
               status ? stderr : stdout);
    std::exit(status);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "--help") == 0) usage(0);
    bool queues = false, memory = false, semaphores = false;
    What what = What::list;
    for (int option; (option = getopt(argc, argv, "qmsalucpth")) != -1;) switch (option) {
            case 'q': queues = true; break;
            case 'm': memory = true; break;
            case 's': semaphores = true; break;
            case 'a': queues = memory = semaphores = true; break;
            case 'l': what = What::limits; break;
            case 'u': what = What::use; break;
            case 'c': what = What::owners; break;
            case 'p': what = What::processes; break;
            case 't': what = What::times; break;
            case 'h': usage(0);
            default: usage(1);
        }
    if (optind != argc) usage(1);
    const bool all = !queues && !memory && !semaphores;
    if (all || queues) show_queues(what);
    if (all || memory) show_segments(what);
    if (all || semaphores) show_sets(what);
    std::putchar('\n');
    return std::fflush(stdout) ? 1 : 0;
}
