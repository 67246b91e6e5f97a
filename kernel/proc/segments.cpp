// set_thread_area and get_thread_area: a thread's own GDT slots, mostly for TLS in %gs.
// Spec: set_thread_area(2); struct user_desc of Linux i386 asm/ldt.h.
#include "kernel/arch/cpu.hpp"
#include "kernel/proc/process.hpp"
#include "mm/mm.hpp"

namespace {

struct UserDescriptor {
    uint32_t entry, base, limit;
    uint32_t flags;  // seg_32bit, contents:2, read_exec_only, limit_in_pages, not_present, useable
};
constexpr uint32_t kIs32Bit = 1, kReadOnly = 8, kInPages = 16, kNotPresent = 32, kUsable = 64;

uint64_t to_gdt(const UserDescriptor& d) {
    bool empty = d.base == 0 && d.limit == 0 && (d.flags & ~kUsable) == (kReadOnly | kNotPresent);
    if (empty) return 0;
    uint32_t contents = d.flags >> 1 & 3;
    uint8_t access = 0x70 | (d.flags & kNotPresent ? 0 : 0x80) |
                     static_cast<uint8_t>(contents << 2) | (d.flags & kReadOnly ? 0 : 2) | 1;
    return segment_descriptor(d.base, d.limit, access,
                              d.flags & kInPages ? Granularity::pages : Granularity::bytes,
                              d.flags & kIs32Bit) |
           (d.flags & kUsable ? uint64_t(1) << 52 : 0);
}

UserDescriptor from_gdt(uint32_t entry, uint64_t raw) {
    if (!raw) return {entry, 0, 0, kReadOnly | kNotPresent};
    auto low = static_cast<uint32_t>(raw), high = static_cast<uint32_t>(raw >> 32);
    uint32_t base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
    uint32_t limit = (low & 0xffff) | (high & 0xf0000);
    uint32_t flags = (high >> 22 & 1) | (high >> 10 & 3) << 1 | (high & 1 << 9 ? 0 : kReadOnly) |
                     (high & 1 << 23 ? kInPages : 0) | (high & 1 << 15 ? 0 : kNotPresent) |
                     (high & 1 << 20 ? kUsable : 0);
    return {entry, base, limit, flags};
}

}  // namespace

void load_thread_segments(const Thread& thread) {
    for (uint32_t i = 0; i < GDT_TLS_COUNT; ++i) this_cpu().gdt[GDT_TLS_FIRST + i] = thread.tls[i];
}

Result<void> set_thread_area(UserThread& thread, UserPtr<void> description) {
    UserDescriptor d = TRY(read_user(description.cast<UserDescriptor>()));
    uint64_t descriptor = to_gdt(d);
    // Only data segments, and 32-bit ones: a conforming code segment here would be a hole.
    if (descriptor && (!(d.flags & kIs32Bit) || (d.flags >> 1 & 3) > 1)) return Errno::inval;
    uint32_t slot = d.entry - GDT_TLS_FIRST;
    if (d.entry == UINT32_MAX) {
        for (slot = 0; slot < GDT_TLS_COUNT && thread.tls[slot]; ++slot) {
        }
        if (slot == GDT_TLS_COUNT) return Errno::srch;
        TRY(write_user(description.cast<uint32_t>(), GDT_TLS_FIRST + slot));
    }
    if (slot >= GDT_TLS_COUNT) return Errno::inval;
    InterruptsOff off;
    thread.tls[slot] = descriptor;
    if (&thread == &Thread::current()) load_thread_segments(thread);
    return {};
}

Result<void> get_thread_area(UserThread& thread, UserPtr<void> description) {
    uint32_t entry = TRY(read_user(description.cast<uint32_t>()));
    uint32_t slot = entry - GDT_TLS_FIRST;
    if (slot >= GDT_TLS_COUNT) return Errno::inval;
    return write_user(description.cast<UserDescriptor>(), from_gdt(entry, thread.tls[slot]));
}
