// See semaphore_set.hpp.
#include "kernel/ipc/semaphore_set.hpp"

#include "fs/wait_edges.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/trace/trace.hpp"

namespace {
constinit Atomic<uint32_t> in_use = 0;
}

uint32_t semaphores_in_use() { return in_use.relaxed(); }

Result<Ref<IpcObject>> SemaphoreSet::create(uint32_t count) NO_LOCK_ANALYSIS {
    Ref<SemaphoreSet> set = TRY(make_ref<SemaphoreSet>());
    TRY(set->array_.resize(count));
    in_use.fetch_add(count);
    return Ref<IpcObject>(std::move(set));
}

SemaphoreSet::~SemaphoreSet() {
    in_use.subtract(size());
    while (Undo* undo = undos_.pop_front()) delete undo;
}

// Made before the operation, so that nothing can fail once values have changed. Entries are never
// moved: their process finds them again, and they go with the process or the set.
Result<SemaphoreSet::Undo*> SemaphoreSet::undo_for(std::span<const SemaphoreOperation> operations,
                                                   int pid) {
    bool wanted = false;
    for (const SemaphoreOperation& op : operations) wanted |= (op.flags & kSemaphoreUndo) != 0;
    if (!wanted) return nullptr;
    auto find = [&]() NO_LOCK_ANALYSIS -> Undo* {
        for (Undo& undo : undos_)
            if (undo.pid == pid) return &undo;
        return nullptr;
    };
    {
        LockGuard guard(lock_);
        if (Undo* found = find()) return found;
    }
    Box<Undo> fresh(new (std::nothrow) Undo{.node = {}, .pid = pid, .adjustments = {}});
    if (!fresh) return Errno::nomem;
    TRY(fresh->adjustments.resize(size()));
    LockGuard guard(lock_);
    if (Undo* found = find()) return found;
    undos_.push_back(*fresh);
    return fresh.leak();
}

// Locks: held.
void SemaphoreSet::finish(Waiting& waiting, Errno error) {
    waiting.node.unlink();
    waiting.error = error;
    waiting.finished = true;
    waiting.queue.wake_all();
}

// Each success may make others possible, also earlier ones.
void SemaphoreSet::try_waiters() {
    for (bool changed = true; changed;) {
        changed = false;
        for (Waiting* w = waiting_.front(); w;) {
            Waiting* next = waiting_.next(*w);
            Result<SemaphoreArray::Outcome> tried =
                array_.attempt(w->operations, w->asker, span_of(w->undo));
            if (tried.is_error()) {
                finish(*w, tried.error());
            } else if (tried.value().done) {
                finish(*w, Errno{});
                trace_done(w->operations);
                changed = true;
            } else {
                w->at = tried.value().waits_at;
            }
            w = next;
        }
    }
}

Result<void> SemaphoreSet::operate(std::span<const SemaphoreOperation> operations, int pid,
                                   Nanoseconds deadline) {
    TRY(check_numbers(operations));
    Undo* undo = TRY(undo_for(operations, pid));
    const SemaphoreArray::Asker asker{pid, Thread::current().tid};
    const Nanoseconds now = realtime_now();
    LockGuard guard(lock_);
    if (removed_) return Errno::idrm;
    const SemaphoreArray::Outcome tried =
        TRY(array_.attempt(operations, asker, span_of(undo ? undo->adjustments.data() : nullptr)));
    if (!tried.done) {
        if (operations[tried.waits_at].flags & static_cast<int16_t>(kIpcNoWait))
            return Errno::again;
        TRY(wait(operations, asker, undo, tried.waits_at, deadline));
    } else {
        trace_done(operations);
        if (!waiting_.empty()) try_waiters();
    }
    operated_ = now;
    return {};
}

// Locks: held, but while asleep.
Result<void> SemaphoreSet::wait(std::span<const SemaphoreOperation> operations,
                                const SemaphoreArray::Asker& asker, Undo* undo, uint32_t at,
                                Nanoseconds deadline) {
    Waiting self;
    self.operations = operations;
    self.asker = asker;
    self.at = at;
    self.undo = undo ? undo->adjustments.data() : nullptr;
    waiting_.push_back(self);
    trace_wait(self);
    Woken woken = self.queue.wait(lock_, [&] { return self.finished; },
                                  {.deadline = deadline, .reason = "semop"});
    if (woken == Woken::condition) return self.error == Errno{} ? Result<void>() : self.error;
    self.node.unlink();
    return woken == Woken::timed_out ? Errno::again : Errno::intr;
}

