// See cpu_clock.hpp.
#include "kernel/linux/cpu_clock.hpp"

#include "kernel/lib/start_up.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/syscall/time_clocks.hpp"

namespace {

// Of a process: the alarms by its clock, and by those of its threads.
struct CpuAlarms final : Attachment {
    static constexpr char kKind = 0;
    List<CpuAlarm, &CpuAlarm::alarm_node> list;
};

// The bits of a clock's number: its kind, one that says it is a thread's, and the complement of the id.
constexpr int kKindBits = 3, kOfThread = 4, kIdShift = 3;
enum : int { all_by_ticks = 0, user_by_ticks = 1, all_exactly = 2 };

Result<Nanoseconds> read_cpu_clock(int number) {
    const UsageClock clock = TRY(cpu_clock_named(number));
    LockGuard guard(process_tree);
    return clock.now();
}

void look_at_alarms(Process& process) {
    auto* alarms = process.attached.get<CpuAlarms>();
    if (!alarms) return;
    LockGuard guard(process_tree);
    for (CpuAlarm& alarm : alarms->list) {
        if (alarm.cpu_clock.now() < alarm.cpu_deadline) continue;
        alarm.alarm_node.unlink();
        alarm.cpu_fire(alarm);
    }
}

}  // namespace

Nanoseconds UsageClock::now() const {
    if (thread) return Nanoseconds(user_only ? thread->user_time : cpu_time_of(*thread));
    CpuTimes sum = process->dead_threads;
    for (Thread& each : process->threads) sum.add(times_of(each));
    return Nanoseconds(sum.user + (user_only ? 0 : sum.kernel));
}

Result<UsageClock> cpu_clock_named(int number) {
    if (number == 2) return UsageClock{Ref(current_process()), nullptr};
    if (number == 3) return UsageClock{Ref(current_process()), Ref(current_thread())};
    const int kind = number & kKindBits, id = ~(number >> kIdShift);
    if (number >= 0 || kind > all_exactly || id < 0) return Errno::inval;
    UsageClock clock;
    clock.user_only = kind == user_by_ticks;
    if (number & kOfThread) {
        clock.thread = id ? find_thread(id) : Ref(current_thread());
        if (!clock.thread || clock.thread->process != &current_process()) return Errno::inval;
        clock.process = clock.thread->owner;
    } else {
        clock.process = id ? find_process(id) : Ref(current_process());
        if (!clock.process) return Errno::inval;
    }
    return clock;
}

Result<void> prepare_cpu_alarm(CpuAlarm& alarm) {
    TRY(alarm.cpu_clock.process->attached.get_or_make<CpuAlarms>());
    return {};
}

void set_cpu_alarm(CpuAlarm& alarm) {
    alarm.cpu_clock.process->attached.get<CpuAlarms>()->list.push_back(alarm);
}

namespace {

constinit HookList<Process&>::Hook tick_hook{look_at_alarms};
void cpu_clock_init() {
    other_clock = read_cpu_clock;
    process_ticks.add(tick_hook);
}
AT_START_UP(cpu_clock_init);

}  // namespace
