// The trace's vocabulary: every event once, with its category and its arguments. The enumeration,
// the text form (reader.cpp) and, through the header of the binary form, the host's decoder are all
// made from this table, so a new event is one line here and one trace<...>() where it happens.
//
// Every event also has a time, a CPU, and the thread that ran there. Fields are "name:kind", four
// at most; kinds: int, hex, tid, result (negative: an errno), text (a string that lives for ever,
// by its address), chars (the rest, 4 characters an argument), or a list of names that a room
// installed (state, call, ...).
#pragma once

#include <cstdint>

// clang-format off
//           category  on from the start
#define FOR_EACH_TRACE_CATEGORY(CATEGORY) \
    CATEGORY(process,  true)   /* births, names and deaths; kept longest */ \
    CATEGORY(sched,    true)   \
    CATEGORY(syscall,  false)  \
    CATEGORY(irq,      true)   \
    CATEGORY(fault,    true)   \
    CATEGORY(memory,   true)   /* mappings, what leaves memory, who owns the frames */ \
    CATEGORY(lock,     true)   /* contention only */ \
    CATEGORY(sync,     true)   /* futexes, semaphores */ \
    CATEGORY(disk,     true)   /* requests to disks, and what the page cache had */ \
    CATEGORY(mark,     true)   /* what programs write to /proc/trace_marker */

//        name              category  fields
#define FOR_EACH_TRACE_EVENT(EVENT) \
    EVENT(text,             process, "address:hex text:chars") /* binary form only: a string */ \
    EVENT(lost,             process, "events:int")             /* binary form only: the last */ \
    EVENT(name,             process, "name:chars")             /* of the thread itself */ \
    EVENT(fork,             process, "child:tid process:int parent:int flags:hex") \
    EVENT(exec,             process, "process:int") \
    EVENT(exit,             process, "process:int status:hex") \
    /* A state change, but for those to running: these are the switches. The thread that is \
       recorded with a change to ready is its waker. */ \
    EVENT(state,            sched,   "thread:tid from:state to:state why:text") \
    EVENT(switch,           sched,   "next:tid previous:state") \
    EVENT(call,             syscall, "call:call a:hex b:hex c:hex") \
    EVENT(call_done,        syscall, "call:call result:result") \
    EVENT(interrupt,        irq,     "line:irq") \
    EVENT(interrupt_done,   irq,     "line:irq") \
    EVENT(exception,        irq,     "vector:exception at:hex error:hex")  /* but page faults */ \
    EVENT(fault,            fault,   "address:hex at:hex cause:cause") \
    EVENT(fault_done,       fault,   "address:hex result:fault source:source frame:int") \
    /* A page that was taken from `space`; recorded with who took it: where a fault's own policy \
       did (lab-paging) that is the thread that faults, before its fault_done. */ \
    EVENT(evict,            memory,  "address:hex frame:int dirty:int space:hex") \
    /* Of the thread's own program: what it maps from here on, and all of it after an exec. */ \
    EVENT(map,              memory,  "address:hex pages:int kind:mapping") \
    EVENT(unmap,            memory,  "address:hex pages:int") \
    /* Pages of a space, at a fault or eviction, no more than once a tick. */ \
    EVENT(resident,         memory,  "space:hex resident:int working_set:int swapped:int") \
    /* The machine's frames by owner, at a tick, if that changed. */ \
    EVENT(frames,           memory,  "free:int files:int kernel:int programs:int") \
    /* A window of load control that had faults: microseconds between two (L) and to serve one (S). */ \
    EVENT(load,             memory,  "between_faults:int service:int active:int suspended:int") \
    EVENT(load_suspended,   memory,  "process:int criterion:text rule:text measure:int") \
    EVENT(load_resumed,     memory,  "process:int why:text") \
    EVENT(lock_wait,        lock,    "lock:hex rank:int") \
    EVENT(lock_taken,       lock,    "lock:hex rank:int") \
    EVENT(futex_wait,       sync,    "address:hex expected:int") \
    EVENT(futex_wake,       sync,    "key:hex woken:int") \
    /* A P or V that is done, and one that has to wait. */ \
    EVENT(semaphore,        sync,    "semaphore:hex change:int value:int waiting:int") \
    EVENT(semaphore_wait,   sync,    "semaphore:hex change:int value:int waiting:int") \
    EVENT(semaphore_name,   sync,    "semaphore:hex name:text")  /* what its program calls it */ \
    /* Whose wait or life the cure of a deadlock ended, what it cost, and by which rule it was \
       chosen among how many. */ \
    EVENT(victim,           sync,    "process:int cost:int among:int rule:text") \
    /* The thread cannot go on before `holder` does something: once for each of them. */ \
    EVENT(waits_for,        sync,    "holder:tid what:text which:int") \
    /* A transfer is in the queue of disk `disk` (major << 8 | minor); the disk starts with one, or \
       with several side by side; and has done that (error: an errno). */ \
    EVENT(disk_queued,      disk,    "disk:hex sector:int sectors:int kind:transfer") \
    EVENT(disk_issued,      disk,    "disk:hex sector:int sectors:int kind:transfer") \
    EVENT(disk_done,        disk,    "disk:hex sector:int sectors:int error:int") \
    /* Pages that a file's cache didn't have are read: from `page` on, of which `asked` were asked \
       for; the rest is read ahead. Inode 0: of a disk itself. */ \
    EVENT(cache_miss,       disk,    "inode:int page:int pages:int asked:int") \
    /* Totals of the page cache, at a tick, if they changed. */ \
    EVENT(cache,            disk,    "hits:int misses:int ahead:int used:int") \
    /* A journal of disk `disk`: a transaction begins with its first operation, others join it; it is \
       in the log; blocks of it and of those before go home; a block of its log was freed; and what \
       the next write of these sectors is. */ \
    EVENT(journal_begin,    disk,    "disk:hex transaction:int") \
    EVENT(journal_join,     disk,    "disk:hex transaction:int blocks:int") \
    EVENT(journal_commit,   disk,    "disk:hex transaction:int blocks:int revokes:int") \
    EVENT(journal_checkpoint, disk,  "disk:hex transaction:int blocks:int") \
    EVENT(journal_revoke,   disk,    "disk:hex transaction:int block:int") \
    EVENT(journal_write,    disk,    "disk:hex sector:int sectors:int part:journal_part") \
    EVENT(mark,             mark,    "text:chars")
