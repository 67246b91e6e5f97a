// How often each interrupt and each exception came, on each CPU: /proc/interrupts shows it.
// Locks: none. A CPU counts its own, with interrupts off; others read meanwhile, so a figure is changed
// by one plain store (store_relaxed), and needs no more.
#pragma once

#include "kernel/arch/cpu.hpp"

// One more interrupt `number` came to this CPU (this_cpu().interrupts): the line of a device, 0 to 15, or
// a vector of the local APIC, from 16 on.
// Lab 1.3: stub { (void)number; }
inline void count_interrupt(uint32_t number) {
    Atomic<uint32_t>& figure = this_cpu().interrupts[number];
    figure.store_relaxed(figure + 1);
}

// One more exception `vector`, 0 to 31, came to this CPU (this_cpu().exceptions).
// Lab 1.3: stub { (void)vector; }
inline void count_exception(uint32_t vector) {
    Atomic<uint32_t>& figure = this_cpu().exceptions[vector];
    figure.store_relaxed(figure + 1);
}

// How many interrupts `number` came to all CPUs (cpus, cpu_count) together.
inline uint32_t interrupt_count(uint32_t number) {
    uint32_t all = 0;
    for (uint32_t i = 0; i < cpu_count; ++i) all += cpus[i]->interrupts[number];
    return all;
}
