// See commitment.hpp.
#include "mm/commitment.hpp"

#include "mm/frames.hpp"
#include "mm/swap.hpp"

constinit CommitmentRule commitment_rule{};

namespace {
constinit uint32_t promised = 0;  // atomic
}

void change_commitment(int32_t pages) {
    __atomic_fetch_add(&promised, static_cast<uint32_t>(pages), __ATOMIC_RELAXED);
}

Commitment commitment() {
    const uint32_t kilobytes = commitment_rule.kilobytes;
    const uint64_t share = kilobytes
                               ? kilobytes / (kPageSize / 1024)
                               : uint64_t{memory_totals().total} * commitment_rule.ratio / 100;
    return {__atomic_load_n(&promised, __ATOMIC_RELAXED),
            static_cast<uint32_t>(share) + swap_totals().total};
}

Result<void> check_commitment(uint32_t pages) {
    if (commitment_rule.overcommit == 1) return {};
    if (commitment_rule.overcommit == 0) {
        if (pages <= memory_totals().total) [[likely]]
            return {};
        if (pages > memory_totals().total + swap_totals().total) return Errno::nomem;
        return {};
    }
    const Commitment now = commitment();
    if (pages > now.limit || now.promised > now.limit - pages) return Errno::nomem;
    return {};
}
