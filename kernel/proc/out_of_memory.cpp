// See out_of_memory.hpp.
#include "kernel/proc/out_of_memory.hpp"

#include "kernel/lib/log.hpp"
#include "kernel/proc/process_table.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/scheduler.hpp"
#include "mm/memory_use.hpp"

namespace {

Ref<AddressSpace> space_of(const Process& process) {
    LockGuard guard(process_tree);
    return process.life == Life::alive ? process.space : nullptr;
}

struct Victim {
    Ref<Process> process;
    MemoryUse use{};
    bool leaving = false;
};

uint32_t pages_of(const Victim& victim) {
    return victim.use.resident + victim.use.swapped + victim.use.tables;
}

// What counts for a process: all that its user's programs have together, and what lies in that user's
// pipes and sockets; each of the superuser's counts for itself. So a user who spreads over many small
// processes, or over the kernel, pays before a system's service does.
struct UserTotal {
    UserAccount* account = nullptr;
    uint32_t pages = 0;
};
constexpr uint32_t kMostUsers = 16;  // more of them are not told apart: the later count as one

class UserTotals {
  public:
    uint32_t& of(UserAccount& account) {
        for (UserTotal& total : totals_) {
            if (!total.account) total = {&account, account.buffer_pages};
            if (total.account == &account) return total.pages;
        }
        return totals_[kMostUsers - 1].pages;
    }

  private:
    UserTotal totals_[kMostUsers];
};

// Calls visit(victim) for each process that may be chosen.
template <typename F>
void for_each_candidate(F&& visit) {
    for (Ref<Process> p = next_process(2); p; p = next_process(p->pid + 1)) {
        const Ref<AddressSpace> space = space_of(*p);
        if (space && p.get() != init_process && p->out_of_memory_bias.relaxed() > -kMostBias)
            visit(Victim{p, memory_use(*space), p->group_exit && p.get() != &current_process()});
    }
}

uint32_t with_bias(uint32_t pages, const Process& process) {
    const int64_t bias = process.out_of_memory_bias.relaxed();
    const int64_t weight = pages + bias * memory_totals().total / kMostBias;
    return weight > 0 ? static_cast<uint32_t>(weight) : 0;
}

}  // namespace

uint32_t out_of_memory_score(Process& process) {
    const Ref<AddressSpace> space = space_of(process);
    if (!space || &process == init_process || process.out_of_memory_bias.relaxed() <= -kMostBias)
        return 0;
    const Victim victim{Ref<Process>(process), memory_use(*space)};
    return static_cast<uint32_t>(uint64_t{with_bias(pages_of(victim), process)} * 1000 /
                                 memory_totals().total);
}

namespace {

Victim choose_victim() {
    UserTotals totals;
    Victim chosen;
    uint32_t chosen_weight = 0;
    for_each_candidate([&](const Victim& v) {
        if (v.process->account->uid) totals.of(*v.process->account) += pages_of(v);
    });
    for_each_candidate([&](const Victim& v) {
        if (chosen.leaving) return;
        const bool superuser = v.process->account->uid == 0;
        const uint32_t weight =
            with_bias(superuser ? pages_of(v) : totals.of(*v.process->account), *v.process);
        const bool heavier =
            weight > chosen_weight || (weight == chosen_weight && pages_of(v) >= pages_of(chosen));
        if (!v.leaving && !heavier) return;
        chosen = v;
        chosen_weight = weight;
    });
    return chosen;
}

// A victim that has just been chosen gives its memory back soon, even if its process is gone
// already: nobody else is chosen meanwhile.
constexpr uint64_t kGrace = 200'000'000;     // nanoseconds
constinit Atomic<uint32_t> grace_until = 0;  // milliseconds

uint32_t milliseconds() { return static_cast<uint32_t>(monotonic_now().raw() / 1'000'000); }

bool wait_for_victim() {
    if (static_cast<int32_t>(grace_until.relaxed() - milliseconds()) <= 0) return false;
    park({.interruptible = true, .deadline = monotonic_now() + kGrace / 20, .reason = "memory"});
    return true;
}
void note_victim() {
    grace_until.store_relaxed(milliseconds() + static_cast<uint32_t>(kGrace / 1'000'000));
}

}  // namespace

bool make_room_for_current() {
    if (!current_process().group_exit && wait_for_victim()) return true;
    const Victim victim = choose_victim();
    note_victim();
    // Init never ends for lack of memory: it waits for whatever else does.
    if (!victim.process && &current_process() == init_process) return wait_for_victim();
    if (!victim.process || victim.process.get() == &current_process() ||
        current_process().group_exit)
        return false;
    if (!victim.leaving) {
        log_warning(
            "out of memory: {} wants a page; {}[{}], {} KiB in memory and {} KiB in swap, "
            "is killed",
            static_cast<const char*>(current_thread().name), victim.process->name(),
            victim.process->pid, victim.use.resident * 4, victim.use.swapped * 4);
        kill_process(*victim.process);
    }
    yield();
    return true;
}
