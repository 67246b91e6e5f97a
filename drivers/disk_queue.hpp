// The queue before a disk: transfers wait here for their turn, in the order that the elevator gives.
// Those side by side leave together, as one request (merging); what a thread hands over in one
// submission is in the queue before the elevator is asked (plugging), and hold() keeps the elevator
// from being asked until so many wait. Flushes that wait are one request too, and come next, but
// never twice in a row while others wait. One request is under way at a time; it is carried out by
// the thread that handed in the transfer that the elevator chose.
// Invariant: a transfer is in `waiting_` or `flushes_` until it is chosen, then in its chooser's
// `turn` until it is done; a submission's thread stays until all of it is done.
// Locks: an IrqSpinLock (rank block_queue) around everything here, and around BlockIo's own fields.
#pragma once

#include "drivers/block.hpp"
#include "drivers/elevator_list.hpp"
#include "kernel/lib/policy_choice.hpp"
#include "kernel/sync/wait_queue.hpp"

using BlockIoList = List<BlockIo, &BlockIo::node>;

// What one thread handed over; lives on its stack.
struct IoSubmission {
    uint32_t left = 0;  // not done yet
    BlockIoList turn;   // to be carried out by its thread now: in order of sectors
    WaitQueue wake;
};

// A request: all of one kind, and without gaps.
struct DiskRun {
    BlockIo::Kind kind;
    uint64_t sector;
    uint32_t count;
    BlockIoList& members;
};

// The driver that carries requests out. Sets `failure` in each member.
class DiskServer {
  public:
    virtual void serve(const DiskRun& run) = 0;

  protected:
    ~DiskServer() = default;
};

// The policy of all disks, and of those that will be found: elevator=NAME, /proc/sys/dev/disk/elevator.
extern const PolicyChoice kElevatorChoice;

class DiskQueue {
  public:
    DiskQueue(DiskServer& server, uint32_t device_number)
        : server_(server), device_number_(device_number), elevator_(kElevatorChoice.current()) {}

    // Before the first request, or when the medium changed.
    void set_size(uint64_t sectors);
    // Sleeps until all of the list is done; the first failure.
    Result<void> run(std::span<BlockIo> list);

    // By its place in the list.
    uint32_t elevator() const { return elevator_.relaxed(); }
    void set_elevator(uint32_t which) { elevator_.store_relaxed(which); }
    // The elevator is next asked when so many wait, or after a second.
    void hold(uint32_t until_waiting);
    DiskCounts counts();
    DiskCounts counts_of(const DiskUse& partition);

  private:
    void enter(BlockIo& io, IoSubmission& submission, uint64_t now) REQUIRES(lock_);
    void start_next() REQUIRES(lock_);
    bool held() REQUIRES(lock_);
    bool join(BlockIoList& run, BlockIo& io, uint32_t& sectors, uint32_t& pieces) REQUIRES(lock_);
    void take_run(BlockIo& chosen) REQUIRES(lock_);
    void await_turn(IoSubmission& submission) REQUIRES(lock_);
    void serve(IoSubmission& submission) REQUIRES(lock_);
    void finish(BlockIoList& members) REQUIRES(lock_);

    DiskServer& server_;
    const uint32_t device_number_;
    Atomic<uint32_t> elevator_;

    IrqSpinLock lock_{LockRank::block_queue};
    Elevators elevators_ GUARDED_BY(lock_);
    RequestList waiting_ GUARDED_BY(lock_);  // in order of arrival
    BlockIoList flushes_ GUARDED_BY(lock_);
    uint32_t waiting_count_ GUARDED_BY(lock_) = 0;
    uint32_t hold_until_ GUARDED_BY(lock_) = 0;     // so many wait; 0: not held
    uint64_t hold_deadline_ GUARDED_BY(lock_) = 0;  // nanoseconds
    DiskHead head_ GUARDED_BY(lock_){};
    DiskUse use_ GUARDED_BY(lock_);
    uint64_t arrivals_ GUARDED_BY(lock_) = 0;
    bool busy_ GUARDED_BY(lock_) = false;
    bool flushed_last_ GUARDED_BY(lock_) = false;
};
