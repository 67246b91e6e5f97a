// See commitment.hpp.
#include "mm/commitment.hpp"

#include "mm/frames.hpp"
#include "mm/swap.hpp"

constinit CommitmentRule commitment_rule{};

namespace {
constinit Atomic<uint32_t> promised = 0;
}

void change_commitment(int32_t pages) { promised.fetch_add(static_cast<uint32_t>(pages)); }

Commitment commitment() {
    const uint32_t kilobytes = commitment_rule.kilobytes;
    const uint64_t share = kilobytes
                               ? kilobytes / (kPageSize / 1024)
                               : uint64_t{memory_totals().total} * commitment_rule.ratio / 100;
    return {promised.relaxed(), static_cast<uint32_t>(share) + swap_totals().total};
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
