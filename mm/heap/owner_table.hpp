// OwnerTable: who allocated what is still there, for finding leaks. An owner is a code address, from
// which memory was asked for. Both tables are open-addressed and don't grow: what finds no room is
// counted as unseen. Pure: no lock, no allocation.
// Invariant: an owner's live count and bytes are those of its blocks in the table.
#pragma once

#include <cstdint>

struct HeapOwner {
    uintptr_t code = 0;  // 0: a free entry
    uint32_t live = 0, bytes = 0, total = 0;
    uint32_t marked = 0;  // how many were live at the mark
};

template <uint32_t kBlocks, uint32_t kOwners>
class OwnerTable {
    static_assert(!(kBlocks & (kBlocks - 1)) && !(kOwners & (kOwners - 1)));

  public:
    void note(const void* memory, uint32_t bytes, uintptr_t code) {
        HeapOwner* owner = owner_of(code);
        Block* block = owner && used_ < kBlocks / 4 * 3 ? free_slot(memory) : nullptr;
        if (!block) {
            ++unseen_;
            return;
        }
        used_ += block->memory == nullptr;
        *block = {memory, bytes, static_cast<uint32_t>(owner - owners_)};
        ++owner->live;
        ++owner->total;
        owner->bytes += bytes;
    }
    void forget(const void* memory) {
        Block* block = find(memory);
        if (!block) return;  // unseen
        HeapOwner& owner = owners_[block->owner];
        --owner.live;
        owner.bytes -= block->bytes;
        erase(static_cast<uint32_t>(block - blocks_));
        --used_;
    }
    // From here on `live - marked` tells what has grown.
    void mark() {
        for (HeapOwner& owner : owners_) owner.marked = owner.live;
    }
    template <typename F>
    void for_each(F&& visit) const {
        for (const HeapOwner& owner : owners_)
            if (owner.code) visit(owner);
    }
    static constexpr uint32_t owner_slots() { return kOwners; }
    const HeapOwner& owner(uint32_t slot) const { return owners_[slot]; }
    uint32_t unseen() const { return unseen_; }

  private:
    struct Block {
        const void* memory = nullptr;
        uint32_t bytes = 0, owner = 0;
    };
    static uint32_t hash(uintptr_t value) {
        return static_cast<uint32_t>(value >> 4) * 0x9e3779b1u >> 8;
    }
    static uint32_t home(const Block& block) {
        return hash(reinterpret_cast<uintptr_t>(block.memory)) & (kBlocks - 1);
    }
    HeapOwner* owner_of(uintptr_t code) {
        for (uint32_t i = 0; i < kOwners; ++i) {
            HeapOwner& owner = owners_[(hash(code * 16) + i) & (kOwners - 1)];
            if (!owner.code) owner.code = code;
            if (owner.code == code) return &owner;
        }
        return nullptr;
    }
    Block* free_slot(const void* memory) {
        uint32_t at = hash(reinterpret_cast<uintptr_t>(memory)) & (kBlocks - 1);
        while (blocks_[at].memory) at = (at + 1) & (kBlocks - 1);
        return &blocks_[at];
    }
    Block* find(const void* memory) {
        uint32_t at = hash(reinterpret_cast<uintptr_t>(memory)) & (kBlocks - 1);
        for (; blocks_[at].memory; at = (at + 1) & (kBlocks - 1))
            if (blocks_[at].memory == memory) return &blocks_[at];
        return nullptr;
    }
    // Spec: Knuth, vol. 3, 6.4, algorithm R: those behind move up, so that no search ends too early.
    void erase(uint32_t hole) {
        for (uint32_t at = hole;;) {
            blocks_[hole] = {};
            uint32_t distance;
            do {
                at = (at + 1) & (kBlocks - 1);
                if (!blocks_[at].memory) return;
                distance = (at - home(blocks_[at])) & (kBlocks - 1);
            } while (distance < ((at - hole) & (kBlocks - 1)));
            blocks_[hole] = blocks_[at];
            hole = at;
        }
    }

    Block blocks_[kBlocks] = {};
    HeapOwner owners_[kOwners] = {};
    uint32_t used_ = 0, unseen_ = 0;
};
