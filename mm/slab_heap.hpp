// SlabHeap: small objects from pages of equal cells (slabs, one size class each), large ones as
// runs of pages. A slab's header lies at its page's start, so that an address tells its slab:
//
//   page  [ SlabHeader | cell 0 | cell 1 | ... ]     a page-aligned address is a run of pages
//
// Pure: pages come from a HeapPageSource. Cells are 16-byte aligned.
// Invariant: a class's `partial` list holds exactly its slabs with a free cell.
// Locks: none; the owner guards it.
// Spec: after Bonwick, The Slab Allocator (USENIX Summer 1994).
#pragma once

#include <array>
#include <concepts>
#include <cstdint>

#include "kernel/lib/list.hpp"
#include "kernel/lib/types.hpp"

// Gives runs of 2^order pages, or null; takes them back by their address.
template <typename T>
concept HeapPageSource = requires(T& source, void* pages) {
    { source.allocate_pages(uint32_t{}) } -> std::same_as<void*>;
    { source.free_pages(pages) } -> std::same_as<uint32_t>;  // how many pages
};

struct HeapStatistics {
    uint32_t pages;        // taken from the page source
    uint32_t objects;      // live, small and large
    uint32_t bytes;        // in live objects, rounded up to their cells
    uint32_t allocations;  // ever
};

constexpr uint32_t kHeapAlignment = 16;
// Chosen so that 4,064 bytes hold a whole number of them with little left.
constexpr std::array<uint16_t, 17> kCellSizes = {16,  32,  48,  64,  96,  128,  192,  256, 320,
                                                 400, 496, 576, 672, 800, 1008, 1344, 2032};

template <HeapPageSource Source>
class SlabHeap {
  public:
    explicit constexpr SlabHeap(Source& source) : source_(source) {}

    void* allocate(uint32_t bytes) {
        void* memory = bytes <= kCellSizes.back() ? take_cell(class_of(bytes)) : take_run(bytes);
        if (memory) ++statistics_.allocations, ++statistics_.objects;
        return memory;
    }

    void free(void* memory) {
        --statistics_.objects;
        if (!(reinterpret_cast<uintptr_t>(memory) & kPageMask)) {
            const uint32_t pages = source_.free_pages(memory);
            statistics_.pages -= pages;
            statistics_.bytes -= pages * kPageSize;
        } else {
            return_cell(memory);
        }
    }

    // Gives back the empty slabs that were kept; says how many pages.
    uint32_t trim() {
        const uint32_t before = statistics_.pages;
        for (auto& list : partial_)
            for (Slab& slab : list)
                if (slab.used == 0) give_up(slab);
        return before - statistics_.pages;
    }

    // How many bytes the block really has (for poisoning).
    static uint32_t cell_size(const void* memory) {
        return reinterpret_cast<uintptr_t>(memory) & kPageMask ? slab_of(memory).cell : 0;
    }
    const HeapStatistics& statistics() const { return statistics_; }

  private:
    struct FreeCell {
        FreeCell* next;
    };
    struct alignas(kHeapAlignment) Slab {
        uint32_t magic = kMagic;
        uint16_t cell, used = 0;
        FreeCell* free_cells = nullptr;
        uint32_t fresh = sizeof(Slab);  // offset of the cells that were never used
        ListNode node;
        uint32_t size_class;

        bool full() const { return !free_cells && fresh + cell > kPageSize; }
    };
    static constexpr uint32_t kMagic = 0x51ab51ab;

    static Slab& slab_of(const void* memory) {
        auto* slab = reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(memory) &
                                             ~static_cast<uintptr_t>(kPageMask));
        VERIFY(slab->magic == kMagic);
        return *slab;
    }

    static constexpr auto kClassOf = [] {
        std::array<uint8_t, kCellSizes.back() / kHeapAlignment + 1> table{};
        uint8_t size_class = 0;
        for (uint32_t i = 0; i < table.size(); ++i) {
            if (i * kHeapAlignment > kCellSizes[size_class]) ++size_class;
            table[i] = size_class;
        }
        return table;
    }();
    static uint32_t class_of(uint32_t bytes) {
        return kClassOf[(bytes + kHeapAlignment - 1) / kHeapAlignment];
    }

    void* take_cell(uint32_t size_class) {
        Slab* slab = partial_[size_class].front();
        if (!slab && !(slab = new_slab(size_class))) return nullptr;
        void* cell;
        if (slab->free_cells) {
            cell = slab->free_cells;
            slab->free_cells = slab->free_cells->next;
        } else {
            cell = reinterpret_cast<char*>(slab) + slab->fresh;
            slab->fresh += slab->cell;
        }
        ++slab->used;
        if (slab->full()) slab->node.unlink();
        statistics_.bytes += slab->cell;
        return cell;
    }

    void return_cell(void* memory) {
        Slab& slab = slab_of(memory);
        const uint32_t offset = reinterpret_cast<uintptr_t>(memory) & kPageMask;
        VERIFY(slab.used > 0 && offset < slab.fresh && (offset - sizeof(Slab)) % slab.cell == 0);
        if (slab.full()) partial_[slab.size_class].push_front(slab);
        auto* cell = static_cast<FreeCell*>(memory);
        cell->next = slab.free_cells;
        slab.free_cells = cell;
        statistics_.bytes -= slab.cell;
        if (--slab.used == 0) retire(slab);
    }

    // An empty slab goes, unless it is its class's last with room: the next object will want it.
    void retire(Slab& slab) {
        auto& list = partial_[slab.size_class];
        if (list.front() == &slab && list.back() == &slab) return;
        give_up(slab);
    }
    void give_up(Slab& slab) {
        slab.node.unlink();
        slab.magic = 0;
        slab.~Slab();
        statistics_.pages -= source_.free_pages(&slab);
    }

    Slab* new_slab(uint32_t size_class) {
        void* page = source_.allocate_pages(0);
        if (!page) return nullptr;
        ++statistics_.pages;
        auto* slab = new (page) Slab;
        slab->cell = kCellSizes[size_class];
        slab->size_class = size_class;
        partial_[size_class].push_front(*slab);
        return slab;
    }

    void* take_run(uint32_t bytes) {
        if (bytes > UINT32_MAX / 2) return nullptr;
        uint32_t order = 0;
        while ((kPageSize << order) < bytes) ++order;
        void* pages = source_.allocate_pages(order);
        if (!pages) return nullptr;
        statistics_.pages += 1u << order;
        statistics_.bytes += kPageSize << order;
        return pages;
    }

    Source& source_;
    HeapStatistics statistics_{};
    List<Slab, &Slab::node> partial_[kCellSizes.size()];
};
