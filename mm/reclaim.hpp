// Reclaim: a kernel thread that makes frames free when few are left, before a thread has to wait:
// file pages that programs map but don't use, then private pages to swap, as the policy says.
// A thread that finds no frame lets go of its locks and waits for a round of it.
// Locks: swap_lock; address spaces are only tried, so that it waits for none.
#pragma once

#include <cstdint>

#include "kernel/lib/atomic.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

class Pager;
struct Replacers;

void reclaim_start();  // the thread; once sleeping works
// A round passes; true: it is worth trying again. Holding no locks.
bool wait_for_memory();
void wait_for_eviction();  // one round, if there is swap

// attempt(), a Result, again after rounds of reclaim while it has no memory. Holding no locks; an
// attempt without memory has done nothing.
template <typename F>
auto with_memory(F&& attempt) {
    constexpr uint32_t kAttempts = 32;  // the lack may be one that reclaim can't mend
    for (uint32_t i = 1;; ++i) {
        auto result = attempt();
        if (!result.is_error() || result.error() != Errno::nomem || i == kAttempts ||
            !wait_for_memory())
            return result;
    }
}

// Frees about `wanted` frames by means that sleep; how many. fs/ installs one for mapped files.
struct SleepingReclaimer {
    // `used_too`: what has been used since the last call goes too, if nothing else is left.
    uint32_t (*reclaim)(uint32_t wanted, bool used_too);
    uint32_t (*pages)();  // that it might free; takes no lock
    // Its pages' replacement policy, by its place in the list; and that policy's tunables and time.
    void (*choose)(uint32_t policy);
    void (*tune)(Replacers& like);
    void (*tick)(uint32_t now);
    void (*each_tick)();  // of the clock, by its interrupt: takes no lock
};
extern SleepingReclaimer file_reclaimer;
void install_file_reclaimer(const SleepingReclaimer& reclaimer);

// Takes an object's page away from all who map it; unless one of them used it since it was last
// asked about, if that matters. True: nobody maps it any more. `pager` is only compared.
bool unmap_page_of(const Pager& pager, uint32_t index, Frame frame, bool even_if_used);

struct ReclaimCounts {  // since boot
    uint32_t rounds, scanned, stolen, file_unmapped, fruitless;
};
extern ReclaimCounts reclaim_counts;

// 0 .. 200: how much of what a round frees is asked of programs' pages rather than of files' first.
extern Atomic<uint32_t> swappiness;