// clang-format on

enum class TraceCategory : uint8_t {
#define CATEGORY(name, on) name,
    FOR_EACH_TRACE_CATEGORY(CATEGORY)
#undef CATEGORY
};

enum class TraceType : uint8_t {
#define EVENT(name, category, fields) name##_event,
    FOR_EACH_TRACE_EVENT(EVENT)
#undef EVENT
};

struct TraceTypeInfo {
    const char* name;
    TraceCategory category;
    const char* fields;
};
inline constexpr TraceTypeInfo kTraceTypes[] = {
#define EVENT(name, category, fields) {#name, TraceCategory::category, fields},
    FOR_EACH_TRACE_EVENT(EVENT)
#undef EVENT
};
inline constexpr const char* kTraceCategories[] = {
#define CATEGORY(name, on) #name,
    FOR_EACH_TRACE_CATEGORY(CATEGORY)
#undef CATEGORY
};
constexpr uint32_t kTraceDefault = 0
#define CATEGORY(name, on) | (on ? 1u << static_cast<uint32_t>(TraceCategory::name) : 0)
    FOR_EACH_TRACE_CATEGORY(CATEGORY);
#undef CATEGORY
constexpr uint32_t kTraceTypeCount = sizeof kTraceTypes / sizeof kTraceTypes[0];
constexpr uint32_t kTraceCategoryCount = sizeof kTraceCategories / sizeof kTraceCategories[0];
constexpr uint32_t kTraceAll = (1u << kTraceCategoryCount) - 1;

constexpr const TraceTypeInfo& trace_info(TraceType type) {
    return kTraceTypes[static_cast<uint32_t>(type)];
}
constexpr uint32_t trace_bit(TraceType type) {
    return 1u << static_cast<uint32_t>(trace_info(type).category);
}
