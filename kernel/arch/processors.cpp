// See processors.hpp.
#include "kernel/arch/processors.hpp"

#include "kernel/arch/io.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/arch/trampoline.hpp"

extern "C" char trampoline_start[], trampoline_parameters[], trampoline_end[];

namespace {

constexpr uint32_t kStartupTries = 2, kPollsPerTry = 5000, kPollMicroseconds = 100;

// The two CPUs take turns; each one's stamp must not be before the other's last. The starter has the
// even turns; both see the end, and the same verdict.
constexpr uint32_t kStampTurns = 16;
constinit Atomic<uint32_t> stamp_turn = 0;
constinit uint64_t last_stamp = 0;     // of the CPU that had the last turn
constinit bool stamps_ascend = false;  // so far

void wait_for_turn(uint32_t turn) {
    while (stamp_turn.load() < turn) asm volatile("pause");
}

bool exchange_stamps(uint32_t parity) {
    for (uint32_t turn = parity; turn < kStampTurns; turn += 2) {
        wait_for_turn(turn);
        const uint64_t now = read_tsc();
        stamps_ascend = stamps_ascend && now >= last_stamp;
        last_stamp = now;
        stamp_turn.store(turn + 1);
    }
    wait_for_turn(parity ? kStampTurns : kStampTurns + 1);  // the starter leaves last
    const bool good = stamps_ascend;
    if (parity == 1) stamp_turn.store(kStampTurns + 1);
    return good;
}

void fill_trampoline(Cpu& cpu, const ProcessorStart& how) {
    auto* page = static_cast<char*>(to_virtual(PhysAddr(TRAMPOLINE)));
    __builtin_memcpy(page, trampoline_start,
                     static_cast<size_t>(trampoline_end - trampoline_start));
    const uint32_t parameters[4] = {how.directory.raw(), how.stack,
                                    reinterpret_cast<uint32_t>(&cpu),
                                    reinterpret_cast<uint32_t>(how.entry)};
    __builtin_memcpy(page + (trampoline_parameters - trampoline_start), parameters,
                     sizeof parameters);
}

}  // namespace

bool start_processor(Cpu& cpu, const ProcessorStart& how, void (*wait)(uint32_t microseconds)) {
    fill_trampoline(cpu, how);
    stamp_turn.store(0);
    last_stamp = 0;
    stamps_ascend = true;
    lapic_send_init(cpu.apic_id);
    wait(10'000);
    for (uint32_t tries = 0; tries < kStartupTries; ++tries) {
        lapic_send_startup(cpu.apic_id, TRAMPOLINE >> kPageShift);
        for (uint32_t i = 0; i < kPollsPerTry; ++i) {
            if (cpu.online.load()) return true;
            wait(kPollMicroseconds);
        }
    }
    return false;
}

bool tsc_agrees_with_starter() { return exchange_stamps(1); }
bool tsc_agrees_with_started() { return exchange_stamps(0); }
