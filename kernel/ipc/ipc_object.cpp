// See ipc_object.hpp.
#include "kernel/ipc/ipc_object.hpp"

#include <algorithm>

#include "kernel/sched/clock.hpp"

SplitTime split_time(Nanoseconds time) {
    const uint64_t seconds = time.raw() / 1'000'000'000;
    return {static_cast<uint32_t>(seconds), static_cast<uint32_t>(seconds >> 32)};
}
SplitTime ipc_now() { return split_time(realtime_now()); }

// `wanted`: permission bits as in a file's mode, in any of the three places.
Result<void> IpcObject::check(const Credentials& who, uint32_t wanted) const {
    const IpcPermission& p = permission;
    const bool owner = who.euid == p.uid || who.euid == p.cuid;
    if (wanted == static_cast<uint32_t>(IpcAccess::owner))
        return owner || who.may(Capability::sys_admin) ? Result<void>() : Errno::perm;
    if (who.may(Capability::ipc_owner)) return {};
    uint32_t granted = p.mode;
    if (owner)
        granted >>= 6;
    else if (who.in_group(p.gid) || who.in_group(p.cgid))
        granted >>= 3;
    wanted = (wanted >> 6 | wanted >> 3 | wanted) & 7;
    return wanted & ~granted ? Errno::acces : Result<void>();
}

void IpcObject::set_creator(int key, uint32_t flags, const Credentials& who) {
    permission.key = key;
    permission.uid = permission.cuid = who.euid;
    permission.gid = permission.cgid = who.egid;
    permission.mode = flags & 0777;
}

void IpcObject::change(const IpcPermission& wanted) {
    permission.uid = wanted.uid;
    permission.gid = wanted.gid;
    permission.mode = (permission.mode & ~0777) | (wanted.mode & 0777);
}

IpcObject* IpcTable::find_key(int key) {
    for (Slot& slot : slots_)
        if (slot.object && slot.object->permission.key == key) return slot.object.get();
    return nullptr;
}

Result<int> IpcTable::insert(Ref<IpcObject> object) {
    if (limit_ && used_ >= *limit_) return Errno::nospc;
    const int32_t wanted = next_id.exchange(-1);
    uint32_t index = wanted < 0 ? used_below_ : static_cast<uint32_t>(wanted) % kMaxObjects;
    while (index < slots_.size() && slots_[index].object) ++index;
    if (wanted < 0) used_below_ = index;
    if (index == kMaxObjects) return Errno::nospc;
    if (index >= slots_.size()) TRY(slots_.resize(index + 1));
    Slot& slot = slots_[index];
    if (wanted >= 0)
        slot.sequence = static_cast<uint16_t>(static_cast<uint32_t>(wanted) / kMaxObjects);
    object->permission.sequence = slot.sequence;
    object->id = static_cast<int>(slot.sequence * kMaxObjects + index);
    slot.object = std::move(object);
    ++used_;
    return slot.object->id;
}

void IpcTable::remove(IpcObject& object) {
    Ref<IpcObject> dead;  // dropped after the lock
    LockGuard guard(lock_);
    Slot& slot = slots_[static_cast<uint32_t>(object.id) % kMaxObjects];
    if (slot.object.get() != &object) return;
    dead = std::move(slot.object);
    used_below_ = std::min(used_below_, static_cast<uint32_t>(object.id) % kMaxObjects);
    --used_;
    slot.sequence = (slot.sequence + 1) & 0xffff;
}

Result<Ref<IpcObject>> IpcTable::at(uint32_t index, const Credentials& who, IpcAccess wanted) {
    LockGuard guard(lock_);
    index %= kMaxObjects;
    if (index >= slots_.size() || !slots_[index].object) return Errno::inval;
    TRY(slots_[index].object->check(who, static_cast<uint32_t>(wanted)));
    return slots_[index].object;
}

Result<Ref<IpcObject>> IpcTable::get(int id, const Credentials& who, IpcAccess wanted) {
    if (id < 0) return Errno::inval;
    LockGuard guard(lock_);
    const uint32_t index = static_cast<uint32_t>(id) % kMaxObjects;
    if (index >= slots_.size() || !slots_[index].object || slots_[index].object->id != id)
        return Errno::inval;
    TRY(slots_[index].object->check(who, static_cast<uint32_t>(wanted)));
    return slots_[index].object;
}

uint32_t IpcTable::count() {
    LockGuard guard(lock_);
    return used_;
}

uint32_t IpcTable::highest() {
    uint32_t slot = 0;
    for_each([&](IpcObject& object) { slot = static_cast<uint32_t>(object.id) % kMaxObjects; });
    return slot;
}
