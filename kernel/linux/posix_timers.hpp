// The timers of a process that its programs create, any number of them: each sends a signal when it
// expires, or nothing.
// Locks: `settings` (Mutex) for who creates, sets, or deletes; the tree is changed under that and the
// process' signal_lock, so either is enough to walk it. A timer that is running is changed by the timer
// interrupt only: other code stops it before looking at it. One by CPU time is under process_tree.
// Spec: timer_create(2), timer_settime(2), timer_getoverrun(2).
#pragma once

#include "fs/user_account.hpp"
#include "kernel/lib/hooks.hpp"
#include "kernel/lib/ordered_tree.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/linux/cpu_clock.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sync/mutex.hpp"

class Process;
struct SignalInfo;

// What a timer does when it expires.
struct TimerNotice {
    enum class Way : uint8_t { none, process, thread };
    Way way = Way::none;
    int signal = 0;
    int tid = 0;         // whose signal it is, if a thread's
    uint32_t value = 0;  // comes with it
};

// By a clock of the machine it is a Timer; by one that counts CPU time a CpuAlarm.
struct PosixTimer : Timer, CpuAlarm {
    TreeNode id_node;
    Process* process = nullptr;
    int id = 0;
    TimerNotice notice;
    Ref<UserAccount> payer;
    bool real_time = false;  // absolute times are on that clock
    bool by_cpu() const { return cpu_clock.process != nullptr; }
    Nanoseconds interval{0};
    uint32_t overrun = 0;  // of the signal that was taken last (signal_lock)
};

class PosixTimers final : public Attachment {
  public:
    static constexpr char kKind = 0;
    struct Setting {
        Nanoseconds left{0}, interval{0};  // left 0: it is off
    };
    struct Wanted {
        Nanoseconds value{0}, interval{0};  // value 0: off
        bool absolute = false;
    };

    explicit PosixTimers(Process& process) : process_(process) {}
    ~PosixTimers() override { remove_all(); }

    // The new one's number, which without a notice is the value of its SIGALRM. EAGAIN: no memory.
    // `cpu` null: it goes by the machine's time.
    Result<int> add(const TimerNotice* notice, bool real_time, const UsageClock* cpu);
    // EINVAL, here and below: there is no such timer.
    Result<void> remove(int id);
    void remove_all();
    Result<Setting> set(int id, const Wanted& wanted);  // what it was
    Result<Setting> setting(int id);
    Result<uint32_t> overrun(int id);

    // `info` has been taken. Locks: signal_lock.
    void note_taken(const SignalInfo& info);

  private:
    PosixTimer* find(int id);
    Result<Setting> set_by_cpu(PosixTimer& timer, const Wanted& wanted);

    Mutex settings_{LockRank::process_timers};
    Process& process_;
    OrderedTree<PosixTimer, &PosixTimer::id_node, &PosixTimer::id> timers_;
    int next_id_ = 0;
};
