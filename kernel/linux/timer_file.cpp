// See timer_file.hpp. An expired timer is not started again before it is read: however short
// its period, one that nobody reads costs one interrupt.
#include "kernel/linux/timer_file.hpp"

#include "kernel/lib/start_up.hpp"

namespace {

constinit Mutex clock_timers{LockRank::watched_files};
constinit List<TimerFile, &TimerFile::clock_node> following GUARDED_BY(clock_timers);

}  // namespace

TimerFile::TimerFile(bool real_time, uint32_t flags)
    : AnonymousFile(flags, "anon_inode:[timerfd]"), real_time_(real_time) {
    timer_.fire = fire;
    timer_.file = this;
    if (!real_time) return;
    LockGuard guard(clock_timers);
    following.push_back(*this);
}

TimerFile::~TimerFile() {
    if (real_time_) {
        LockGuard guard(clock_timers);
        clock_node.unlink();
    }
    cancel_timer(timer_);
}

void TimerFile::fire(Timer& timer) {
    TimerFile& self = *static_cast<OneShot&>(timer).file;
    {
        LockGuard guard(self.lock_);
        self.expired_ = true;
    }
    self.readers_.wake_all();
}

TimerFile::Setting TimerFile::setting_locked() {
    if (!next_.raw()) return {Nanoseconds(0), interval_};
    const uint64_t now = monotonic_now().raw();
    uint64_t next = next_.raw();
    if (expired_ && !interval_.raw()) return {Nanoseconds(0), interval_};
    if (interval_.raw() && next <= now)
        next += ((now - next) / interval_.raw() + 1) * interval_.raw();
    return {Nanoseconds(next > now ? next - now : 1), interval_};
}

TimerFile::Setting TimerFile::setting() {
    LockGuard guard(lock_);
    return setting_locked();
}

TimerFile::Setting TimerFile::set(const Wanted& wanted) {
    const bool follows = real_time_ && wanted.absolute;
    LockGuard setter(settings_);
    cancel_timer(timer_);
    Setting old;
    bool over;
    Nanoseconds deadline{0};
    {
        LockGuard guard(lock_);
        old = setting_locked();
        const uint64_t now = monotonic_now().raw();
        if (wanted.value.raw()) {
            const uint64_t value = wanted.value.raw();
            if (follows)
                deadline = monotonic_at(wanted.value);
            else
                deadline = Nanoseconds(wanted.absolute           ? value
                                       : value > INT64_MAX - now ? INT64_MAX
                                                                 : now + value);
        }
        next_ = deadline;
        interval_ = wanted.interval;
        cancelled_ = false;
        over = expired_ = deadline.raw() && deadline.raw() <= now;
        follows_clock_ = follows;
        cancel_on_set_ = follows && wanted.cancel_on_set;
    }
    if (over)
        readers_.wake_all();
    else if (deadline.raw())
        start_timer(timer_, deadline);
    return old;
}

void TimerFile::clock_was_set(int64_t by) {
    LockGuard setter(settings_);
    Nanoseconds deadline{0};
    bool cancelled;
    {
        LockGuard guard(lock_);
        if (!follows_clock_) return;
        cancelled = cancelled_ = cancel_on_set_;
        if (next_.raw() && !expired_) {
            const auto moved = static_cast<int64_t>(next_.raw()) - by;
            next_ = deadline = Nanoseconds(moved > 0 ? static_cast<uint64_t>(moved) : 1);
        }
    }
    if (deadline.raw() && cancel_timer(timer_)) start_timer(timer_, deadline);
    if (cancelled) readers_.wake_all();
}

// How often it has expired, and makes it go on.
uint64_t TimerFile::take_expirations() {
    expired_ = false;
    if (!interval_.raw()) {
        next_ = Nanoseconds(0);
        return 1;
    }
    const uint64_t now = monotonic_now().raw();
    const uint64_t times =
        now > next_.raw() ? (now - next_.raw()) / interval_.raw() + 1 : uint64_t(1);
    next_ = next_ + times * interval_.raw();
    return times;
}

Result<uint32_t> TimerFile::read_at(ByteSink& to, uint64_t) {
    uint64_t times = 0;
    if (to.remaining() < sizeof times) return Errno::inval;
    Nanoseconds next{0};
    {
        LockGuard guard(lock_);
        if (!has_news() && non_blocking()) return Errno::again;
        const Woken woken = readers_.wait(lock_, [&]() NO_LOCK_ANALYSIS { return has_news(); },
                                          {.reason = "timerfd_read"});
        if (woken != Woken::condition) return Errno::restart;
        if (std::exchange(cancelled_, false)) return Errno::canceled;
        times = take_expirations();
        next = next_;
    }
    if (next.raw()) {
        // A thread that set it meanwhile has started it.
        LockGuard setter(settings_);
        LockGuard guard(lock_);
        if (next_ == next && !expired_) start_timer(timer_, next);
    }
    if (to.put(&times, sizeof times) != sizeof times) return Errno::fault;
    return static_cast<uint32_t>(sizeof times);
}

uint32_t TimerFile::poll(PollTable* table) {
    if (table) table->watch(readers_, kPollIn);
    LockGuard guard(lock_);
    return has_news() ? kPollIn : 0;
}

Result<Ref<File>> make_timer_file(bool real_time, uint32_t flags) {
    return Ref<File>(TRY(make_ref<TimerFile>(real_time, flags)));
}

namespace {
constinit HookList<int64_t>::Hook clock_hook{[](int64_t by) {
    LockGuard guard(clock_timers);
    for (TimerFile& timer : following) timer.clock_was_set(by);
}};
void timer_files_init() { realtime_was_set.add(clock_hook); }
AT_START_UP(timer_files_init);
}  // namespace
