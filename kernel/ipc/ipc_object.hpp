// What System V semaphore sets, shared memory segments and message queues have in common: a key, an
// id, an owner and permissions; and the table in which ids find them.
// An id is sequence * 32768 + slot: the id of a removed object never means its slot's next user.
// Invariant: an object is in its table until it is `removed`; who still works on it holds a Ref.
// Locks: the table's Mutex (rank ipc_table) guards the slots and the permissions of what is in them;
// contents are guarded by each object's own lock.
// Spec: svipc(7); Linux i386 asm/ipcbuf.h.
#pragma once

#include "fs/attributes.hpp"
#include "kernel/lib/ref.hpp"
#include "kernel/lib/vector.hpp"
#include "kernel/sync/mutex.hpp"

constexpr int kIpcPrivate = 0;
constexpr uint32_t kIpcCreate = 01000, kIpcExclusive = 02000, kIpcNoWait = 04000;

struct IpcCaller {
    const Credentials& who;
    int pid;
};

struct IpcPermission {  // struct ipc64_perm
    int32_t key = 0;
    uint32_t uid = 0, gid = 0, cuid = 0, cgid = 0;
    uint16_t mode = 0, padding1 = 0, sequence = 0, padding2 = 0;
    uint32_t unused[2] = {};
};
static_assert(sizeof(IpcPermission) == 36);

struct SplitTime {  // seconds, low half first
    uint32_t low = 0, high = 0;
};
SplitTime split_time(Nanoseconds time);
SplitTime ipc_now();

enum class IpcAccess : uint8_t { any = 0, write = 2, read = 4, owner = 8 };

class IpcObject : public RefCounted {
  public:
    int id = -1;
    IpcPermission permission;  // table's lock
    // EACCES; EPERM for IpcAccess::owner.
    Result<void> check(const Credentials& who, uint32_t wanted) const;
    void set_creator(int key, uint32_t flags, const Credentials& who);
    void change(const IpcPermission& wanted);  // IPC_SET
};

class IpcTable {
  public:
    static constexpr uint32_t kMaxObjects = 32768;

    // An id that was never given out or whose object is gone: EINVAL. EACCES, EPERM.
    Result<Ref<IpcObject>> get(int id, const Credentials& who, IpcAccess wanted);
    // By slot; a whole id means its slot, as on Linux.
    Result<Ref<IpcObject>> at(uint32_t slot, const Credentials& who, IpcAccess wanted);
    // xxxget(2): the id of the object of that key, or of a new one. `fits` judges an existing one,
    // `make` makes it. Both run with the lock held.
    template <typename Fits, typename Make>
    Result<int> find_or_make(int key, uint32_t flags, const Credentials& who, Fits&& fits,
                             Make&& make) {
        LockGuard guard(lock_);
        if (IpcObject* found = key == kIpcPrivate ? nullptr : find_key(key)) {
            if ((flags & kIpcCreate) && (flags & kIpcExclusive)) return Errno::exist;
            TRY(found->check(who, flags & 0777));
            TRY(fits(*found));
            return found->id;
        }
        if (key != kIpcPrivate && !(flags & kIpcCreate)) return Errno::noent;
        Ref<IpcObject> made = TRY(make());
        made->set_creator(key, flags, who);
        return insert(std::move(made));
    }
    void remove(IpcObject& object);  // may be called again
    // Calls see(object) for all, with the lock held.
    template <typename F>
    void for_each(F&& see) {
        LockGuard guard(lock_);
        for (Slot& slot : slots_)
            if (slot.object) see(*slot.object);
    }
    template <typename F>
    decltype(auto) with_lock(F&& action) {
        LockGuard guard(lock_);
        return action();
    }
    void set_limit(const Atomic<uint32_t>& most) {
        limit_ = &most;
    }  // how many objects; lives for ever
    // The id that the next new object gets if its slot is free; below 0: any.
    Atomic<int32_t> next_id = -1;
    uint32_t count();
    uint32_t highest();  // the last slot in use, 0 if none is

  private:
    struct Slot {
        Ref<IpcObject> object;
        uint16_t sequence = 0;
    };
    IpcObject* find_key(int key) REQUIRES(lock_);
    Result<int> insert(Ref<IpcObject> object) REQUIRES(lock_);

    Mutex lock_{LockRank::ipc_table};
    Vector<Slot> slots_ GUARDED_BY(lock_);
    uint32_t used_below_ GUARDED_BY(lock_) = 0;  // every slot before it has an object
    uint32_t used_ GUARDED_BY(lock_) = 0;
    const Atomic<uint32_t>* limit_ = nullptr;
};

void sysv_ipc_init();
void sysv_process_gone(int pid);  // undoes its semaphore operations
