// See disk_queue.hpp.
#include "drivers/disk_queue.hpp"

#include "drivers/disk_trace.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"

namespace {

constexpr uint64_t kReadDeadline = 500'000'000, kWriteDeadline = 5'000'000'000;  // nanoseconds
constexpr uint64_t kLongestHold = 1'000'000'000;

constinit Atomic<uint32_t> chosen_elevator = Elevators::kIndexOf<DefaultElevator>;

BlockIo& io_of(DiskRequest& request) { return static_cast<BlockIo&>(request); }

DiskCounts::Direction* direction_of(DiskCounts& counts, const BlockIo& io) {
    if (io.kind == BlockIo::Kind::flush) return nullptr;
    return io.kind == BlockIo::Kind::read ? &counts.reads : &counts.writes;
}

void note_entered(DiskUse& use, uint64_t now) {
    if (use.counts.in_flight++ == 0) use.busy_since = now;
}

void note_done(DiskUse& use, const BlockIo& io, bool merged, uint64_t now) {
    DiskCounts& c = use.counts;
    if (DiskCounts::Direction* d = direction_of(c, io)) {
        ++(merged ? d->merges : d->requests);
        d->sectors += io.count;
        d->nanoseconds += now - io.entered;
    } else {
        c.flushes += !merged;
        c.flush_nanoseconds += now - io.entered;
    }
    c.failed += io.failure != Errno{};
    if (--c.in_flight == 0) c.busy_nanoseconds += now - use.busy_since;
}

Errno failure_of(const BlockIoList& members) {
    for (const BlockIo* io = members.front(); io; io = members.next(*io))
        if (io->failure != Errno{}) return io->failure;
    return {};
}

DiskCounts up_to(const DiskUse& use, uint64_t now) {
    DiskCounts counts = use.counts;
    if (counts.in_flight) counts.busy_nanoseconds += now - use.busy_since;
    return counts;
}

}  // namespace

constinit const PolicyChoice kElevatorChoice = {
    "elevator", Elevators::kNames, [] { return chosen_elevator.relaxed(); },
    [](uint32_t which) {
        chosen_elevator.store_relaxed(which);
        for (BlockDevice& device : block_devices())
            if (DiskQueue* queue = device.queue(); queue && !device.is_partition())
                queue->set_elevator(which);
    }};

void DiskQueue::set_size(uint64_t sectors) {
    LockGuard guard(lock_);
    head_ = {.last = sectors ? sectors - 1 : 0};
}

void DiskQueue::hold(uint32_t until_waiting) {
    const uint64_t now = monotonic_now().raw();
    LockGuard guard(lock_);
    hold_until_ = until_waiting;
    hold_deadline_ = now + kLongestHold;
    if (!busy_) start_next();
}

bool DiskQueue::held() {
    if (hold_until_ && waiting_count_ < hold_until_ && monotonic_now().raw() < hold_deadline_)
        return true;
    hold_until_ = 0;
    return false;
}

// Puts `io` at one end of the run, if it belongs there.
bool DiskQueue::join(BlockIoList& run, BlockIo& io, uint32_t& sectors, uint32_t& pieces) {
    const BlockIo &first = *run.front(), &last = *run.back();
    const auto more = static_cast<uint32_t>(io.memory.size());
    if (io.kind != first.kind || sectors + io.count > kMostSectors || pieces + more > kMostPieces)
        return false;
    const bool behind = io.sector == last.sector + last.count;
    if (!behind && io.sector + io.count != first.sector) return false;
    waiting_.remove(io);
    --waiting_count_;
    behind ? run.push_back(io) : run.push_front(io);
    sectors += io.count;
    pieces += more;
    return true;
}

// The chosen one and its neighbours, for the thread that handed in the chosen one.
void DiskQueue::take_run(BlockIo& chosen) {
    BlockIoList& run = chosen.submission->turn;
    uint32_t sectors = chosen.count, pieces = static_cast<uint32_t>(chosen.memory.size());
    waiting_.remove(chosen);
    --waiting_count_;
    run.push_back(chosen);
    for (bool grew = true; grew && !waiting_.empty();) {
        grew = false;
        for (DiskRequest* request = waiting_.front(); request;) {
            DiskRequest* const next = waiting_.next(*request);
            if (join(run, io_of(*request), sectors, pieces)) grew = true;
            request = next;
        }
    }
    head_.serve(run.front()->sector, sectors);
}

