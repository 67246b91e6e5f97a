// SemaphoreArray: the values of a set, and operations on several of them that happen all at once or
// not at all: with more than one this is the AND semaphore (Swait, Ssignal).
// Pure: host-tested and model-checked; the set's lock guards it.
// Spec: semop(2).
#pragma once

#include <span>

#include "kernel/lib/vector.hpp"

struct SemaphoreOperation {  // struct sembuf
    uint16_t number;
    int16_t change;
    int16_t flags;
};
constexpr int16_t kSemaphoreUndo = 0x1000;
constexpr int32_t kSemaphoreMax = 32767;

class SemaphoreArray {
  public:
    struct Semaphore {
        int32_t value = 0;
        int pid = 0;  // who changed or waited for zero last
        int holder =
            0;  // the thread that took it from 1 to 0, while it is 0: of a mutex, its owner
    };
    // What an attempt came to: done, or the operation at which it would have to wait.
    struct Outcome {
        bool done;
        uint32_t waits_at;
    };

    Result<void> resize(uint32_t count) { return semaphores_.resize(count); }
    uint32_t size() const { return semaphores_.size(); }
    Semaphore& operator[](uint32_t i) { return semaphores_[i]; }

    struct Asker {
        int pid, tid;
    };
    // ERANGE: a value would become too large. Numbers were checked. `undo`: adjustments of the process that
    // asked, one a semaphore, for those that have kSemaphoreUndo.
    Result<Outcome> attempt(std::span<const SemaphoreOperation> operations, const Asker& asker,
                            std::span<int16_t> undo) {
        for (uint32_t i = 0; i < operations.size(); ++i) {
            const SemaphoreOperation& op = operations[i];
            int32_t& value = semaphores_[op.number].value;
            const bool waits = op.change ? value + op.change < 0 : value != 0;
            const bool overflows = value + op.change > kSemaphoreMax || undo_overflows(op, undo);
            if (!waits && !overflows) {
                value += op.change;
                continue;
            }
            while (i-- > 0) semaphores_[operations[i].number].value -= operations[i].change;
            if (waits) return Outcome{false, static_cast<uint32_t>(&op - operations.data())};
            return Errno::range;
        }
        for (const SemaphoreOperation& op : operations) {
            Semaphore& s = semaphores_[op.number];
            s.pid = asker.pid;
            if (op.change) s.holder = s.value == 0 && op.change == -1 ? asker.tid : 0;
            if (op.flags & kSemaphoreUndo) undo[op.number] -= op.change;
        }
        return Outcome{true, 0};
    }
    // The end of a process: its adjustments, within what values can be.
    void adjust(std::span<const int16_t> undo, int pid) {
        for (uint32_t i = 0; i < size(); ++i) {
            if (!undo[i]) continue;
            int32_t value = semaphores_[i].value + undo[i];
            semaphores_[i].value = value < 0 ? 0 : value > kSemaphoreMax ? kSemaphoreMax : value;
            semaphores_[i].pid = pid;
            semaphores_[i].holder = 0;
        }
    }

  private:
    static bool undo_overflows(const SemaphoreOperation& op, std::span<int16_t> undo) {
        if (!(op.flags & kSemaphoreUndo)) return false;
        const int32_t after = undo[op.number] - op.change;
        return after > kSemaphoreMax || after < -kSemaphoreMax - 1;
    }
    Vector<Semaphore> semaphores_;
};
