// Bringing up a processor: identification, GDT with per-CPU segment, TSS, the task that takes
// double faults on a stack of its own, control registers, FPU.
// Spec: Intel SDM vol. 3A, 2.4-2.5, 3.4, 7.2; vol. 2A CPUID; vol. 1, 8 and 11.
#include "kernel/arch/cpu.hpp"

#include "kernel/arch/double_fault.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/lib/log.hpp"

// Not hidden: the debugger finds the running thread through it.
constinit Cpu boot_cpu;
constinit Cpu* cpus[kMaxCpus] = {&boot_cpu};
constinit Atomic<uint32_t> cpu_count = 1;

extern "C" {
struct UserWindow {  // see user_window.inc
    uint8_t* at;
    uint32_t opens;
};
extern const UserWindow __user_windows_start[], __user_windows_end[];
}

namespace {

constinit CpuFeatures features;

struct CpuidResult {
    uint32_t eax, ebx, ecx, edx;
};
CpuidResult cpuid(uint32_t leaf, uint32_t subleaf = 0) {
    CpuidResult r;
    asm volatile("cpuid"
                 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                 : "a"(leaf), "c"(subleaf));
    return r;
}

void identify() {
    CpuidResult leaf0 = cpuid(0);
    __builtin_memcpy(features.vendor, &leaf0.ebx, 4);
    __builtin_memcpy(features.vendor + 4, &leaf0.edx, 4);
    __builtin_memcpy(features.vendor + 8, &leaf0.ecx, 4);
    CpuidResult leaf1 = cpuid(1);
    features.edx1 = leaf1.edx;
    features.ecx1 = leaf1.ecx;
    features.stepping = leaf1.eax & 15;
    features.model = (leaf1.eax >> 4 & 15) | (leaf1.eax >> 12 & 0xf0);
    features.family = (leaf1.eax >> 8 & 15) + (leaf1.eax >> 20 & 0xff);
    if (leaf0.eax >= 7) features.ebx7 = cpuid(7).ebx;
    if (cpuid(0x80000000).eax >= 0x80000004)
        for (uint32_t i = 0; i < 3; ++i) {
            CpuidResult part = cpuid(0x80000002 + i);
            __builtin_memcpy(features.brand + 16 * i, &part, 16);
        }
}

struct [[gnu::packed]] TableRegister {
    uint16_t limit;
    uint32_t base;
};

void load_segments(Cpu& cpu) {
    auto base = reinterpret_cast<uint32_t>(&cpu);
    cpu.self = &cpu;
    cpu.gdt[1] = segment_descriptor(0, 0xfffff, kAccessCode, Granularity::pages);
    cpu.gdt[2] = segment_descriptor(0, 0xfffff, kAccessData, Granularity::pages);
    cpu.gdt[3] = segment_descriptor(0, 0xfffff, kAccessCode | kAccessUser, Granularity::pages);
    cpu.gdt[4] = segment_descriptor(0, 0xfffff, kAccessData | kAccessUser, Granularity::pages);
    cpu.gdt[SELECTOR_TSS / 8] =
        segment_descriptor(reinterpret_cast<uint32_t>(&cpu.tss), sizeof(Tss) - 1, kAccessTss,
                           Granularity::bytes, false);
    cpu.gdt[SELECTOR_CPU / 8] =
        segment_descriptor(base, sizeof(Cpu) - 1, kAccessData, Granularity::bytes);
    cpu.gdt[SELECTOR_DOUBLE_FAULT_TSS / 8] = double_fault_task(cpu);
    // No I/O bitmap: a base at the limit denies every port to ring 3.
    cpu.tss.io_map_base = sizeof(Tss);
    cpu.tss.ss0 = SELECTOR_KERNEL_DATA;

    TableRegister gdtr{sizeof cpu.gdt - 1, reinterpret_cast<uint32_t>(cpu.gdt)};
    asm volatile(
        "lgdt %0\n"
        "ljmp %1, $1f\n"
        "1: movl %2, %%eax\n"
        "movl %%eax, %%ds\n movl %%eax, %%es\n movl %%eax, %%ss\n"
        "movl %3, %%eax\n movl %%eax, %%fs\n"
        "xorl %%eax, %%eax\n movl %%eax, %%gs\n lldt %%ax\n"
        "movl %4, %%eax\n ltr %%ax\n" ::"m"(gdtr),
        "i"(SELECTOR_KERNEL_CODE), "i"(SELECTOR_KERNEL_DATA), "i"(SELECTOR_CPU), "i"(SELECTOR_TSS)
        : "eax", "memory");
}

void set_control_registers() {
    uint32_t cr4 = read_cr4();
    if (features.has(kCpuPge)) cr4 |= kCr4Pge;
    if (features.has(kCpuFxsr)) cr4 |= kCr4OsFxsr;
    if (features.has(kCpuSse)) cr4 |= kCr4OsXmmExcpt;
    if (features.ebx7 & kCpuEbx7Smep) cr4 |= kCr4Smep;
    if (features.ebx7 & kCpuEbx7Smap) cr4 |= kCr4Smap;
    write_cr4(cr4);
    uint32_t cr0 = read_cr0() & ~(kCr0Emulation | kCr0TaskSwitched);
    write_cr0(cr0 | kCr0MonitorCoprocessor | kCr0NumericError | kCr0WriteProtect);
    fpu_init(features.has(kCpuFxsr), features.has(kCpuSse));
}

// While the kernel's text can still be written.
void arm_user_windows() {
    for (const UserWindow* window = __user_windows_start; window < __user_windows_end; ++window) {
        window->at[0] = 0x0f;
        window->at[1] = 0x01;
        window->at[2] = window->opens ? 0xcb : 0xca;  // STAC, CLAC
    }
}

}  // namespace

const CpuFeatures& cpu_features() { return features; }

void cpu_init() {
    identify();
    if (features.ebx7 & kCpuEbx7Smap) arm_user_windows();
    load_segments(boot_cpu);
    set_control_registers();
    const uint32_t cr4 = read_cr4();
    log_info("cpu: {}{}{}", static_cast<const char*>(features.vendor),
             cr4 & kCr4Smep ? ", SMEP on" : "", cr4 & kCr4Smap ? ", SMAP on" : "");
    boot_cpu.online = true;
}

void cpu_init_other(Cpu& cpu) {
    load_segments(cpu);
    set_control_registers();
}
