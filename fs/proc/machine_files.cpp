// /proc files about the machine: its CPU, interrupts, devices.
// Spec: proc(5); flag names as in Linux's cpufeatures.h.
#include "drivers/block.hpp"
#include "fs/proc/proc_entry.hpp"
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/arch/traps.hpp"
#include "kernel/sched/clock.hpp"

namespace {

// Bits of CPUID.1:EDX and ECX, from bit 0 on; empty ones have no name.
constexpr std::string_view kFeatures[] = {
    "fpu",  "vme",  "de",   "pse", "tsc",  "msr", "pae",   "mce", "cx8",     "apic", "",
    "sep",  "mtrr", "pge",  "mca", "cmov", "pat", "pse36", "pn",  "clflush", "",     "dts",
    "acpi", "mmx",  "fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",    "pbe"};
constexpr std::string_view kMoreFeatures[] = {
    "pni",    "pclmulqdq", "dtes64",  "monitor", "ds_cpl",
    "vmx",    "smx",       "est",     "tm2",     "ssse3",
    "cid",    "sdbg",      "fma",     "cx16",    "xtpr",
    "pdcm",   "",          "pcid",    "dca",     "sse4_1",
    "sse4_2", "x2apic",    "movbe",   "popcnt",  "tsc_deadline_timer",
    "aes",    "xsave",     "osxsave", "avx",     "f16c",
    "rdrand", "hypervisor"};

void put_features(TextSink& to, uint32_t bits, std::span<const std::string_view> names) {
    for (uint32_t bit = 0; bit < names.size(); ++bit)
        if ((bits >> bit & 1) && !names[bit].empty()) format_to(to, " {}", names[bit]);
}

std::string_view block_driver(uint32_t major) {
    switch (major) {
        case 1: return "ramdisk";
        case 3: return "ide0";
        case 7: return "loop";
        case 22: return "ide1";
        default: return "disk";
    }
}

// All processors are taken to be of the boot processor's kind.
void show_one_processor(TextSink& to, uint32_t id) {
    const CpuFeatures& cpu = cpu_features();
    const uint32_t kilohertz = tsc_kilohertz();
    format_to(to, "processor\t: {}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\n", id,
              cpu.vendor, cpu.family, cpu.model);
    char made[40];
    const std::string_view brand = cpu.brand;
    const std::string_view name =
        brand.empty() ? format_in(made, "{} family {} model {}", cpu.vendor, cpu.family, cpu.model)
                      : brand;
    format_to(to, "model name\t: {}\nstepping\t: {}\ncpu MHz\t\t: {}.{:03}\n", name, cpu.stepping,
              kilohertz / 1000, kilohertz % 1000);
    const std::string_view fpu = (cpu.edx1 & 1) ? "yes" : "no";
    format_to(to,
              "physical id\t: {}\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n"
              "apicid\t\t: {}\n",
              id, cpus[id]->apic_id);
    format_to(to, "fpu\t\t: {}\nfpu_exception\t: {}\nwp\t\t: yes\nflags\t\t:", fpu, fpu);
    put_features(to, cpu.edx1, kFeatures);
    put_features(to, cpu.ecx1, kMoreFeatures);
    if (cpu.ebx7 & kCpuEbx7Smep) to.put(" smep");
    if (cpu.ebx7 & kCpuEbx7Smap) to.put(" smap");
    format_to(to, "\nbogomips\t: {}.{:02}\n\n", kilohertz / 500, kilohertz / 5 % 100);
}
void show_processor(TextSink& to) {
    for (uint32_t id = 0; id < cpu_count; ++id) show_one_processor(to, id);
}

// A column for each CPU.
void put_counts(TextSink& to, auto&& count_of) {
    for (uint32_t id = 0; id < cpu_count; ++id) format_to(to, " {:>10}", count_of(*cpus[id]));
}
// As Linux has it; and below, which it does not tell, the exceptions that came.
void show_interrupts(TextSink& to) {
    constexpr uint32_t kLines = 16;
    to.put("    ");
    for (uint32_t id = 0; id < cpu_count; ++id) format_to(to, "       CPU{}", id);
    to.put("\n");
    for (uint32_t line = 0; line < kLines; ++line) {
        const InterruptHandler* handler = interrupt_handlers(line);
        if (!handler) continue;
        format_to(to, "{:>3}:", line);
        put_counts(to, [&](const Cpu& cpu) { return cpu.interrupts[line].relaxed(); });
        format_to(to, "    {}  ", lapic_in_use() ? "IO-APIC" : "XT-PIC");
        for (; handler; handler = handler->next)
            format_to(to, "{}{}", handler->name, handler->next ? ", " : "\n");
    }
    for (uint32_t i = 0; lapic_in_use() && i < std::size(kLocalInterrupts); ++i) {
        format_to(to, "{}:", kLocalInterrupts[i].tag);
        put_counts(to, [&](const Cpu& cpu) { return cpu.interrupts[kLines + i].relaxed(); });
        format_to(to, "   {}\n", kLocalInterrupts[i].meaning);
    }
    for (uint32_t vector = 0; vector < 32; ++vector) {
        uint32_t all = 0;
        for (uint32_t id = 0; id < cpu_count; ++id) all += cpus[id]->exceptions[vector];
        if (!all) continue;
        const std::string_view name = exception_name(vector);
        format_to(to, "{}:", name.substr(0, 3));
        put_counts(to, [&](const Cpu& cpu) { return cpu.exceptions[vector].relaxed(); });
        format_to(to, "   exception {}, {}\n", vector, name);
    }
}

void show_devices(TextSink& to) {
    to.put(
        "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n240 host\n\n"
        "Block devices:\n");
    uint32_t last = 0;
    for (BlockDevice& disk : block_devices()) {
        const uint32_t major = device_major(disk.device_number());
        if (major != last) format_to(to, "{:>3} {}\n", major, block_driver(major));
        last = major;
    }
}

void show_disks(TextSink& to) {
    to.put("major minor  #blocks  name\n\n");
    for (BlockDevice& disk : block_devices()) {
        if (!disk.sectors()) continue;
        format_to(to, "{:>4}  {:>7} {:>10} {}\n", device_major(disk.device_number()),
                  device_minor(disk.device_number()), disk.sectors() / 2, disk.name());
    }
}

constexpr ProcEntry kMachineFiles[] = {
    {.name = "cpuinfo", .show = show_processor},
    {.name = "devices", .show = show_devices},
    {.name = "interrupts", .show = show_interrupts},
    {.name = "partitions", .show = show_disks},
};
PROC_FILES(proc_root, kMachineFiles);

}  // namespace
