// TlbModel: a counted TLB: sets of ways, filled on a miss, with a replacement rule. QEMU's own TLB
// has neither sets nor a cost, so hit rates and access times are counted here, on real traces.
// Pure: the caller's array holds the entries; no allocation.
// Invariant: a page is in at most one way, of the set that its number modulo the sets says.
// Locks: none; the owner guards it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

enum class TlbReplacement : uint8_t { lru, fifo, random };
constexpr std::string_view kTlbReplacementNames[] = {"lru", "fifo", "random"};

struct TlbCounts {
    uint64_t accesses = 0, hits = 0, flushes = 0;
    // Effective access time in thousandths of the unit of both arguments, rounded, by the course's
    // formula a*l + (1-a)*(t+l) + t = 2t + l - a*t: hit rate a, look-up l, memory access t.
    // Lab 11.4: stub { (void)memory; (void)lookup; return 0; }
    uint64_t access_time(uint64_t memory, uint64_t lookup) const {
        if (!accesses) return 0;
        return 1000 * (memory + lookup) + rounded(1000 * memory * (accesses - hits));
    }
    // Hits among the accesses, in ten-thousandths, rounded. Both are 0 before the first access.
    // Lab 11.4: stub { return 0; }
    uint32_t hit_rate() const {
        return accesses ? static_cast<uint32_t>(rounded(10'000 * hits)) : 0;
    }

  private:
    uint64_t rounded(uint64_t sum) const { return (sum + accesses / 2) / accesses; }
};

class TlbModel {
  public:
    struct Entry {
        uint32_t page = 0;
        uint64_t stamp = 0;  // when loaded (fifo) or last used (lru); 0: free
        bool global = false;
    };

    // As many sets as entries / ways; one set is a fully associative TLB, one way a directly mapped.
    TlbModel(std::span<Entry> entries, uint32_t ways, TlbReplacement replacement)
        : entries_(entries), ways_(ways), replacement_(replacement) {
        for (Entry& entry : entries_) entry = {};
    }

    // Whether the page was in its set; it is now, in place of the victim if need be. Counts accesses and
    // hits. Time (now_) is one more at each access; a stamp is when an entry was loaded, under LRU when it
    // was last used.
    // Lab 11.4: stub { (void)page; (void)global; ++counts_.accesses; return false; }
    bool access(uint32_t page, bool global = false) {
        ++counts_.accesses;
        ++now_;
        const std::span<Entry> set = set_of(page);
        for (Entry& entry : set)
            if (entry.stamp && entry.page == page) {
                ++counts_.hits;
                if (replacement_ == TlbReplacement::lru) entry.stamp = now_;
                return true;
            }
        victim(set) = {page, now_, global};
        return false;
    }

    void flush(bool global_too) {
        ++counts_.flushes;
        for (Entry& entry : entries_)
            if (global_too || !entry.global) entry.stamp = 0;
    }
    void flush_page(uint32_t page) {
        ++counts_.flushes;
        for (Entry& entry : set_of(page))
            if (entry.page == page) entry.stamp = 0;
    }

    const TlbCounts& counts() const { return counts_; }

  private:
    // The set that the page's number modulo the number of sets says: `ways_` entries side by side.
    // Lab 11.4: stub { (void)page; return entries_; }
    std::span<Entry> set_of(uint32_t page) {
        const uint32_t sets = static_cast<uint32_t>(entries_.size()) / ways_;
        return entries_.subspan(page % sets * ways_, ways_);
    }

    // A free way (stamp 0), the first of them; else the one with the lowest stamp, or, if the rule is
    // random, that which any() says.
    // Lab 11.4: stub { return set[0]; }
    Entry& victim(std::span<Entry> set) {
        Entry* oldest = &set[0];
        for (Entry& entry : set) {
            if (!entry.stamp) return entry;
            if (entry.stamp < oldest->stamp) oldest = &entry;
        }
        if (replacement_ != TlbReplacement::random) return *oldest;
        return any(set);
    }
    Entry& any(std::span<Entry> set) {
        random_ ^= random_ << 13, random_ ^= random_ >> 17, random_ ^= random_ << 5;
        return set[random_ % ways_];
    }

    std::span<Entry> entries_;
    uint32_t ways_;
    TlbReplacement replacement_;
    uint64_t now_ = 0;
    uint32_t random_ = 0x9e3779b9;
    TlbCounts counts_{};
};
