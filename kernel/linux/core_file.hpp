// Core files: what a program was when a signal killed it, in the form that debuggers open.
//
//      ELF header, type ET_CORE
//      program headers: one PT_NOTE, then a PT_LOAD for each region of the address space
//      notes: of the process, and the registers of each thread, first of the one that the signal killed
//      the regions' pages; those that were never there are holes
//
// Spec: core(5); System V ABI, chapters 4 and 5; Linux i386 elfcore.h.
#pragma once

#include "kernel/lib/vector.hpp"
#include "kernel/proc/elf.hpp"
#include "kernel/proc/process.hpp"

using Threads = Vector<Ref<UserThread>>;

// A region, and how much of it is written.
struct CoreRegion {
    VirtAddr start{0}, end{0};
    uint32_t protection = 0, page_offset = 0;
    uint32_t written = 0;    // bytes from the start
    bool sparse = false;     // pages that are not there are zeros
    bool of_file = false;    // privately
    uint16_t name_size = 0;  // of the file's, in CoreRegions::names; 0: no file
};
struct CoreRegions {
    Vector<CoreRegion> regions;
    Vector<char> names;  // each with its NUL, in the order of the regions
};
Result<CoreRegions> regions_to_write(AddressSpace& space);

// Kinds of memory in a core file: core(5).
constexpr uint32_t kCoreAnonymous = 1, kCoreShared = 2, kCorePrivateFiles = 4, kCoreSharedFiles = 8,
                   kCoreHeaders = 16, kCoreDefault = 0x33;
uint32_t core_filter_of(const Process& process);

// The notes of the calling process. ENOMEM.
Result<Vector<uint8_t>> core_notes(const SignalInfo& info, const Threads& threads,
                                   const CoreRegions& memory);

// What core_pattern makes of the caller and this signal, in `buffer`. ENAMETOOLONG.
Result<std::string_view> core_name(int signal, std::span<char> buffer);
