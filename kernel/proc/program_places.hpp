// Where execve puts the parts of a program: at random, so that a hole in a program does not tell
// where its stack, its heap and its libraries are.
//
//   program   0x56555000 and up to 256 MiB more, if it is position-independent
//   heap      up to 32 MiB above the program's end
//   mappings  top-down from the stack's room, and up to 64 MiB lower
//   stack     down from 0xBFFFF000, and up to 8 MiB and 4 KiB lower, in steps of 16 bytes
//
// Locks: none; random_places is one word.
// Spec: proc(5), randomize_va_space; personality(2), ADDR_NO_RANDOMIZE; execve(2), set-id programs.
#pragma once

#include "fs/attributes.hpp"
#include "kernel/lib/atomic.hpp"
#include "kernel/lib/types.hpp"
#include "mm/address_space.hpp"

// /proc/sys/kernel/randomize_va_space. 0: all is where it lies highest (lowest: program, heap);
// 1: the heap follows the program; 2. At boot: norandmaps is 0.
extern Atomic<uint32_t> random_places;

// Of a process' personality, what set-id programs do not inherit: ADDR_NO_RANDOMIZE,
// MMAP_PAGE_ZERO, ADDR_COMPAT_LAYOUT, READ_IMPLIES_EXEC.
constexpr uint32_t kFixedPlaces = 0x0040000;
constexpr uint32_t kNotForSetId = kFixedPlaces | 0x0100000 | 0x0200000 | 0x0400000;

struct ProgramPlaces {
    VirtAddr stack_top;    // of its region
    uint32_t stack_skip;   // bytes that stay free there
    uint32_t program;      // the lowest address of a position-independent program
    uint32_t before_heap;  // bytes; whole pages
    uint32_t below_stack;  // bytes between the stack's room and the mappings; whole pages
};

// For a program that runs as `after` in a process that was `before`, with this personality.
ProgramPlaces program_places(uint32_t personality, const Credentials& before,
                             const Credentials& after);
// The heap and the stack of a program that ends there. ENOMEM.
Result<void> lay_out(AddressSpace& space, const ProgramPlaces& at, VirtAddr end);
