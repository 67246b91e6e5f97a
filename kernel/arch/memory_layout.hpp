// The kernel's virtual address space, and the one place where physical and virtual meet.
//
//   0x00000000  user space
//   0xC0000000  direct map of the first 768 MiB of memory ("low" frames), 4 MiB pages;
//               the kernel image is in it at 0xC0100000, mapped by 4 KiB pages so that text and
//               constants are read-only
//   0xF0000000  virtual area: guarded kernel stacks, device memory, wide kernel buffers
//   0xFFC00000  windows: short-lived mappings of frames above 768 MiB ("high" frames)
#pragma once

#include "kernel/lib/types.hpp"
#include "kernel/lib/verify.hpp"

constexpr VirtAddr kUserTop{0xC0000000};
constexpr VirtAddr kDirectMapBase{0xC0000000};
constexpr uint32_t kDirectMapLimit = 768u << 20;  // bytes of physical memory it can cover
constexpr VirtAddr kVirtualAreaStart{0xF0000000};
constexpr VirtAddr kVirtualAreaEnd{0xFFC00000};
constexpr VirtAddr kWindowBase{0xFFC00000};
constexpr uint32_t kLowFrames = kDirectMapLimit >> kPageShift;

inline bool is_low(Frame frame) { return frame.raw() < kLowFrames; }

// The address must lie in the direct map.
inline void* to_virtual(PhysAddr address) {
    VERIFY(address.raw() < kDirectMapLimit);
    return reinterpret_cast<void*>(kDirectMapBase.raw() + address.raw());
}
inline void* to_virtual(Frame frame) { return to_virtual(address_of(frame)); }
inline PhysAddr to_physical(const void* pointer) {
    auto address = reinterpret_cast<uintptr_t>(pointer);
    VERIFY(address >= kDirectMapBase.raw() && address < kVirtualAreaStart.raw());
    return PhysAddr(static_cast<uint32_t>(address) - kDirectMapBase.raw());
}
