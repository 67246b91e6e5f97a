// Cpu: what belongs to one processor. %fs points at it in the kernel, so that this_cpu() and
// Thread::current() are one instruction. Spec: Intel SDM vol. 3A, 2.5 (control registers).
// Locks: a CPU's own fields are touched by that CPU only, with interrupts off where handlers
// read or write them too; but `current`, `reschedule` and `dead` are under run_queue, and
// `loaded_directory` is read by others (page_table.cpp says how).
#pragma once

#include <cstddef>
#include <string_view>

#include "kernel/arch/descriptor.hpp"
#include "kernel/arch/selectors.hpp"
#include "kernel/lib/atomic.hpp"
#include "kernel/lib/types.hpp"

class Thread;
struct LocalDescriptors;
struct CpuQueue;    // kernel/sched
struct TraceRings;  // kernel/trace

struct Cpu {
    Cpu* self = nullptr;
    Thread* current = nullptr;
    bool reschedule = false;  // the running thread should give way before it returns to user mode
    uint32_t id = 0;
    Thread* idle = nullptr;
    Thread* dead = nullptr;  // terminated, and freed by the thread that runs next
    PhysAddr loaded_directory{0};
    const LocalDescriptors* local_descriptors = nullptr;  // loaded, as local_descriptors.hpp says
    CpuQueue* queue = nullptr;                            // of the dispatcher
    uint32_t apic_id = 0;
    Atomic<bool> online = false;  // it has come up, and says so itself
    bool interrupted_user = false;
    Atomic<uint32_t> interrupts[19] = {},
                     exceptions[32] = {};  // how often each came: interrupts.hpp
    Atomic<bool> flush_wanted = false;     // another CPU waits for our TLB to forget something
    bool rearm = false;                    // run_queue: the dispatcher's timer is to be set anew
    TraceRings* trace = nullptr;           // null: this CPU has none yet
    int current_tid = 0;                   // of `current`, for the trace
    struct {
        uint32_t vector = 0, error = 0;
    } bad_return;  // how IRET to a program failed (traps.cpp); vector 0: it did not
    uint64_t gdt[GDT_ENTRIES] = {};
    Tss tss{};
    Tss double_fault{};
    uint8_t* double_fault_stack = nullptr;
    uint32_t page_faults = 0, major_faults = 0;  // of programs
    struct {
        uint32_t single = 0, full = 0, asked = 0, answered = 0;
    } tlb;  // how often it forgot what: page_table.hpp
    struct {
        uint64_t in = 0, out = 0;
    } copied;  // bytes from and to programs: user_access.hpp
};
static_assert(offsetof(Cpu, self) == 0 && offsetof(Cpu, current) == 4);

constexpr uint32_t cpu_bit(uint32_t id) { return 1u << id; }
constexpr uint32_t kMaxCpus = 32;
extern Cpu* cpus[kMaxCpus];  // by id; [0] is the boot processor
extern Atomic<uint32_t>
    cpu_count;  // those with an id; only ever grows, while the boot processor boots

inline uint32_t all_cpus() { return UINT32_MAX >> (kMaxCpus - cpu_count); }  // as bits

inline Cpu& this_cpu() {
    Cpu* cpu;
    asm volatile("movl %%fs:0, %0" : "=r"(cpu));
    return *cpu;
}

struct CpuFeatures {
    uint32_t edx1 = 0, ecx1 = 0, ebx7 = 0;
    char vendor[13] = {}, brand[49] = {};
    uint32_t family = 0, model = 0, stepping = 0;
    bool has(uint32_t bit_of_edx1) const { return edx1 & (1u << bit_of_edx1); }
};
constexpr uint32_t kCpuPse = 3, kCpuTsc = 4, kCpuApic = 9, kCpuPge = 13, kCpuCmov = 15,
                   kCpuFxsr = 24, kCpuSse = 25;
constexpr uint32_t kCpuEbx7Smep = 1u << 7, kCpuEbx7Smap = 1u << 20;
const CpuFeatures& cpu_features();

void cpu_init();                // GDT, TSS, control registers, FPU of the boot processor
void cpu_init_other(Cpu& cpu);  // the same on another one, which `cpu` is to describe

// Named bits of the control registers.
constexpr uint32_t kCr0ProtectionEnable = 1u << 0, kCr0MonitorCoprocessor = 1u << 1,
                   kCr0Emulation = 1u << 2, kCr0TaskSwitched = 1u << 3, kCr0NumericError = 1u << 5,
                   kCr0WriteProtect = 1u << 16;
constexpr uint32_t kCr4Pge = 1u << 7, kCr4OsFxsr = 1u << 9, kCr4OsXmmExcpt = 1u << 10,
                   kCr4Umip = 1u << 11, kCr4Smep = 1u << 20, kCr4Smap = 1u << 21;

inline uint32_t read_cr0() {
    uint32_t v;
    asm volatile("movl %%cr0, %0" : "=r"(v));
    return v;
}
inline uint32_t read_cr2() {
    uint32_t v;
    asm volatile("movl %%cr2, %0" : "=r"(v));
    return v;
}
inline uint32_t read_cr3() {
    uint32_t v;
    asm volatile("movl %%cr3, %0" : "=r"(v));
    return v;
}
inline uint32_t read_cr4() {
    uint32_t v;
    asm volatile("movl %%cr4, %0" : "=r"(v));
    return v;
}
// DR0 to DR3 (addresses), DR6 (what hit), DR7 (what is watched). Spec: SDM vol. 3B, 17.2.
struct DebugRegisters {
    uint32_t address[4] = {}, status = 0, control = 0;
};
inline void load_debug_registers(const DebugRegisters* r) {  // null: nothing is watched
    asm volatile("movl %0, %%dr7" ::"r"(0));
    if (!r || !r->control) return;
    asm volatile("movl %0, %%dr0" ::"r"(r->address[0]));
    asm volatile("movl %0, %%dr1" ::"r"(r->address[1]));
    asm volatile("movl %0, %%dr2" ::"r"(r->address[2]));
    asm volatile("movl %0, %%dr3" ::"r"(r->address[3]));
    asm volatile("movl %0, %%dr7" ::"r"(r->control));
}
inline uint32_t take_debug_status() {
    uint32_t status;
    asm volatile("movl %%dr6, %0" : "=r"(status));
    asm volatile("movl %0, %%dr6" ::"r"(0xffff0ff0));
    return status;
}

inline void write_cr0(uint32_t v) { asm volatile("movl %0, %%cr0" ::"r"(v) : "memory"); }
inline void write_cr3(uint32_t v) { asm volatile("movl %0, %%cr3" ::"r"(v) : "memory"); }
inline void write_cr4(uint32_t v) { asm volatile("movl %0, %%cr4" ::"r"(v) : "memory"); }