void DiskQueue::start_next() {
    busy_ = false;
    if (held()) return;
    IoSubmission* turn = nullptr;
    if (!flushes_.empty() && !(flushed_last_ && !waiting_.empty())) {
        turn = flushes_.front()->submission;
        turn->turn.splice_back(flushes_);
        flushed_last_ = true;
    } else if (!waiting_.empty()) {
        Elevator& policy = elevators_.at(elevator());
        BlockIo& chosen = io_of(*policy.pick(waiting_, head_, monotonic_now().raw()));
        turn = chosen.submission;
        take_run(chosen);
        flushed_last_ = false;
    } else {
        return;
    }
    busy_ = true;
    turn->wake.wake_one();
}

void DiskQueue::enter(BlockIo& io, IoSubmission& submission, uint64_t now) {
    VERIFY(io.count <= kMostSectors && io.memory.size() <= kMostPieces);
    io.submission = &submission;
    io.entered = now;
    io.failure = Errno{};
    if (io.kind == BlockIo::Kind::read) own_io_counts().bytes_read += io.count * kSectorSize;
    note_entered(use_, now);
    if (io.partition) note_entered(*io.partition, now);
    trace_disk_queued(device_number_, io);
    if (io.kind == BlockIo::Kind::flush) return flushes_.push_back(io);
    io.arrival = arrivals_++;
    io.deadline = now + (io.kind == BlockIo::Kind::read ? kReadDeadline : kWriteDeadline);
    waiting_.push_back(io);
    ++waiting_count_;
}

// A hold may begin and end while we wait, so we look again now and then.
void DiskQueue::await_turn(IoSubmission& submission) {
    auto ready = [&] { return !submission.turn.empty() || !submission.left; };
    if (ready()) return;
    const Nanoseconds deadline = monotonic_now() + kLongestHold;
    const WaitOptions options{.interruptible = false, .deadline = deadline, .reason = "disk queue"};
    submission.wake.wait(lock_, ready, options);
    if (!busy_) start_next();
}

// The lock is open while the server works.
void DiskQueue::serve(IoSubmission& submission) {
    BlockIoList members;
    members.splice_back(submission.turn);
    const BlockIo &first = *members.front(), &last = *members.back();
    const auto count = static_cast<uint32_t>(last.sector + last.count - first.sector);
    const DiskRun run{first.kind, first.sector, count, members};
    trace_disk_issued(device_number_, run);
    lock_.unlock();
    server_.serve(run);
    lock_.lock();
    trace_disk_done(device_number_, run, failure_of(members));
    finish(members);
    start_next();
}

void DiskQueue::finish(BlockIoList& members) {
    const uint64_t now = monotonic_now().raw();
    bool merged = false;
    while (BlockIo* io = members.pop_front()) {
        note_done(use_, *io, merged, now);
        if (io->partition) note_done(*io->partition, *io, merged, now);
        merged = true;
        if (--io->submission->left == 0) io->submission->wake.wake_one();
    }
}

Result<void> DiskQueue::run(std::span<BlockIo> list) {
    IoSubmission submission;
    const uint64_t now = monotonic_now().raw();
    {
        LockGuard guard(lock_);
        submission.left = static_cast<uint32_t>(list.size());
        for (BlockIo& io : list) enter(io, submission, now);
        if (!busy_) start_next();
        while (submission.left) {
            await_turn(submission);
            if (!submission.turn.empty()) serve(submission);
        }
    }
    for (const BlockIo& io : list)
        if (io.failure != Errno{}) return io.failure;
    return {};
}

DiskCounts DiskQueue::counts() {
    const uint64_t now = monotonic_now().raw();
    LockGuard guard(lock_);
    DiskCounts counts = up_to(use_, now);
    counts.travel = head_.travel;
    return counts;
}

DiskCounts DiskQueue::counts_of(const DiskUse& partition) {
    const uint64_t now = monotonic_now().raw();
    LockGuard guard(lock_);
    return up_to(partition, now);
}
