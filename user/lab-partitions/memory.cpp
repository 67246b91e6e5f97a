// See memory.hpp.
#include "user/lab-partitions/memory.hpp"

#include <algorithm>
#include <bit>

namespace {
constexpr size_t kNone = SIZE_MAX;
}

Memory::Memory(Scheme scheme, uint32_t units, const std::vector<uint32_t>& fixed)
    : scheme_(scheme) {
    if (scheme == Scheme::fixed) {
        uint32_t start = 0;
        for (uint32_t size : fixed) {
            pieces_.push_back({start, size});
            start += size;
        }
    } else {
        pieces_.push_back({0, scheme == Scheme::buddy ? std::bit_floor(units) : units});
    }
}

// Worst fit and best fit look at all holes; of equals the lowest is chosen.
size_t Memory::choose(uint32_t units) {
    size_t best = kNone;
    const bool by_size =
        scheme_ != Scheme::first_fit && scheme_ != Scheme::next_fit && scheme_ != Scheme::single;
    size_t from = 0;
    if (scheme_ == Scheme::next_fit)
        while (from < pieces_.size() && pieces_[from].start < hand_) ++from;
    for (size_t n = 0; n < pieces_.size(); ++n) {
        const size_t i = (from + n) % pieces_.size();
        const Piece& piece = pieces_[i];
        if (!piece.hole()) continue;
        ++searched_;
        if (piece.size < units) continue;
        if (!by_size) return i;
        if (scheme_ == Scheme::quick_fit && piece.size == units) return i;
        const bool better =
            best == kNone || (scheme_ == Scheme::worst_fit ? piece.size > pieces_[best].size
                                                           : piece.size < pieces_[best].size);
        // Quick fit: the size's own list, else first fit.
        if (better && !(scheme_ == Scheme::quick_fit && best != kNone)) best = i;
    }
    return best;
}

bool Memory::take(const std::string& owner, uint32_t units) {
    size_t chosen = choose(units);
    if (chosen == kNone && scheme_ == Scheme::quick_fit) {
        join_all_holes();
        chosen = choose(units);
    }
    if (chosen == kNone) return false;
    if (scheme_ == Scheme::buddy)
        for (const uint32_t size = std::bit_ceil(units); pieces_[chosen].size > size;) {
            const uint32_t half = pieces_[chosen].size /= 2;
            pieces_.insert(pieces_.begin() + static_cast<long>(chosen) + 1,
                           {pieces_[chosen].start + half, half});
        }
    else if (dynamic() && pieces_[chosen].size > units) {
        const Piece rest{pieces_[chosen].start + units, pieces_[chosen].size - units};
        pieces_.insert(pieces_.begin() + static_cast<long>(chosen) + 1, rest);
        pieces_[chosen].size = units;
    }
    pieces_[chosen].owner = owner;
    pieces_[chosen].wanted = units;
    hand_ = pieces_[chosen].start + pieces_[chosen].size;
    return true;
}

bool Memory::has(const std::string& owner) const {
    return std::ranges::find(pieces_, owner, &Piece::owner) != pieces_.end();
}

uint32_t Memory::give(const std::string& owner) {
    const auto found = std::ranges::find(pieces_, owner, &Piece::owner);
    found->owner.clear();
    found->wanted = 0;
    auto index = static_cast<size_t>(found - pieces_.begin());
    if (scheme_ == Scheme::buddy) return join_buddies(index);
    if (!dynamic() || scheme_ == Scheme::quick_fit) return 0;
    uint32_t neighbours = 0;
    if (index + 1 < pieces_.size() && pieces_[index + 1].hole()) {
        join(index);
        neighbours |= 2;
    }
    if (index > 0 && pieces_[index - 1].hole()) {
        join(index - 1);
        neighbours |= 1;
    }
    return neighbours;
}

void Memory::join(size_t index) {
    pieces_[index].size += pieces_[index + 1].size;
    pieces_.erase(pieces_.begin() + static_cast<long>(index) + 1);
}

void Memory::join_all_holes() {
    for (size_t i = 0; i + 1 < pieces_.size();)
        if (pieces_[i].hole() && pieces_[i + 1].hole())
            join(i);
        else
            ++i;
}

uint32_t Memory::join_buddies(size_t index) {
    uint32_t joined = 0;
    for (;; ++joined) {
        const uint32_t size = pieces_[index].size, buddy = pieces_[index].start ^ size;
        const auto other = std::ranges::find(pieces_, buddy, &Piece::start);
        if (other == pieces_.end() || !other->hole() || other->size != size) return joined;
        index = std::min(index, static_cast<size_t>(other - pieces_.begin()));
        join(index);
    }
}

bool Memory::compact() {
    if (!dynamic() || scheme_ == Scheme::buddy) return false;
    const Piece& last = pieces_.back();
    const uint32_t end = last.start + last.size;
    std::erase_if(pieces_, [](const Piece& piece) { return piece.hole(); });
    uint32_t start = 0;
    for (Piece& piece : pieces_) {
        piece.start = start;
        start += piece.size;
    }
    if (start < end) pieces_.push_back({start, end - start});
    hand_ = start;
    return true;
}

Fragmentation Memory::fragmentation() const {
    Fragmentation sum{.in_pieces = dynamic()};
    for (const Piece& piece : pieces_) {
        if (piece.hole()) {
            ++sum.holes;
            sum.free += piece.size;
            sum.largest = std::max(sum.largest, piece.size);
        } else {
            sum.used += piece.size;
            sum.wanted += piece.wanted;
        }
    }
    return sum;
}
