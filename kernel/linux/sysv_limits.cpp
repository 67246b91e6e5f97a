// The limits of System V IPC, in /proc/sys/kernel. Spec: proc(5).
#include "kernel/ipc/ipc_limits.hpp"
#include "kernel/ipc/ipc_object.hpp"
#include "kernel/ipc/message_queue.hpp"
#include "kernel/ipc/semaphore_set.hpp"
#include "kernel/ipc/shared_memory.hpp"
#include "kernel/linux/number_list.hpp"

namespace {

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
    uint32_t values[4];
    const uint32_t count = TRY(numbers_in(text, values));
    for (uint32_t i = 0; i < count; ++i)
        if (values[i] > kSemaphoreLimits[i].most) return Errno::inval;
    for (uint32_t i = 0; i < count; ++i) ipc_limits.*kSemaphoreLimits[i].field = values[i];
    return {};
}

Result<void> set_page_limit(std::string_view text) {
    uint64_t value;
    if (!parse_number(text, value) || value > UINT32_MAX) return Errno::inval;
    ipc_limits.segment_pages = static_cast<uint32_t>(value);
    return {};
}

// For who restores processes as they were: the id that the next object gets.
template <IpcTable& (*table)()>
constexpr ProcEntry next_id_file(std::string_view name) {
    return {.name = name,
            .show = [](TextSink& to) { format_to(to, "{}\n", int32_t(table().next_id)); },
            .store = [](std::string_view text) -> Result<void> {
                uint64_t value;
                if (text != "-1" && (!parse_number(text, value) || value > INT32_MAX))
                    return Errno::inval;
                table().next_id = text == "-1" ? -1 : static_cast<int32_t>(value);
                return {};
            }};
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
    next_id_file<message_queues>("msg_next_id"),
    next_id_file<semaphore_sets>("sem_next_id"),
    next_id_file<segments>("shm_next_id"),
    {.name = "sem", .show = show_semaphore_limits, .store = set_semaphore_limits},
};
PROC_FILES(proc_sys_kernel, kLimits);

}  // namespace
