// Double faults arrive through a task gate, on a stack of their own, so that even a kernel whose
// stack pointer is bad can say what happened. Spec: Intel SDM vol. 3A, 6.15 (#DF), 7.2.5.
#pragma once

#include <cstdint>

struct Cpu;

// Fills the task's TSS for this CPU; the descriptor for the GDT.
uint64_t double_fault_task(Cpu& cpu);
constexpr uint32_t kDoubleFaultStackBytes = 4096;
// After paging is final: the directory that this CPU's task runs on.
void double_fault_use_directory(uint32_t cr3);
