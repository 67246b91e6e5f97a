// The queue before a controller: threads wait here for their turn, in the order that the elevator
// gives, and count what they did. One request is under way at a time.
// Invariant: a ticket is in the list from enter() until it is granted; whoever was granted leaves.
// Locks: an IrqSpinLock (rank block_queue) around the list, the head and the counts.
#pragma once

#include "drivers/block.hpp"
#include "drivers/elevator.hpp"
#include "kernel/sync/wait_queue.hpp"

// By name, for all disks: elevator= at boot, /proc/sys/dev/disk/elevator at run time.
bool choose_elevator(std::string_view name);
Elevator current_elevator();

class DiskQueue {
  public:
    struct Ticket {
        uint64_t sector;
        uint32_t count;
        bool write;
        uint64_t arrival = 0, deadline = 0;
        uint64_t entered = 0;  // nanoseconds
        bool granted = false;
        ListNode node{};
    };

    // Before the first request.
    void set_size(uint64_t sectors) NO_LOCK_ANALYSIS { head_ = DiskHead(sectors); }

    // Sleeps until it is this request's turn.
    void enter(Ticket& ticket);
    // The request is done; the next may start.
    void leave(const Ticket& ticket, bool failed, DiskCounts& counts);
    // `counts` is guarded by this queue's lock too.
    DiskCounts read_counts(const DiskCounts& counts);

  private:
    void grant_next() REQUIRES(lock_);

    IrqSpinLock lock_{LockRank::block_queue};
    List<Ticket, &Ticket::node> waiting_ GUARDED_BY(lock_);
    WaitQueue granted_;
    DiskHead head_ GUARDED_BY(lock_){0};
    uint64_t arrivals_ GUARDED_BY(lock_) = 0;
    uint32_t in_queue_ GUARDED_BY(lock_) = 0;  // and under way
    uint64_t busy_since_ GUARDED_BY(lock_) = 0;
    uint64_t busy_nanoseconds_ GUARDED_BY(lock_) = 0;
    bool busy_ GUARDED_BY(lock_) = false;
};
