// What the calls of all three kinds of System V IPC have in common.
#pragma once

#include "kernel/ipc/ipc_limits.hpp"
#include "kernel/ipc/ipc_object.hpp"
#include "kernel/syscall/system_call.hpp"

// --- sysv_messages.cpp
Result<int> sys_msgget(int key, uint32_t flags);
Result<void> sys_msgsnd(int id, UserPtr<int32_t> from, uint32_t bytes, uint32_t flags);
Result<uint32_t> sys_msgrcv(int id, UserPtr<int32_t> to, uint32_t bytes, int32_t type,
                            uint32_t flags);
Result<int> sys_msgctl(int id, uint32_t command, uint32_t argument);

namespace sysv {

enum IpcCommand : uint32_t { ipc_remove = 0, ipc_set = 1, ipc_stat = 2, ipc_info = 3 };
constexpr uint32_t kNewLayout = 0x100;  // IPC_64, which is the only one here

inline const Credentials& caller() { return context().credentials; }
inline int pid() { return current_process().pid; }

template <typename T>
Result<Ref<T>> object_of(IpcTable& table, int id, IpcAccess wanted) {
    Ref<IpcObject> found = TRY(table.get(id, caller(), wanted));
    return Ref<T>(static_cast<T*>(found.get()));
}
// xxx_STAT by slot number (ipcs), which the any-variants allow without permission to read.
template <typename T>
Result<Ref<T>> object_at(IpcTable& table, int slot, bool any) {
    if (slot < 0) return Errno::inval;
    Ref<IpcObject> found = TRY(
        table.at(static_cast<uint32_t>(slot), caller(), any ? IpcAccess::any : IpcAccess::read));
    return Ref<T>(static_cast<T*>(found.get()));
}
inline IpcPermission permission_of(IpcTable& table, IpcObject& object) {
    return table.with_lock([&] { return object.permission; });
}

}  // namespace sysv
