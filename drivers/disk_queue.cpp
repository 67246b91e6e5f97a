// See disk_queue.hpp.
#include "drivers/disk_queue.hpp"

#include "kernel/sched/clock.hpp"

namespace {

constexpr uint64_t kReadDeadline = 500'000'000, kWriteDeadline = 5'000'000'000;  // nanoseconds

constinit uint32_t g_elevator = static_cast<uint32_t>(Elevator::look);  // atomic

}  // namespace

bool choose_elevator(std::string_view name) {
    for (uint32_t i = 0; i < kElevatorCount; ++i)
        if (kElevatorNames[i] == name) {
            __atomic_store_n(&g_elevator, i, __ATOMIC_RELAXED);
            return true;
        }
    return false;
}

Elevator current_elevator() {
    return static_cast<Elevator>(__atomic_load_n(&g_elevator, __ATOMIC_RELAXED));
}

void DiskQueue::grant_next() {
    Ticket* next = head_.choose(current_elevator(), waiting_, monotonic_now().raw());
    busy_ = next != nullptr;
    if (!next) return;
    waiting_.remove(*next);
    next->granted = true;
    granted_.wake_all();
}

void DiskQueue::enter(Ticket& ticket) {
    const uint64_t now = monotonic_now().raw();
    LockGuard guard(lock_);
    ticket.entered = now;
    ticket.arrival = arrivals_++;
    ticket.deadline = now + (ticket.write ? kWriteDeadline : kReadDeadline);
    waiting_.push_back(ticket);
    if (in_queue_++ == 0) busy_since_ = now;
    if (!busy_) return grant_next();
    granted_.wait(lock_, [&] { return ticket.granted; },
                  {.interruptible = false, .reason = "disk queue"});
}

void DiskQueue::leave(const Ticket& ticket, bool failed, DiskCounts& counts) {
    const uint64_t now = monotonic_now().raw();
    LockGuard guard(lock_);
    DiskCounts::Direction& d = ticket.write ? counts.writes : counts.reads;
    ++d.requests;
    d.sectors += ticket.count;
    d.nanoseconds += now - ticket.entered;
    counts.failed += failed;
    if (--in_queue_ == 0) busy_nanoseconds_ += now - busy_since_;
    grant_next();
}

DiskCounts DiskQueue::read_counts(const DiskCounts& counts) {
    LockGuard guard(lock_);
    DiskCounts copy = counts;
    copy.in_flight = in_queue_;
    copy.travel = head_.travel();
    copy.busy_nanoseconds = busy_nanoseconds_;
    if (in_queue_) copy.busy_nanoseconds += monotonic_now().raw() - busy_since_;
    return copy;
}
