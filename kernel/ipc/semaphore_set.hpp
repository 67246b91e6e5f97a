// System V semaphore sets. Waiters are tried again in the order in which they came whenever a value
// changed; one that cannot go on does not hold up those behind it.
// Invariant: nobody waits whose operations could be done.
// Locks: each set's SpinLock (rank ipc_object) for values, waiters and undo adjustments.
// Spec: semget(2), semop(2), semctl(2).
#pragma once

#include "kernel/ipc/ipc_object.hpp"
#include "kernel/ipc/semaphore_array.hpp"
#include "kernel/sync/wait_queue.hpp"

class SemaphoreSet final : public IpcObject {
  public:
    static Result<Ref<IpcObject>> create(uint32_t count);
    ~SemaphoreSet() override;

    // ERANGE, EFBIG, EAGAIN (IPC_NOWAIT or the deadline came), EIDRM, EINTR, ENOMEM. `deadline`: 0: none.
    Result<void> operate(std::span<const SemaphoreOperation> operations, int pid,
                         Nanoseconds deadline);
    // EFBIG: one is beyond the set.
    Result<void> check_numbers(std::span<const SemaphoreOperation> operations) const {
        for (const SemaphoreOperation& op : operations)
            if (op.number >= size()) return Errno::fbig;
        return {};
    }
    void remove();                                                    // all who wait get EIDRM
    void undo_of(int pid);                                            // the process is gone
    Result<void> set_value(uint32_t number, int32_t value, int pid);  // ERANGE, EIDRM
    Result<void> set_all(std::span<const uint16_t> values, int pid);  // the same
    SemaphoreArray::Semaphore at(uint32_t number);
    uint32_t waiters(uint32_t number, bool for_zero);
    uint32_t size() const NO_LOCK_ANALYSIS { return array_.size(); }
    SplitTime operated() const NO_LOCK_ANALYSIS { return split_time(operated_); }
    SplitTime changed = ipc_now();
    void tell_edges(class WaitEdges& to);

  private:
    struct Waiting {
        ListNode node;
        std::span<const SemaphoreOperation> operations;
        SemaphoreArray::Asker asker{};
        uint32_t at = 0;  // the operation that it waits with
        int16_t* undo = nullptr;
        bool finished = false;
        Errno error{};
        WaitQueue queue;
    };
    struct Undo {  // the adjustments of one process; they follow in memory
        ListNode node;
        int pid;
        Vector<int16_t> adjustments;
    };
    Result<Undo*> undo_for(std::span<const SemaphoreOperation> operations, int pid);
    std::span<int16_t> span_of(int16_t* undo) {
        return {undo, undo ? static_cast<size_t>(size()) : 0};
    }
    void try_waiters() REQUIRES(lock_);
    Result<void> wait(std::span<const SemaphoreOperation> operations,
                      const SemaphoreArray::Asker& asker, Undo* undo, uint32_t at,
                      Nanoseconds deadline) REQUIRES(lock_);
    void finish(Waiting& waiting, Errno error) REQUIRES(lock_);
    void forget_undo() REQUIRES(lock_);
    uint32_t waiting_at(uint32_t number) REQUIRES(lock_);
    void trace_done(std::span<const SemaphoreOperation> operations) REQUIRES(lock_);
    void trace_wait(const Waiting& waiting) REQUIRES(lock_);

    SpinLock lock_{LockRank::ipc_object};
    SemaphoreArray array_ GUARDED_BY(lock_);
    List<Waiting, &Waiting::node> waiting_ GUARDED_BY(lock_);
    List<Undo, &Undo::node> undos_ GUARDED_BY(lock_);
    Nanoseconds operated_ GUARDED_BY(lock_){0};
    bool removed_ GUARDED_BY(lock_) = false;
};

IpcTable& semaphore_sets();
uint32_t semaphores_in_use();  // of all sets
