// Waiting for several files at once: poll, select and their variants.
// A round joins the wait queues of all files and asks each what is ready; if none is, the thread
// parks. A wake-up takes a queue's waiters off it, so every round joins again.
// Spec: poll(2), select(2).
#include "kernel/sched/clock.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/syscall/wait_mask.hpp"

struct PollFd {
    int32_t fd;
    uint16_t wanted, found;
};
static_assert(sizeof(PollFd) == 8);

namespace {

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
Result<uint32_t> ready_on(int fd, JoinedQueues* table) {
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

// Linux tells what was left of the time; a failure to do so is not reported.
template <typename T>
void tell_time_left(UserPtr<T> to, const Timeout& timeout) {
    if (!to) return;
    Nanoseconds now = monotonic_now();
    uint64_t left = timeout.waits && timeout.deadline > now ? timeout.deadline - now : 0;
    static_cast<void>(write_user(to, to_time<T>(Nanoseconds(left))));
}

// --- poll

Result<uint32_t> poll_files(UserPtr<PollFd> user, uint32_t count, Timeout timeout) {
    if (count > current_process().fd_limit()) return Errno::inval;
    SmallArray<PollFd, 16> files;
    TRY(files.resize(count));
    TRY(copy_from_user(files.data(), user.address(), count * sizeof(PollFd)));
    Result<uint32_t> ready = wait_for_files(timeout, [&](JoinedQueues* table) -> Result<uint32_t> {
        uint32_t found = 0;
        for (PollFd& file : files) {
            file.found = 0;
            if (file.fd < 0) continue;
            Result<uint32_t> state = ready_on(file.fd, table);
            uint32_t bits =
                state.is_ok() ? state.value() & (file.wanted | kPollAlways) : kPollInvalid;
            file.found = static_cast<uint16_t>(bits);
            if (!bits) continue;
            ++found;
            table = nullptr;  // one is ready: no need to wait
        }
        return found;
    });
    for (uint32_t i = 0; i < count; ++i)  // after a signal too
        TRY(write_user(UserPtr<uint16_t>((user + i).address().raw() + 6), files[i].found));
    return ready;
}

}  // namespace

Result<uint32_t> sys_poll(UserPtr<PollFd> files, uint32_t count, int milliseconds) {
    Timeout timeout;
    timeout.waits = milliseconds != 0;
    if (milliseconds > 0)
        timeout.deadline =
            deadline_after(monotonic_now(), Nanoseconds(uint64_t(milliseconds) * 1'000'000));
    return poll_files(files, count, timeout);
}

template <typename T>
Result<uint32_t> sys_ppoll(UserPtr<PollFd> files, uint32_t count, UserPtr<T> time,
                           UserPtr<const SignalSet> mask, uint32_t bytes) {
    Timeout timeout = TRY(timeout_from(time));
    bool masked = TRY(apply_mask(mask, bytes));
    Result<uint32_t> result = finish_mask(masked, poll_files(files, count, timeout));
    tell_time_left(time, timeout);
    return result;
}

// --- select

struct SelectArguments {  // of call 82
    int32_t count;
    uint32_t sets[3];
    uint32_t time;
};
struct SelectMask {  // pselect6's last argument
    uint32_t mask, bytes;
};

namespace {

// Three sets of descriptors, for reading, writing and exceptions: what is asked, what was found.
class SelectSets {
  public:
    Result<void> load(int count, const UserPtr<uint32_t> (&sets)[3]) {
        if (count < 0) return Errno::inval;
        auto limit = static_cast<int>(current_process().fd_limit());
        count_ = count < limit ? count : limit;
        words_ = (static_cast<uint32_t>(count_) + 31) / 32;
        TRY(bits_.resize(words_ * 6));
        for (uint32_t i = 0; i < 6 * words_; ++i) bits_[i] = 0;
        for (uint32_t set = 0; set < 3; ++set)
            if (sets[set])
                TRY(copy_from_user(&bits_[set * words_], sets[set].address(), words_ * 4));
        return {};
    }

    Result<uint32_t> check(JoinedQueues* table) {
        constexpr uint32_t kMeaning[3] = {kPollIn | kPollHangUp | kPollError, kPollOut | kPollError,
                                          kPollPriority};
        uint32_t found = 0;
        for (int fd = 0; fd < count_; ++fd) {
            uint32_t word = static_cast<uint32_t>(fd) / 32, bit = 1u << (fd % 32);
            bool asked[3], any = false;
            for (uint32_t set = 0; set < 3; ++set)
                any |= asked[set] = bits_[set * words_ + word] & bit;
            if (!any) continue;
            uint32_t state = TRY(ready_on(fd, table));
            for (uint32_t set = 0; set < 3; ++set) {
                if (!asked[set] || !(state & kMeaning[set])) continue;
                bits_[(set + 3) * words_ + word] |= bit;
                ++found;
                table = nullptr;
            }
        }
        return found;
    }

    Result<void> store(const UserPtr<uint32_t> (&sets)[3]) {
        for (uint32_t set = 0; set < 3; ++set)
            if (sets[set])
                TRY(copy_to_user(sets[set].address(), &bits_[(set + 3) * words_], words_ * 4));
        return {};
    }

  private:
    int count_ = 0;
    uint32_t words_ = 0;
    SmallArray<uint32_t, 6 * 8> bits_;
};

Result<uint32_t> select_files(int count, const UserPtr<uint32_t> (&user)[3], Timeout timeout) {
    SelectSets sets;
    TRY(sets.load(count, user));
    uint32_t ready =
        TRY(wait_for_files(timeout, [&](JoinedQueues* table) { return sets.check(table); }));
    TRY(sets.store(user));
    return ready;
}

}  // namespace

Result<uint32_t> sys_select(int count, UserPtr<uint32_t> in, UserPtr<uint32_t> out,
                            UserPtr<uint32_t> except, UserPtr<TimeVal32> time) {
    Timeout timeout = TRY(timeout_from(time));
    Result<uint32_t> result = select_files(count, {in, out, except}, timeout);
    tell_time_left(time, timeout);
    return result;
}

Result<uint32_t> sys_old_select(UserPtr<const SelectArguments> from) {
    SelectArguments a = TRY(read_user(from));
    return sys_select(a.count, UserPtr<uint32_t>(a.sets[0]), UserPtr<uint32_t>(a.sets[1]),
                      UserPtr<uint32_t>(a.sets[2]), UserPtr<TimeVal32>(a.time));
}

template <typename T>
Result<uint32_t> sys_pselect6(int count, UserPtr<uint32_t> in, UserPtr<uint32_t> out,
                              UserPtr<uint32_t> except, UserPtr<T> time,
                              UserPtr<const SelectMask> mask) {
    Timeout timeout = TRY(timeout_from(time));
    SelectMask wanted{};
    if (mask) wanted = TRY(read_user(mask));
    bool masked = TRY(apply_mask(UserPtr<const SignalSet>(wanted.mask), wanted.bytes));
    Result<uint32_t> result = finish_mask(masked, select_files(count, {in, out, except}, timeout));
    tell_time_left(time, timeout);
    return result;
}

constexpr SystemCall kPollCalls[] = {
    CALL(82, select, sys_old_select),
    CALL(142, _newselect, sys_select),
    CALL(168, poll, sys_poll),
    CALL(308, pselect6, sys_pselect6<TimeSpec32>),
    CALL(309, ppoll, sys_ppoll<TimeSpec32>),
    CALL(413, pselect6_time64, sys_pselect6<TimeSpec64>),
    CALL(414, ppoll_time64, sys_ppoll<TimeSpec64>),
};
SYSTEM_CALLS(kPollCalls);
