// Files of /proc whose text rooms above fs/ make: those rooms fill in the functions at start-up.
// Until then such a file is empty. Locks: none; set at start-up only.
#pragma once

#include "fs/proc/proc_entry.hpp"

enum class UpperFile : uint8_t {
    deadlock,
    deadlock_dot,
    deadlock_strategy,
    deadlock_detection,
    deadlock_recovery,
    deadlock_period,
    sysvipc_msg,
    sysvipc_sem,
    sysvipc_shm,
    shmmax,
    shmall,
    shmmni,
    msgmax,
    msgmnb,
    msgmni,
    sem,
    epoll_max_user_watches,
    mq_queues_max,
    mq_msg_max,
    mq_msgsize_max,
    mq_msg_default,
    mq_msgsize_default,
    sync_lab,
    net_unix,
    count,
};

struct UpperFunctions {
    void (*show)(TextSink& to) = nullptr;
    Result<void> (*store)(std::string_view value) = nullptr;
};
extern UpperFunctions upper_files[static_cast<uint32_t>(UpperFile::count)];

inline void install_upper_file(UpperFile which, const UpperFunctions& functions) {
    upper_files[static_cast<uint32_t>(which)] = functions;
}

// Its line in a table of names.
template <UpperFile which>
constexpr ProcEntry upper_entry(std::string_view name, bool writable = false) {
    constexpr auto slot = static_cast<uint32_t>(which);
    return {.name = name,
            .mode = kTypeRegular | (writable ? 0644u : 0444u),
            .generate = [](TextSink& to, const ProcTarget&) -> Result<void> {
                if (upper_files[slot].show) upper_files[slot].show(to);
                return {};
            },
            .store = [](std::string_view value) -> Result<void> {
                return upper_files[slot].store ? upper_files[slot].store(value) : Errno::acces;
            }};
}
