// LocalDescriptors: the segment descriptors that a program made for itself (LDT). A table never
// changes: modify_ldt installs a new one, so that no CPU reads a descriptor half written.
// Invariant: a CPU that has a page directory loaded has the table that belongs to it loaded; with
// the kernel's directory none, for the memory of a table goes when its address space does.
// Locks: the address space's guards installing a table; after it, reload_local_descriptors is called
// before the old table is freed.
// Spec: Intel SDM vol. 3A, 2.4.2 (LDTR), 3.5.1 (descriptor tables).
#pragma once

#include "kernel/arch/cpu.hpp"

constexpr uint32_t kLocalDescriptorsMost = 8192;

struct LocalDescriptors {
    uint64_t* entries = nullptr;
    uint32_t count = 0;
};

// Where an address space keeps its table, which may be null. Threads know the place.
using LocalDescriptorsSlot = Atomic<const LocalDescriptors*>;

inline void load_local_descriptors(Cpu& cpu, const LocalDescriptors* table) {
    if (table == cpu.local_descriptors) return;
    cpu.local_descriptors = table;
    uint16_t selector = 0;
    if (table) {
        cpu.gdt[SELECTOR_LDT / 8] =
            segment_descriptor(reinterpret_cast<uint32_t>(table->entries), table->count * 8 - 1,
                               kAccessLdt, Granularity::bytes, false);
        selector = SELECTOR_LDT;
    }
    asm volatile("lldt %0" ::"r"(selector));
}
inline void load_local_descriptors(Cpu& cpu, const LocalDescriptorsSlot* slot) {
    load_local_descriptors(cpu, slot ? slot->load() : nullptr);
}

// All CPUs that use the directory take this table. Interrupts on; any lock may be held.
void reload_local_descriptors(PhysAddr directory, const LocalDescriptors* table);
