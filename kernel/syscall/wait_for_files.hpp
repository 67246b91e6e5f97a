// Waiting for several files at once. A round joins the wait queues of all files and asks each what is
// ready; if none is, the thread parks. A wake-up takes a queue's waiters off it, so every round joins again.
#pragma once

#include "kernel/sched/clock.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/syscall/wait_mask.hpp"

// The queues that one round has joined; leaves them when it ends.
class JoinedQueues final : public PollTable {
  public:
    ~JoinedQueues() {
        while (Place* place = places_.pop_front()) {
            place->queue->remove(place->waiter);
            if (place->on_heap) delete place;
        }
    }
    void join(WaitQueue& queue, uint32_t, RefCounted* owner) override {
        Place* place = used_ < kInline ? &inline_[used_++] : new (std::nothrow) Place;
        if (!place) {
            failed_ = true;
            return;
        }
        place->on_heap = place < inline_ || place >= inline_ + kInline;
        place->queue = &queue;
        place->file = file_;
        place->owner = Ref<RefCounted>(owner);
        places_.push_back(*place);
        queue.add(place->waiter);
    }
    // The file that is asked next: it, and so its queues, stay while we are on them.
    void set_file(const Ref<File>& file) { file_ = file; }
    bool failed() const { return failed_; }
    // Whether a queue has been woken. Asking later files may sleep for their locks, and that takes
    // the permit which the wake-up left for park().
    bool any_woken() {
        for (Place& place : places_)
            if (!place.waiter.node.linked()) return true;
        return false;
    }

  private:
    static constexpr uint32_t kInline = 6;
    struct Place {
        ListNode node;
        Waiter waiter;
        WaitQueue* queue = nullptr;
        Ref<File> file;
        Ref<RefCounted> owner;
        bool on_heap = false;
    };
    Place inline_[kInline];
    uint32_t used_ = 0;
    List<Place, &Place::node> places_;
    Ref<File> file_;
    bool failed_ = false;
};

// What is ready on `fd`, widened by the bits that mean the same; EBADF.
inline Result<uint32_t> ready_on(int fd, JoinedQueues* table) {
    Ref<File> file = TRY(file_of(fd));
    if (file->flags() & kOpenPath) return Errno::badf;
    if (table) table->set_file(file);
    return with_normal_bits(file->poll(table));
}

// Calls check(table) until it finds something ready (and returns how much), the time is up or a
// signal comes.
struct Timeout {
    bool waits = true;
    Nanoseconds deadline{0};  // 0: none
};
template <typename F>
Result<uint32_t> wait_for_files(Timeout timeout, F&& check) {
    bool interrupted = false;
    for (;;) {
        JoinedQueues table;
        uint32_t ready = TRY(check(timeout.waits ? &table : nullptr));
        if (ready) return ready;
        if (interrupted) return Errno::restart_no_handler;
        if (!timeout.waits) return 0u;
        if (table.failed()) return Errno::nomem;
        if (table.any_woken()) continue;
        Woken woken = park({.deadline = timeout.deadline, .reason = "poll"});
        interrupted = woken == Woken::interrupted;
        timeout.waits = woken == Woken::condition;
    }
}

template <typename T>
Result<Timeout> timeout_from(UserPtr<T> from) {
    if (!from) return Timeout{};
    T time = TRY(read_user(UserPtr<const T>(from.address().raw())));
    if constexpr (requires { time.microseconds; }) {  // select() takes any number of them
        constexpr int32_t kSecond = 1'000'000;
        if (time.microseconds < 0 || time.seconds < 0) return Errno::inval;
        const int32_t more = time.microseconds / kSecond;
        time.seconds = time.seconds > INT32_MAX - more ? INT32_MAX : time.seconds + more;
        time.microseconds %= kSecond;
    }
    const Nanoseconds wait = TRY(nanoseconds_of(time));
    return Timeout{wait.raw() != 0, deadline_after(monotonic_now(), wait)};
}

// Linux tells what was left of the time, unless the personality has STICKY_TIMEOUTS: then an interrupted
// call can't go on with that, and is EINTR. A failure to tell is not reported. `result`: the call's.
template <typename T>
Result<uint32_t> tell_time_left(UserPtr<T> to, const Timeout& timeout, Result<uint32_t> result) {
    constexpr uint32_t kStickyTimeouts = 0x4000000;
    if (!to) return result;
    if (current_process().personality & kStickyTimeouts) {
        if (result.is_error() && result.error() == Errno::restart_no_handler) return Errno::intr;
        return result;
    }
    Nanoseconds now = monotonic_now();
    uint64_t left = timeout.waits && timeout.deadline > now ? timeout.deadline - now : 0;
    static_cast<void>(write_user(to, to_time<T>(Nanoseconds(left))));
    return result;
}
