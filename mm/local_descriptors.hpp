// Making and freeing tables of local descriptors (kernel/arch/local_descriptors.hpp).
// Locks: none; an address space's guards its own.
#pragma once

#include <span>

#include "kernel/arch/local_descriptors.hpp"
#include "kernel/lib/result.hpp"

class AddressSpace;

// So many entries, the first of them copied, the others 0. ENOMEM.
Result<LocalDescriptors*> make_local_descriptors(uint32_t count, std::span<const uint64_t> copied);
void free_local_descriptors(const LocalDescriptors* table);

// Entry `index` of a space becomes `raw`. ENOMEM.
Result<void> set_local_descriptor(AddressSpace& space, uint32_t index, uint64_t raw);
// Copies entries from the first on, as far as there are any; how many.
uint32_t read_local_descriptors(AddressSpace& space, std::span<uint64_t> out, uint32_t first);
// fork: `from` is locked, and no other thread knows `to`. ENOMEM.
Result<void> copy_local_descriptors(AddressSpace& from, AddressSpace& to);
