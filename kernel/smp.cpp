// See smp.hpp.
#include "kernel/smp.hpp"

#include <algorithm>
#include <new>

#include "boot/options.hpp"
#include "drivers/acpi.hpp"
#include "drivers/madt.hpp"
#include "kernel/arch/double_fault.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/ioapic.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/arch/pic.hpp"
#include "kernel/arch/processors.hpp"
#include "kernel/arch/traps.hpp"
#include "kernel/boot_state.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/clock_init.hpp"
#include "kernel/sched/scheduler.hpp"
#include "mm/frames.hpp"
#include "mm/kernel_map.hpp"
#include "mm/virtual_area.hpp"

namespace {

constexpr uint32_t kLocalApicBytes = 0x400, kIoApicBytes = 0x20;

constinit std::optional<MadtInfo> madt{};
constinit bool idle_spins = false;

volatile uint32_t* registers_at(uint32_t address, uint32_t bytes) {
    Result<void*> mapped = map_registers(PhysAddr(address), bytes);
    return mapped ? static_cast<volatile uint32_t*>(mapped.value()) : nullptr;
}

bool use_io_apics() {
    for (uint32_t i = 0; i < madt->io_apic_count; ++i) {
        const MadtInfo::IoApic& found = madt->io_apics[i];
        auto* registers = registers_at(found.address, kIoApicBytes);
        if (!registers) return false;
        ioapic_add(registers, found.first_gsi);
    }
    for (uint32_t line = 0; line < kIsaLines; ++line) {
        const MadtInfo::Route& route = madt->isa[line];
        ioapic_set_line(line, {route.gsi, route.active_low, route.level});
    }
    return true;
}

void spin_for(uint32_t microseconds) {
    const Nanoseconds end = monotonic_now() + uint64_t{microseconds} * 1000;
    while (monotonic_now() < end) asm volatile("pause");
}

// Where another processor enters C++, on its idle thread's stack.
[[noreturn]] void processor_main(Cpu& cpu) {
    cpu_init_other(cpu);
    load_directory(kernel_directory());
    double_fault_use_directory(kernel_directory().raw());
    traps_init_cpu();
    lapic_init_cpu();
    cpu.online.store(true);
    if (!tsc_agrees_with_starter())
        for (;;) asm volatile("cli; hlt");
    clock_join();
    enable_interrupts();
    idle_loop(idle_spins);
}

// What it needs before its first instruction. Without memory: nothing.
Cpu* make_cpu(uint32_t id, uint32_t apic_id) {
    auto* cpu = new (std::nothrow) Cpu;
    if (!cpu) return nullptr;
    cpu->id = id;
    cpu->apic_id = apic_id;
    cpu->double_fault_stack = new (std::nothrow) uint8_t[kDoubleFaultStackBytes];
    if (cpu->double_fault_stack && scheduler_add_cpu(*cpu).is_ok()) return cpu;
    delete[] cpu->double_fault_stack;
    delete cpu;
    return nullptr;
}

bool bring_up(uint32_t apic_id, PhysAddr directory) {
    Cpu* cpu = make_cpu(cpu_count, apic_id);
    if (!cpu) return false;
    const ProcessorStart how{directory, cpu->idle->stack_top(), [](Cpu& c) { processor_main(c); }};
    // One that comes too late would find its Cpu, so that is never freed.
    if (!start_processor(*cpu, how, spin_for)) {
        log_warning("smp: the processor with APIC id {} does not start", apic_id);
        return false;
    }
    if (!tsc_agrees_with_started()) {
        log_warning("smp: the clock of the processor with APIC id {} is off: not used", apic_id);
        return false;
    }
    cpus[cpu->id] = cpu;
    cpu_count.store(cpu_count + 1);
    return true;
}

}  // namespace

void interrupts_init(const BootOptions& options) {
    acpi_init([](PhysAddr start, uint32_t bytes) { return map_device(start, bytes, Caching::on); },
              boot_information().acpi);
    if (!options.apic || !cpu_features().has(kCpuApic)) return;
    madt = parse_madt(acpi_table("APIC"));
    if (!madt) return log_info("apic: none in the firmware's tables; using the 8259s");
    auto* registers = registers_at(madt->local_apic, kLocalApicBytes);
    if (!registers || !use_io_apics()) {
        madt = {};
        return log_warning("apic: cannot be mapped");
    }
    pic_mask_all();
    lapic_use(registers);
    lapic_init_cpu();
    this_cpu().apic_id = lapic_id();
    log_info("apic: {} processors, {} I/O APICs", madt->processor_count, madt->io_apic_count);
    if (madt->incomplete) log_warning("apic: the MADT has entries that make no sense to us");
}

void processors_init(const BootOptions& options) {
    if (!madt || options.max_cpus < 2 || madt->processor_count < 2) return;
    Result<Frame> frame = allocate_zeroed_frame(Zone::low);
    if (frame.is_error()) return log_warning("smp: no memory to start other processors");
    auto& directory = *static_cast<PageTable*>(to_virtual(frame.value()));
    copy_kernel_half(directory);
    directory.entries[0] = PageEntry::make(Frame(0), kEntryPresent | kEntryWritable | kEntryBig);
    idle_spins = options.idle_spin;
    bool all = true;
    for (uint32_t i = 0; i < madt->processor_count; ++i) {
        const uint32_t apic_id = madt->processors[i];
        if (apic_id == this_cpu().apic_id) continue;
        if (cpu_count >= std::min(options.max_cpus, kMaxCpus)) break;
        all = bring_up(apic_id, address_of(frame.value())) && all;
    }
    if (all) put_frame(frame.value());  // else a CPU may yet start with it
    log_info("smp: {} processors", cpu_count);
}
