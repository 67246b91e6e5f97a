// TaggedHeap: what the fits have in common. Blocks and holes lie side by side, each with its size
// and that of the one below, so that a block given back finds its neighbours at once:
//
//   area  [ Area | Block, memory | Hole ........ | Block, memory | edge ]
//
// Each area has its holes on a list in order of addresses. A derived class says which hole to take.
// Spec: Knuth, The Art of Computer Programming, vol. 1, 2.5 (boundary tags).
#pragma once

#include <new>

#include "mm/heap/placement.hpp"

class TaggedHeap : public Placement {
  public:
    void add(void* start, uint32_t bytes) override {
        Area& area = *new (start) Area;
        area.bytes = bytes;
        areas_.push_back(area);
        count_area(bytes);
        const uint32_t room = bytes - kAreaHead - kHead;
        Block& edge = *new (at(start, kAreaHead + room)) Block;
        edge = {0, room, 0, State::edge};
        Block& hole = *new (at(start, kAreaHead)) Block;
        hole = {room, 0, 0, State::hole};
        insert(hole);
    }

    void* take(uint32_t bytes) override {
        ++counts_.requests;
        if (bytes > kBytesMost) return nullptr;
        const uint32_t size = size_for(bytes);
        Hole* hole = choose(size);
        if (!hole) {
            ++counts_.failed;
            return nullptr;
        }
        return carve(*hole, size, bytes);
    }

    void give(void* memory) override {
        Block& block = block_of(memory);
        VERIFY(block.state == State::used);
        uncount_block(block.size, block.requested);
        join(block);
    }

    uint32_t usable(const void* memory) const override {
        return block_of(const_cast<void*>(memory)).size - kHead;
    }

    HeapArea remove_empty_area() override {
        for (Area& area : areas_) {
            Hole* hole = area.holes.front();
            if (!hole || hole->block.before || above(hole->block).state != State::edge) continue;
            remove(*hole);
            area.node.unlink();
            uncount_area(area.bytes);
            return {&area, area.bytes};
        }
        return {};
    }

    void visit(HeapVisitor& visitor) override {
        for (Area& area : areas_)
            for (Block* b = &first(area); b->state != State::edge; b = &above(*b))
                visitor.visit({at(b, kHead), b->size, b->state != State::used});
    }

    TaggedHeap* compactable() override { return this; }
    // Compaction: blocks move down over the holes, each area's become one at its end. `moved(from,
    // to)` for each block that did; only an owner who can mend all pointers to it may ask for this.
    template <typename Moved>
    void compact(Moved&& moved) {
        flush();
        for (Area& area : areas_) compact(area, moved);
    }

  protected:
    enum class State : uint32_t { hole = 0xf3ee, used = 0x05ed, kept = 0x4e97, edge = 0xed6e };
    struct Block {
        uint32_t size;       // header included
        uint32_t before;     // the size of the one below; 0: the first
        uint32_t requested;  // in use: bytes asked for
        State state;
    };
    struct Hole {
        Block block;
        ListNode node;
    };
    using HoleList = List<Hole, &Hole::node>;
    struct Area {
        ListNode node;
        HoleList holes;
        uint32_t bytes;
    };

    static constexpr uint32_t kHead = sizeof(Block), kAreaHead = round_to_block(sizeof(Area)),
                              kLeast = round_to_block(sizeof(Hole)), kBytesMost = 1u << 30;
    static_assert(kHead == kBlockAlignment);

    static uint32_t size_for(uint32_t bytes) {
        const uint32_t size = round_to_block(bytes) + kHead;
        return size < kLeast ? kLeast : size;
    }

    // --- for the fits
    virtual Hole* choose(uint32_t size) = 0;
    virtual void leaving(Hole&, Hole* /*instead*/) {}  // it is no hole any more
    virtual void flush() {}                            // what is kept becomes holes

    // visit(hole) for each; false ends it.
    template <typename F>
    void for_each_hole(F&& visit) {
        for (Area& area : areas_)
            for (Hole& hole : area.holes) {
                ++counts_.searched;
                if (!visit(hole)) return;
            }
    }
    Hole* next_hole(Hole& hole) {  // round all areas; null: there is none
        Area* area = &area_of(hole.block);
        if (Hole* next = area->holes.next(hole)) return next;
        return first_hole(areas_.next(*area));
    }
    Hole* first_hole(Area* from = nullptr) {
        for (Area* area = from; area; area = areas_.next(*area))
            if (Hole* hole = area->holes.front()) return hole;
        for (Area& area : areas_)
            if (Hole* hole = area.holes.front()) return hole;
        return nullptr;
    }

