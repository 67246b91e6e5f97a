// What is known in memory of a large directory, so that neither a look-up nor a new name has to go through
// all of its blocks: where the entries with a hash value stand, and how much room each block has. The disk
// knows nothing of it.
// Pure: numbers in, numbers out. Locks: none; the owner guards it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kernel/lib/vector.hpp"

namespace ext2 {

// An open hash table of positions (linear probing; a removal closes its gap), and an array of rooms.
class NameIndex {
  public:
    static uint32_t hash(std::string_view name) {
        uint32_t h = 0x811C9DC5;
        for (char c : name) h = (h ^ static_cast<uint8_t>(c)) * 0x01000193;
        return (h ^ h >> 15) * 0x85EBCA6B ^ h >> 13;
    }

    // ENOMEM: it is as before.
    Result<void> add(uint32_t hash, uint32_t position) {
        if (8 * (count_ + 1) > 7 * slots_.size()) TRY(grow());
        place({hash, position});
        ++count_;
        return {};
    }
    void remove(uint32_t hash, uint32_t position) {
        if (slots_.empty()) return;
        uint32_t at = hash & mask();
        while (slots_[at].position != position) {
            if (slots_[at].position == kNone) return;
            at = (at + 1) & mask();
        }
        // An entry behind the gap that could not be found any more moves into it.
        for (uint32_t next = (at + 1) & mask(); slots_[next].position != kNone;
             next = (next + 1) & mask()) {
            const uint32_t home = slots_[next].hash & mask();
            if (((next - home) & mask()) < ((next - at) & mask())) continue;
            slots_[at] = slots_[next];
            at = next;
        }
        slots_[at] = {};
        --count_;
    }
    // The position with this hash value for which is_it(position) is true.
    template <typename F>
    std::optional<uint32_t> find(uint32_t hash, F&& is_it) const {
        if (slots_.empty()) return std::nullopt;
        for (uint32_t at = hash & mask(); slots_[at].position != kNone; at = (at + 1) & mask())
            if (slots_[at].hash == hash && is_it(slots_[at].position)) return slots_[at].position;
        return std::nullopt;
    }
    uint32_t count() const { return count_; }

    // The longest record that a block has room for, in bytes. `block` may be the next after the last.
    Result<void> set_room(uint32_t block, uint32_t bytes) {
        while (block >= rooms_.size()) TRY(rooms_.push_back(0));
        rooms_[block] = static_cast<uint16_t>(bytes);
        if (bytes >= full_for_) first_ = std::min(first_, block);
        return {};
    }
    uint32_t room(uint32_t block) const { return rooms_[block]; }
    // The first block with so much room.
    std::optional<uint32_t> block_with_room(uint32_t bytes) {
        uint32_t block = bytes >= full_for_ ? first_ : 0;
        while (block < rooms_.size() && rooms_[block] < bytes) ++block;
        first_ = block;
        full_for_ = bytes;
        if (block == rooms_.size()) return std::nullopt;
        return block;
    }

  private:
    static constexpr uint32_t kNone = UINT32_MAX, kFirstSize = 512;
    struct Slot {
        uint32_t hash = 0, position = kNone;
    };
    uint32_t mask() const { return slots_.size() - 1; }
    void place(Slot slot) {
        uint32_t at = slot.hash & mask();
        while (slots_[at].position != kNone) at = (at + 1) & mask();
        slots_[at] = slot;
    }
    Result<void> grow() {
        Vector<Slot> larger;
        TRY(larger.resize(slots_.empty() ? kFirstSize : 2 * slots_.size()));
        std::swap(slots_, larger);
        for (const Slot& slot : larger)
            if (slot.position != kNone) place(slot);
        return {};
    }

    Vector<Slot> slots_;  // as many as a power of two
    uint32_t count_ = 0;
    Vector<uint16_t> rooms_;
    uint32_t full_for_ = 0, first_ = 0;  // no block before first_ has room for so much
};

}  // namespace ext2
