// See replay.hpp.
#include "fs/journal/replay.hpp"

#include <algorithm>

#include "fs/journal/encode.hpp"

namespace journal {

namespace {

const Header& header_of(std::span<const uint8_t> block) {
    return *reinterpret_cast<const Header*>(block.data());
}

// Whether a block is one of the journal's own, of this transaction.
bool belongs(std::span<const uint8_t> block, uint32_t sequence) {
    return header_of(block).magic == kMagic && header_of(block).sequence == sequence;
}

bool is_kind(std::span<const uint8_t> block, Kind kind) {
    return header_of(block).kind == static_cast<uint32_t>(kind);
}

}  // namespace

Errno Replay::damaged(uint32_t sequence, std::string_view what) {
    format_to(reason_, "transaction {} of the journal: {}", sequence, what);
    return Errno::inval;
}

void Replay::note_fault(std::string_view what) {
    if (fault_.empty()) fault_ = what;
}

// How many; a full descriptor may be without the mark of the last.
template <typename F>
Result<uint32_t> Replay::for_each_tag(F&& visit) const {
    const Format& format = shape_.format;
    const uint32_t end = format.block_size - format.tail_bytes(), bytes = format.tag_bytes();
    uint32_t count = 0;
    for (uint32_t at = sizeof(Header); at + bytes <= end; at += bytes) {
        Entry entry{};
        uint32_t flags, high = 0;
        if (format.checksums == Checksums::v3) {
            const auto& tag = *reinterpret_cast<const Tag3*>(&descriptor_[at]);
            flags = tag.flags;
            high = tag.block_high;
            entry.target = tag.block;
            entry.checksum = tag.checksum;
        } else {
            const auto& tag = *reinterpret_cast<const Tag*>(&descriptor_[at]);
            flags = tag.flags;
            entry.target = tag.block;
            entry.checksum = tag.checksum;
            if (format.wide) high = *reinterpret_cast<const Big32*>(&descriptor_[at + sizeof(Tag)]);
        }
        entry.wide = format.wide && high;
        entry.escaped = flags & kTagEscaped;
        TRY(visit(entry));
        ++count;
        if (!(flags & kTagSameUuid)) at += kUuidBytes;
        if (flags & kTagLast) break;
    }
    return count;
}

// False: the log would run into its own start.
bool Replay::advance(Place& place, uint32_t blocks) const {
    place.used += blocks;
    if (place.used > shape_.ring.size()) return false;
    place.block = shape_.ring.ahead(place.block, blocks);
    return true;
}

bool Replay::own_checksum_is_right(std::span<const uint8_t> block, size_t offset) const {
    if (!shape_.format.sums_blocks()) return true;
    const auto& found = *reinterpret_cast<const Big32*>(&block[offset]);
    return found == shape_.format.checksum_without(block, offset);
}

// ---- scan ----

Result<void> Replay::check_entry(const Entry& entry, const Place& place) {
    const Format& format = shape_.format;
    if (entry.wide || !store_.may_write(entry.target))
        note_fault("a block that is not the file system's");
    if (format.checksums == Checksums::none) return {};
    const std::span<const uint8_t> block = TRY(store_.read(place.block));
    if (format.checksums == Checksums::v1) {
        checksum1_ = add_to_checksum1(checksum1_, block);
        return {};
    }
    uint32_t sum = format.checksum_of(block, place.sequence);
    if (format.checksums == Checksums::v2) sum &= 0xffff;
    if (entry.checksum != sum) note_fault("bad checksum of a block");
    return {};
}

// With the blocks that it speaks of.
Result<bool> Replay::scan_descriptor(Place& place) {
    const Format& format = shape_.format;
    if (!own_checksum_is_right(descriptor_.span(), format.block_size - 4))
        note_fault("bad checksum of a descriptor");
    if (format.checksums == Checksums::v1)
        checksum1_ = add_to_checksum1(checksum1_, descriptor_.span());
    bool fits = advance(place, 1);
    TRY(for_each_tag([&](const Entry& entry) -> Result<void> {
        if (fits) TRY(check_entry(entry, place));
        fits = fits && advance(place, 1);
        return {};
    }));
    return fits;
}

// False: what it commits does not count. Checksum 1 with asynchronous commits is how a cut of power
// shows there.
Result<bool> Replay::scan_commit(std::span<const uint8_t> block, Place& place) {
    const auto& commit = *reinterpret_cast<const Commit*>(block.data());
    if (!own_checksum_is_right(block, offsetof(Commit, checksum)))
        note_fault("bad checksum of its commit block");
    if (shape_.format.checksums == Checksums::v1) {
        const bool none = !commit.checksum_type && !commit.checksum_size && !commit.checksum[0];
        const bool right = commit.checksum_type == kChecksumCrc32 &&
                           commit.checksum_size == sizeof(uint32_t) &&
                           commit.checksum[0] == checksum1_;
        if (!none && !right && shape_.asynchronous) return false;
        if (!none && !right) note_fault("bad checksum");
    }
    if (!fault_.empty()) return damaged(place.sequence, fault_);
    if (!advance(place, 1)) return false;
    ++place.sequence;
    checksum1_ = kChecksum1Start;
    return true;
}

template <typename F>
Result<void> Replay::for_each_revoke(std::span<const uint8_t> block, F&& visit) const {
    const uint32_t bytes = shape_.format.number_bytes();
    const uint32_t used = reinterpret_cast<const Revoke*>(block.data())->bytes_used;
    if (used < sizeof(Revoke) || used > block.size() - shape_.format.tail_bytes())
        return Errno::inval;
    for (uint32_t at = sizeof(Revoke); at + bytes <= used; at += bytes)
        TRY(visit(*reinterpret_cast<const Big32*>(&block[at + bytes - 4])));
    return {};
}

// One block of the log, with those that a descriptor speaks of. False: the log ended before it.
Result<bool> Replay::scan_block(Place& place) {
    if (place.used == shape_.ring.size()) return false;
    const std::span<const uint8_t> block = TRY(store_.read(place.block));
    if (!belongs(block, place.sequence)) return false;
    if (is_kind(block, Kind::descriptor)) {
        std::copy(block.begin(), block.end(), descriptor_.begin());
        return scan_descriptor(place);
    }
    if (is_kind(block, Kind::commit)) return scan_commit(block, place);
    if (!is_kind(block, Kind::revoke)) return false;
    if (!own_checksum_is_right(block, block.size() - 4))
        note_fault("bad checksum of a revoke block");
    if (for_each_revoke(block, [](uint32_t) { return Result<void>(); }).is_error())
        note_fault("a revoke block that says it is longer than a block");
    return advance(place, 1);
}

// Nothing behind the end of the log is committed: transactions are written one after the other.
Result<void> Replay::look_for_commit(Place place) {
    for (; place.used < shape_.ring.size(); advance(place, 1)) {
        const std::span<const uint8_t> block = TRY(store_.read(place.block));
        if (!belongs(block, end_) && !belongs(block, end_ + 1)) continue;
        if (is_kind(block, Kind::commit) &&
            own_checksum_is_right(block, offsetof(Commit, checksum)))
            return damaged(end_, "it does not reach its commit block");
    }
    return {};
}

Result<void> Replay::scan() {
    TRY(descriptor_.resize(shape_.format.block_size));
    end_ = shape_.sequence;
    if (!shape_.start) return {};
    Place place{shape_.start, shape_.sequence};
    Place end = place;  // behind the last commit
    checksum1_ = kChecksum1Start;
    while (TRY(scan_block(place))) {
        if (place.sequence == end.sequence) continue;
        end = place;
        end_ = end.sequence;
    }
    if (!shape_.asynchronous) TRY(look_for_commit(end));
    return {};
}

// ---- revoke ----

void Replay::sort_revoked() {
    std::sort(revoked_.begin(), revoked_.end(), [](const Revoked& a, const Revoked& b) {
        return a.block != b.block ? a.block < b.block : a.age > b.age;
    });
    const Revoked* end =
        std::unique(revoked_.begin(), revoked_.end(),
                    [](const Revoked& a, const Revoked& b) { return a.block == b.block; });
    while (revoked_.size() > static_cast<uint32_t>(end - revoked_.begin())) revoked_.pop_back();
}

// Sorted whenever there are twice as many as were different, so that memory is bounded by these.
Result<void> Replay::gather(std::span<const uint8_t> block, uint32_t age) {
    constexpr uint32_t kFew = 4096;
    TRY(for_each_revoke(block, [&](uint32_t number) -> Result<void> {
        return revoked_.push_back({number, age});
    }));
    if (revoked_.size() < revoked_limit_) return {};
    sort_revoked();
    revoked_limit_ = std::max(kFew, revoked_.size() * 2);
    return {};
}

bool Replay::is_revoked(uint32_t block, uint32_t age) const {
    const Revoked* found =
        std::lower_bound(revoked_.begin(), revoked_.end(), block,
                         [](const Revoked& a, uint32_t b) { return a.block < b; });
    return found != revoked_.end() && found->block == block && found->age >= age;
}

// ---- replay ----

// Descriptors (copied into descriptor_) and revoke blocks of what is committed.
template <typename F>
Result<void> Replay::for_each_block(F&& visit) {
    for (Place place{shape_.start, shape_.sequence}; place.sequence != end_;) {
        const std::span<const uint8_t> block = TRY(store_.read(place.block));
        if (!belongs(block, place.sequence)) return Errno::io;  // it was there a moment ago
        uint32_t blocks = 1;
        if (is_kind(block, Kind::descriptor)) {
            std::copy(block.begin(), block.end(), descriptor_.begin());
            blocks += TRY(for_each_tag([](const Entry&) { return Result<void>(); }));
            TRY(visit(Kind::descriptor, block, place));
        } else if (is_kind(block, Kind::revoke)) {
            TRY(visit(Kind::revoke, block, place));
        } else {
            ++place.sequence;
        }
        if (!advance(place, blocks)) return Errno::io;
    }
    return {};
}

Result<void> Replay::replay_entry(const Entry& entry, const Place& place) {
    if (is_revoked(entry.target, place.sequence - shape_.sequence)) {
        ++skipped_;
        return {};
    }
    std::span<const uint8_t> block = TRY(store_.read(place.block));
    if (entry.escaped) {
        std::copy(block.begin(), block.end(), copy_.begin());
        number_at(copy_.span(), 0) = kMagic;
        block = copy_.span();
    }
    TRY(store_.write(entry.target, block));
    ++written_;
    return {};
}

Result<void> Replay::write_back() {
    if (!transactions()) return {};
    TRY(copy_.resize(shape_.format.block_size));
    TRY(for_each_block([&](Kind kind, std::span<const uint8_t> block, Place place) {
        return kind == Kind::revoke ? gather(block, place.sequence - shape_.sequence)
                                    : Result<void>();
    }));
    sort_revoked();
    return for_each_block([&](Kind kind, std::span<const uint8_t>, Place place) -> Result<void> {
        if (kind != Kind::descriptor) return {};
        TRY(for_each_tag([&](const Entry& entry) {
            advance(place, 1);
            return replay_entry(entry, place);
        }));
        return {};
    });
}

}  // namespace journal