void SemaphoreSet::remove() {
    semaphore_sets().remove(*this);
    LockGuard guard(lock_);
    removed_ = true;
    while (Waiting* w = waiting_.front()) finish(*w, Errno::idrm);
}

void SemaphoreSet::undo_of(int pid) {
    Undo* own = nullptr;
    {
        LockGuard guard(lock_);
        for (Undo& undo : undos_)
            if (undo.pid == pid) own = &undo;
        if (!own) return;
        undos_.remove(*own);
        if (!removed_) {
            array_.adjust(own->adjustments.span(), pid);
            try_waiters();
        }
    }
    delete own;
}

// Values that are set outright leave nothing to undo.
void SemaphoreSet::forget_undo() {
    for (Undo& undo : undos_)
        for (int16_t& adjustment : undo.adjustments) adjustment = 0;
}

Result<void> SemaphoreSet::set_value(uint32_t number, int32_t value, int pid) {
    if (value < 0 || value > kSemaphoreMax) return Errno::range;
    LockGuard guard(lock_);
    if (removed_) return Errno::idrm;
    for (Undo& undo : undos_) undo.adjustments[number] = 0;
    array_[number] = {.value = value, .pid = pid};
    changed = ipc_now();
    try_waiters();
    return {};
}

Result<void> SemaphoreSet::set_all(std::span<const uint16_t> values, int pid) {
    for (uint16_t value : values)
        if (value > kSemaphoreMax) return Errno::range;
    LockGuard guard(lock_);
    if (removed_) return Errno::idrm;
    forget_undo();
    for (uint32_t i = 0; i < size(); ++i) array_[i] = {.value = values[i], .pid = pid};
    changed = ipc_now();
    try_waiters();
    return {};
}

SemaphoreArray::Semaphore SemaphoreSet::at(uint32_t number) {
    LockGuard guard(lock_);
    return array_[number];
}

uint32_t SemaphoreSet::waiters(uint32_t number, bool for_zero) {
    LockGuard guard(lock_);
    uint32_t count = 0;
    for (Waiting& w : waiting_) {
        const SemaphoreOperation& op = w.operations[w.at];
        count += op.number == number && (op.change == 0) == for_zero;
    }
    return count;
}

uint32_t SemaphoreSet::waiting_at(uint32_t number) {
    uint32_t count = 0;
    for (Waiting& w : waiting_) count += w.operations[w.at].number == number;
    return count;
}

void SemaphoreSet::trace_done(std::span<const SemaphoreOperation> operations) {
    if (!trace_wanted<TraceType::semaphore_event>()) return;
    // Read as hexadecimal: the set and, in the last four digits, the semaphore.
    for (const SemaphoreOperation& op : operations)
        trace<TraceType::semaphore_event>(
            static_cast<uint32_t>(id) << 16 | op.number, static_cast<uint32_t>(op.change),
            static_cast<uint32_t>(array_[op.number].value), waiting_at(op.number));
}

void SemaphoreSet::trace_wait(const Waiting& waiting) {
    if (!trace_wanted<TraceType::semaphore_wait_event>()) return;
    const SemaphoreOperation& op = waiting.operations[waiting.at];
    const SemaphoreArray::Semaphore& semaphore = array_[op.number];
    trace<TraceType::semaphore_wait_event>(
        static_cast<uint32_t>(id) << 16 | op.number, static_cast<uint32_t>(op.change),
        static_cast<uint32_t>(semaphore.value), waiting_at(op.number));
    if (op.change < 0 && semaphore.holder) wait_begins(semaphore.holder, "semaphore", op.number);
}

void SemaphoreSet::tell_edges(WaitEdges& to) {
    struct Edge {
        int waiter, holder;
        uint32_t number;
    };
    Vector<Edge> edges;  // made beforehand; who comes meanwhile is seen the next time
    uint32_t count = 0;
    {
        LockGuard guard(lock_);
        for ([[maybe_unused]] Waiting& w : waiting_) ++count;
    }
    if (edges.resize(count).is_error()) return;
    count = 0;
    {
        LockGuard guard(lock_);
        for (Waiting& w : waiting_) {
            const SemaphoreOperation& op = w.operations[w.at];
            const int holder = array_[op.number].holder;
            if (op.change < 0 && holder && count < edges.size())
                edges[count++] = {w.asker.tid, holder, op.number};
        }
    }
    for (uint32_t i = 0; i < count; ++i)
        to.add(edges[i].waiter, edges[i].holder, "semaphore", edges[i].number);
}
