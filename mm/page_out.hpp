// What reclaim does to one address space. Each of these gives up if another thread has the space's
// lock: reclaim must not wait for a space whose owner may be waiting for reclaim.
#pragma once

#include <span>

#include "mm/locked_space.hpp"
#include "mm/swap.hpp"

// The page with this frame becomes the slot. `locked` is set if it may not, as mlock asked.
bool evict_page(AddressSpace& of, Frame frame, VirtAddr page, SwapEntry entry, bool& locked);
// All accessed bits are noted and cleared; the working set is estimated by them.
void sample_accessed_bits(AddressSpace& of);
// The next private frames at the hand, each with one more reference; how many.
uint32_t next_private(AddressSpace& of, std::span<Frame> to);
// A file's page goes, unless it was used since it was last asked about, if that matters. True: the
// space has no entry for it any more.
bool give_up_file_page(AddressSpace& of, const Pager& pager, uint32_t index, Frame frame,
                       bool even_if_used);
