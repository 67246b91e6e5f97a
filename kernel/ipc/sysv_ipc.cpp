// The three tables of System V IPC, made at start-up; /proc/sysvipc; what a dead process leaves
// behind. Spec: proc(5), sysvipc.
#include "fs/proc/proc_entry.hpp"
#include "fs/wait_edges.hpp"
#include "kernel/ipc/message_queue.hpp"
#include "kernel/ipc/semaphore_set.hpp"
#include "kernel/ipc/shared_memory.hpp"

namespace {

constinit IpcTable* tables[3] = {};  // never destroyed

void show_sets(TextSink& to) {
    to.put(
        "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    semaphore_sets().for_each([&](IpcObject& object) {
        auto& set = static_cast<SemaphoreSet&>(object);
        const IpcPermission& p = set.permission;
        format_to(to, "{:>10} {:>10}  {:>4o} {:>10} {:>5} {:>5} {:>5} {:>5} {:>10} {:>10}\n", p.key,
                  set.id, p.mode, set.size(), p.uid, p.gid, p.cuid, p.cgid, set.operated().low,
                  set.changed.low);
    });
}

void show_segments(TextSink& to) {
    to.put(
        "       key      shmid perms       size  cpid  lpid nattch   uid   gid  cuid  cgid"
        "      atime      dtime      ctime        rss       swap\n");
    segments().for_each([&](IpcObject& object) {
        auto& s = static_cast<Segment&>(object);
        const IpcPermission& p = s.permission;
        format_to(to, "{:>10} {:>10}  {:>4o} {:>10} {:>5} {:>5}  {:>5} {:>5} {:>5} {:>5} {:>5}",
                  p.key, s.id, p.mode, s.bytes, s.creator, s.last, s.attached(), p.uid, p.gid,
                  p.cuid, p.cgid);
        format_to(to, " {:>10} {:>10} {:>10} {:>10} {:>10}\n", s.attached_at.low, s.detached_at.low,
                  s.changed.low, s.resident() * kPageSize, 0);
    });
}

void show_queues(TextSink& to) {
    to.put(
        "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
        "      stime      rtime      ctime\n");
    message_queues().for_each([&](IpcObject& object) {
        const MessageQueue::Figures f = static_cast<MessageQueue&>(object).figures();
        const IpcPermission& p = object.permission;
        format_to(to, "{:>10} {:>10}  {:>4o}  {:>10} {:>10} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5}",
                  p.key, object.id, p.mode, f.bytes, f.count, f.sender, f.receiver, p.uid, p.gid,
                  p.cuid, p.cgid);
        format_to(to, " {:>10} {:>10} {:>10}\n", f.sent.low, f.received.low, f.changed.low);
    });
}

constexpr ProcEntry kTables[] = {
    {.name = "msg", .show = show_queues},
    {.name = "sem", .show = show_sets},
    {.name = "shm", .show = show_segments},
};
constexpr ProcEntry kDirectory[] = {{.name = "sysvipc", .children = kTables}};
PROC_FILES(proc_root, kDirectory);

// A list first: telling takes other locks than the table's.
void tell_semaphores(WaitEdges& to) {
    const Credentials all{};
    for (uint32_t i = 0, last = semaphore_sets().highest(); i <= last; ++i) {
        Result<Ref<IpcObject>> set = semaphore_sets().at(i, all, IpcAccess::any);
        if (set.is_ok()) static_cast<SemaphoreSet&>(*set.value()).tell_edges(to);
    }
}
constinit WaitEdgeSource semaphore_edges{tell_semaphores};

}  // namespace

constinit IpcLimits ipc_limits;

IpcTable& semaphore_sets() { return *tables[0]; }
IpcTable& message_queues() { return *tables[1]; }
IpcTable& segments() { return *tables[2]; }

void sysv_process_gone(int pid) {
    const Credentials all{};
    for (uint32_t i = 0, last = semaphore_sets().highest(); i <= last; ++i) {
        Result<Ref<IpcObject>> set = semaphore_sets().at(i, all, IpcAccess::any);
        if (set.is_ok()) static_cast<SemaphoreSet&>(*set.value()).undo_of(pid);
    }
}

void sysv_ipc_init() {
    for (IpcTable*& table : tables) {
        table = new (std::nothrow) IpcTable;
        VERIFY(table);
    }
    add_wait_edge_source(semaphore_edges);
    semaphore_sets().set_limit(ipc_limits.sets);
    message_queues().set_limit(ipc_limits.queues);
    segments().set_limit(ipc_limits.segments);
}
