// Making and freeing tables of local descriptors (kernel/arch/local_descriptors.hpp).
// Locks: none; an address space's guards its own.
#pragma once

#include <span>

#include "kernel/arch/local_descriptors.hpp"
#include "kernel/lib/result.hpp"

// So many entries, the first of them copied, the others 0. ENOMEM.
Result<LocalDescriptors*> make_local_descriptors(uint32_t count, std::span<const uint64_t> copied);
void free_local_descriptors(const LocalDescriptors* table);
