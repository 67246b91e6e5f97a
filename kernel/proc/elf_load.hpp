// An ELF file as an address space: each loadable segment becomes a mapping of the file, so that pages
// come by faults.
#pragma once

#include "fs/file.hpp"
#include "kernel/proc/elf.hpp"
#include "mm/address_space.hpp"

constexpr uint32_t kAnyRoom = 0;

struct LoadedImage {
    uint32_t entry = 0, bias = 0, headers = 0, header_count = 0, end = 0;
    char interpreter[128] = {};
};

// A position-independent file goes to `base`; kAnyRoom: where a mapping of its size would.
// ENOEXEC, ENOMEM, EIO.
Result<LoadedImage> load_image(AddressSpace& space, File& file, uint32_t base);
