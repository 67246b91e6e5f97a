// See page_table.hpp: the TLB part. A shoot-down asks all CPUs concerned at once, by interrupt, and
// waits until each has answered. There is one at a time.
//
// Which CPUs are concerned: a CPU announces the directory that it is about to load, then loads it; the
// initiator has changed the entries before it reads the announcements. So it either sees the
// announcement, or the CPU's walks see the new entries.
// Locks: `busy`, a lock of its own below all ranks. A CPU that waits for it, for answers, or for a
// spin lock answers others' requests meanwhile, so waiting with interrupts off is no deadlock.
#include "kernel/arch/page_table.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/arch/local_descriptors.hpp"

// Above this many pages, refilling the TLB costs less than invalidating page by page.
constinit Atomic<uint32_t> tlb_flush_ceiling = 32;

namespace {

struct Request {
    enum class Kind : uint8_t { user, kernel, leave, segments } kind;
    PhysAddr directory{0}, instead{0};
    VirtAddr start{0}, end{0};
    const LocalDescriptors* table = nullptr;
};
constinit Atomic<bool> busy = false;
constinit Request request{};
constinit Atomic<uint32_t> unanswered = 0;

void flush_pages(VirtAddr start, VirtAddr end) {
    for (VirtAddr at = start; at < end; at += kPageSize) flush_page(at);
    this_cpu().tlb.single += (end - start) >> kPageShift;
}

bool too_many(const Request& r) {
    return (r.end - r.start) >> kPageShift > tlb_flush_ceiling.relaxed();
}

// Spec: SDM vol. 3A, 4.10.4.1: a change of CR4.PGE forgets everything.
void flush_global() {
    InterruptsOff off;
    const uint32_t cr4 = read_cr4();
    write_cr4(cr4 & ~kCr4Pge);
    write_cr4(cr4);
    if (!(cr4 & kCr4Pge)) write_cr3(read_cr3());
    ++this_cpu().tlb.full;
}

void flush_here(const Request& r) {
    Cpu& cpu = this_cpu();
    if (r.kind == Request::Kind::kernel)
        return too_many(r) ? flush_global() : flush_pages(r.start, r.end);
    if (cpu.loaded_directory != r.directory) return;
    if (r.kind == Request::Kind::leave) return load_directory(r.instead);
    if (r.kind == Request::Kind::segments) return load_local_descriptors(cpu, r.table);
    if (!too_many(r)) return flush_pages(r.start, r.end);
    write_cr3(r.directory.raw());
    ++cpu.tlb.full;
}

bool concerned(const Cpu& cpu, const Request& r) {
    return r.kind == Request::Kind::kernel || cpu.loaded_directory == r.directory;
}

void ask_others(const Request& r) {
    full_fence();  // entries before announcements
    InterruptsOff off;
    const Cpu& self = this_cpu();
    bool any = false;
    for (uint32_t i = 0; i < cpu_count; ++i) any |= cpus[i] != &self && concerned(*cpus[i], r);
    if (!any) return;
    while (busy.exchange(true)) serve_shoot_down();
    request = r;
    ++this_cpu().tlb.asked;
    for (uint32_t i = 0; i < cpu_count; ++i) {
        Cpu& cpu = *cpus[i];
        if (&cpu == &self || !concerned(cpu, r)) continue;
        unanswered.fetch_add(1);
        cpu.flush_wanted.store(true);
        lapic_send(cpu.apic_id, kVectorShootDown);
    }
    while (unanswered.load()) serve_shoot_down();
    busy.store(false);
}

void flush(const Request& r) {
    flush_here(r);
    if (cpu_count > 1) ask_others(r);
}

}  // namespace

void serve_shoot_down() {
    asm volatile("pause");
    Cpu& cpu = this_cpu();
    if (!cpu.flush_wanted.load()) return;
    InterruptsOff off;
    if (!cpu.flush_wanted.exchange(false)) return;
    flush_here(request);
    ++cpu.tlb.answered;
    unanswered.subtract(1);
}

void flush_range(PhysAddr directory, VirtAddr start, VirtAddr end) {
    flush({Request::Kind::user, directory, PhysAddr(0), start, end, nullptr});
}

void flush_kernel_range(VirtAddr start, VirtAddr end) {
    flush({Request::Kind::kernel, PhysAddr(0), PhysAddr(0), start, end, nullptr});
}

void leave_directory(PhysAddr directory, PhysAddr instead) {
    flush({Request::Kind::leave, directory, instead, VirtAddr(0), VirtAddr(0), nullptr});
}

void reload_local_descriptors(PhysAddr directory, const LocalDescriptors* table) {
    InterruptsOff off;
    flush({Request::Kind::segments, directory, PhysAddr(0), VirtAddr(0), VirtAddr(0), table});
}

void load_directory(PhysAddr directory) {
    InterruptsOff off;
    Cpu& cpu = this_cpu();
    if (cpu.loaded_directory == directory) return;
    cpu.loaded_directory = directory;
    write_cr3(directory.raw());
    load_local_descriptors(cpu, static_cast<const LocalDescriptors*>(nullptr));
}

void flush_range_here(PhysAddr directory, VirtAddr start, VirtAddr end) {
    flush_here({Request::Kind::user, directory, PhysAddr(0), start, end, nullptr});
}

void TlbStatistics::add(const TlbStatistics& other) {
    single += other.single;
    full += other.full;
    asked += other.asked;
    answered += other.answered;
}

TlbStatistics tlb_statistics(uint32_t cpu) {
    const auto& counts = cpus[cpu]->tlb;
    return {counts.single, counts.full, counts.asked, counts.answered};
}

TlbStatistics tlb_statistics() {
    TlbStatistics sum{};
    for (uint32_t i = 0; i < cpu_count; ++i) sum.add(tlb_statistics(i));
    return sum;
}
