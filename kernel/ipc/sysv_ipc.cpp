// The three tables of System V IPC, made at start-up; /proc/sysvipc and the limits in
// /proc/sys/kernel; what a dead process leaves behind. Spec: proc(5), sysvipc.
#include <algorithm>

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

// What a segment may be at most: less than what user space has room for is left to shmget.
constexpr uint32_t kMostSegment = UINT32_MAX - (1u << 24);

// Of /proc/sys/kernel/sem, in its order.
struct SemaphoreLimit {
    Atomic<uint32_t> IpcLimits::*field;
    uint32_t most;
};
constexpr SemaphoreLimit kSemaphoreLimits[] = {{&IpcLimits::semaphores, 65536},
                                               {&IpcLimits::all_semaphores, 1u << 30},
                                               {&IpcLimits::operations, 65536},
                                               {&IpcLimits::sets, IpcTable::kMaxObjects}};

void show_semaphore_limits(TextSink& to) {
    const char* before = "";
    for (const SemaphoreLimit& limit : kSemaphoreLimits) {
        format_to(to, "{}{}", before, ipc_limits.*limit.field);
        before = "\t";
    }
    to.put("\n");
}

// As many of the four as are given; all or none.
Result<void> set_semaphore_limits(std::string_view text) {
    uint32_t values[4], count = 0;
    while (!text.empty()) {
        const size_t length = std::min(text.find_first_of(" \t"), text.size());
        uint64_t value;
        if (length) {
            if (count == 4 || !parse_number(text.substr(0, length), value) ||
                value > kSemaphoreLimits[count].most)
                return Errno::inval;
            values[count++] = static_cast<uint32_t>(value);
        }
        text.remove_prefix(std::min(length + 1, text.size()));
    }
    for (uint32_t i = 0; i < count; ++i) ipc_limits.*kSemaphoreLimits[i].field = values[i];
    return {};
}

constexpr ProcEntry kTables[] = {
    {.name = "msg", .show = show_queues},
    {.name = "sem", .show = show_sets},
    {.name = "shm", .show = show_segments},
};
constexpr ProcEntry kDirectory[] = {{.name = "sysvipc", .children = kTables}};
PROC_FILES(proc_root, kDirectory);

Result<void> set_page_limit(std::string_view text) {
    uint64_t value;
    if (!parse_number(text, value) || value > UINT32_MAX) return Errno::inval;
    ipc_limits.segment_pages = static_cast<uint32_t>(value);
    return {};
}
constexpr ProcEntry kLimits[] = {
    {.name = "shmmax", .number = &ipc_limits.segment_bytes, .most = kMostSegment},
    {.name = "shmall",
     .show = [](TextSink& to) { format_to(to, "{}\n", segment_page_limit()); },
     .store = set_page_limit},
    {.name = "shmmni", .number = &ipc_limits.segments, .most = IpcTable::kMaxObjects},
    {.name = "msgmax", .number = &ipc_limits.message_bytes, .most = INT32_MAX},
    {.name = "msgmnb", .number = &ipc_limits.queue_bytes, .most = INT32_MAX},
    {.name = "msgmni", .number = &ipc_limits.queues, .most = IpcTable::kMaxObjects},
    {.name = "sem", .show = show_semaphore_limits, .store = set_semaphore_limits},
};
PROC_FILES(proc_sys_kernel, kLimits);

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
