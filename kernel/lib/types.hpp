// Numbers that must not be mixed up: addresses, frames, pages, blocks, inodes, times. Each is a
// struct around an integer without implicit conversions; arithmetic is what makes sense for it.
// Physical and virtual addresses meet only in kernel/arch/memory_layout.hpp.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

constexpr uint32_t kPageShift = 12;
constexpr uint32_t kPageSize = 1u << kPageShift;
constexpr uint32_t kPageMask = kPageSize - 1;

// A strong integer: comparable, and ordered; `raw()` is the way out.
template <typename Tag, typename Rep>
struct Strong {
    Rep value = 0;
    constexpr Strong() = default;
    explicit constexpr Strong(Rep v) : value(v) {}
    constexpr Rep raw() const { return value; }
    constexpr auto operator<=>(const Strong&) const = default;
    constexpr Strong operator+(Rep n) const { return Strong(value + n); }
    constexpr Strong operator-(Rep n) const { return Strong(value - n); }
    constexpr Rep operator-(Strong other) const { return value - other.value; }
    constexpr Strong& operator+=(Rep n) {
        value += n;
        return *this;
    }
    constexpr Strong& operator++() {
        ++value;
        return *this;
    }
};

using PhysAddr = Strong<struct PhysAddrTag, uint32_t>;
using VirtAddr = Strong<struct VirtAddrTag, uint32_t>;
using Frame = Strong<struct FrameTag, uint32_t>;      // physical address >> kPageShift
using Page = Strong<struct PageTag, uint32_t>;        // virtual address >> kPageShift
using BlockNo = Strong<struct BlockNoTag, uint32_t>;  // block of a file system
using Sector = Strong<struct SectorTag, uint64_t>;    // 512 bytes of a disk
using InodeNo = Strong<struct InodeNoTag, uint32_t>;
using Ticks = Strong<struct TicksTag, uint64_t>;  // timer interrupts since boot, 100 a second
using Nanoseconds = Strong<struct NanosecondsTag, uint64_t>;

constexpr Frame frame_of(PhysAddr a) { return Frame(a.raw() >> kPageShift); }
constexpr PhysAddr address_of(Frame f) { return PhysAddr(f.raw() << kPageShift); }
constexpr Page page_of(VirtAddr a) { return Page(a.raw() >> kPageShift); }
constexpr bool is_page_aligned(VirtAddr a) { return !(a.raw() & kPageMask); }
constexpr VirtAddr address_of(Page p) { return VirtAddr(p.raw() << kPageShift); }

template <typename T>
constexpr T align_down(T value, T alignment) {
    return value & ~(alignment - 1);
}
template <typename T>
constexpr T align_up(T value, T alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}
constexpr uint32_t pages_for(uint32_t bytes) {
    return bytes / kPageSize + (bytes % kPageSize != 0);
}
