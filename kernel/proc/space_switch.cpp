// Which address space the running thread is in. See process.hpp.
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/proc/process.hpp"
#include "mm/kernel_map.hpp"

namespace {
void load(Thread& self, AddressSpace* space, PhysAddr directory) {
    InterruptsOff off;
    self.space = space;
    self.page_directory = directory;
    self.local_descriptors = space ? &space->local_descriptors() : nullptr;
    Cpu& cpu = this_cpu();
    cpu.loaded_directory = directory;
    write_cr3(directory.raw());
    load_local_descriptors(cpu, self.local_descriptors);
}
}  // namespace

void use_address_space(Thread& self, AddressSpace& space) {
    load(self, &space, space.page_directory());
}
void use_kernel_address_space(Thread& self) { load(self, nullptr, kernel_directory()); }