    void* carve(Hole& hole, uint32_t size, uint32_t requested) {
        Block& block = hole.block;
        const uint32_t rest = block.size - size;
        Hole* remains = nullptr;
        if (rest >= kLeast) {  // the upper part stays, in its place on the list
            remains = new (at(&block, size)) Hole{{rest, size, 0, State::hole}, {}};
            above(block).before = rest;
            HoleList::insert_after(hole, *remains);
            block.size = size;
        }
        leaving(hole, remains);
        hole.node.unlink();
        return use(block, requested);
    }
    void* use(Block& block, uint32_t requested) {
        block.state = State::used;
        block.requested = requested;
        count_block(block.size, requested);
        return at(&block, kHead);
    }

    // A block becomes a hole, one with the holes beside it: the four cases, which count_merge() counts.
    // A hole that is swallowed is removed first; the one that results stands on the list once, and the
    // block above it has its size as `before`. The lowest block has none below: its `before` is 0.
    // Lab 10.4: stub { block.state = State::hole; count_merge(false, false); insert(block); }
    void join(Block& block) {
        Block* low = &block;
        Block& high = above(block);
        const bool with_above = high.state == State::hole;
        const bool with_below = block.before && below(block).state == State::hole;
        count_merge(with_below, with_above);
        uint32_t size = block.size;
        if (with_above) {
            size += high.size;
            remove(hole_of(high));
        }
        block.state = State::hole;
        if (with_below) {
            low = &below(block);
            size += low->size;
        }
        low->size = size;
        above(*low).before = size;
        if (!with_below) insert(*low);
    }

    static Block& block_of(void* memory) {
        return *reinterpret_cast<Block*>(static_cast<char*>(memory) - kHead);
    }
    static void* at(const void* start, uint32_t offset) {
        return const_cast<char*>(static_cast<const char*>(start)) + offset;
    }
    static Hole& hole_of(Block& block) { return *reinterpret_cast<Hole*>(&block); }
    static Block& above(Block& b) { return *static_cast<Block*>(at(&b, b.size)); }
    static Block& below(Block& b) {
        return *reinterpret_cast<Block*>(reinterpret_cast<char*>(&b) - b.before);
    }

  private:
    static Block& first(Area& area) { return *static_cast<Block*>(at(&area, kAreaHead)); }
    static Area& area_of(Block& block) {
        Block* b = &block;
        while (b->before) b = &below(*b);
        return *reinterpret_cast<Area*>(reinterpret_cast<char*>(b) - kAreaHead);
    }

    // Onto the list, behind the nearest hole below.
    void insert(Block& block) {
        Hole& hole = hole_of(block);
        new (&hole.node) ListNode;
        for (Block* b = &block; b->before;) {
            b = &below(*b);
            if (b->state == State::hole) return HoleList::insert_after(hole_of(*b), hole);
        }
        area_of(block).holes.push_front(hole);
    }
    void remove(Hole& hole) {
        leaving(hole, nullptr);
        hole.node.unlink();
    }

    // Compaction of one area, none of whose blocks is kept: all holes are removed; then each block that is
    // used is copied, header included, to the lowest free place, gets the size of the one below as
    // `before`, and moved(from, to) names its memory before and after, if it moved. At the edge,
    // close(edge, to, before) makes a hole of what is left.
    // Lab 10.5: stub { (void)area; (void)moved; }
    template <typename Moved>
    void compact(Area& area, Moved&& moved) {
        while (Hole* hole = area.holes.front()) remove(*hole);
        char* to = reinterpret_cast<char*>(&first(area));
        uint32_t before = 0;
        Block* next;
        for (Block* b = &first(area);; b = next) {
            if (b->state == State::edge) return close(*b, to, before);
            next = &above(*b);
            if (b->state != State::used) continue;
            const uint32_t size = b->size;
            if (to != reinterpret_cast<char*>(b)) {
                __builtin_memmove(to, b, size);
                moved(at(b, kHead), static_cast<void*>(to + kHead));
            }
            reinterpret_cast<Block*>(to)->before = before;
            before = size;
            to += size;
        }
    }
    void close(Block& edge, char* to, uint32_t before) {
        const auto room = static_cast<uint32_t>(reinterpret_cast<char*>(&edge) - to);
        edge.before = room ? room : before;
        if (!room) return;
        Block& hole = *new (to) Block;
        hole = {room, before, 0, State::hole};
        insert(hole);
    }

    List<Area, &Area::node> areas_;
};
