// Segments that programs make: a thread's own GDT slots (set_thread_area, mostly for TLS in %gs),
// and the local descriptors of an address space (modify_ldt).
// Invariant: only code and data segments of ring 3 come out of here, with their accessed bit set.
// Spec: set_thread_area(2), modify_ldt(2); struct user_desc of Linux i386 asm/ldt.h.
#include "kernel/arch/cpu.hpp"
#include "kernel/proc/segments.hpp"
#include "mm/compaction.hpp"
#include "mm/local_descriptors.hpp"

namespace {

struct UserDescriptor {
    uint32_t entry, base, limit;
    uint32_t flags;  // seg_32bit, contents:2, read_exec_only, limit_in_pages, not_present, useable
};
constexpr uint32_t kIs32Bit = 1, kReadOnly = 8, kInPages = 16, kNotPresent = 32, kUsable = 64;
constexpr uint32_t kAllFlags = 0x7f, kEmptyFlags = kReadOnly | kNotPresent;

// What frees a slot: the flags of an empty one, or nothing at all.
bool is_empty(const UserDescriptor& d) {
    const uint32_t flags = d.flags & kAllFlags & ~kUsable;
    return d.base == 0 && d.limit == 0 && (flags == kEmptyFlags || !(d.flags & kAllFlags));
}

// The descriptor that the words describe; 0 for an empty one. segment_descriptor() puts base, limit and the
// access byte where they belong. The byte: P (bit 7), unless not present; DPL 3 (bits 5, 6) and S (bit 4)
// always; `contents` (bits 1 and 2 of the flags: data, stack, code) in bits 2 and 3; W or R (bit 1), unless
// read-only; A (bit 0) always. The limit is counted in pages or in bytes. "Usable" is bit 52.
// Lab 11.5: stub { return is_empty(d) ? 0 : segment_descriptor(d.base, 0xfffff, 0xf3, Granularity::pages); }
uint64_t to_descriptor(const UserDescriptor& d) {
    if (is_empty(d)) return 0;
    uint32_t contents = d.flags >> 1 & 3;
    uint8_t access = 0x70 | (d.flags & kNotPresent ? 0 : 0x80) |
                     static_cast<uint8_t>(contents << 2) | (d.flags & kReadOnly ? 0 : 2) | 1;
    return segment_descriptor(d.base, d.limit, access,
                              d.flags & kInPages ? Granularity::pages : Granularity::bytes,
                              d.flags & kIs32Bit) |
           (d.flags & kUsable ? uint64_t(1) << 52 : 0);
}

// The other way: base and limit from their pieces, and the flags of UserDescriptor; for 0, an empty one.
// Lab 11.5: stub { (void)raw; return {entry, 0, 0, kEmptyFlags}; }
UserDescriptor from_gdt(uint32_t entry, uint64_t raw) {
    if (!raw) return {entry, 0, 0, kEmptyFlags};
    auto low = static_cast<uint32_t>(raw), high = static_cast<uint32_t>(raw >> 32);
    uint32_t base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
    uint32_t limit = (low & 0xffff) | (high & 0xf0000);
    uint32_t flags = (high >> 22 & 1) | (high >> 10 & 3) << 1 | (high & 1 << 9 ? 0 : kReadOnly) |
                     (high & 1 << 23 ? kInPages : 0) | (high & 1 << 15 ? 0 : kNotPresent) |
                     (high & 1 << 20 ? kUsable : 0);
    return {entry, base, limit, flags};
}

// --- modify_ldt

constexpr uint32_t kReadTable = 0, kWriteOld = 1, kReadDefault = 2, kWrite = 0x11;
constexpr uint32_t kTableOrderMost = 4;      // frames of the longest table
constexpr uint32_t kContentsConforming = 3;  // a code segment that keeps its caller's privilege
constexpr uint32_t kDefaultBytes = 5 * 8;    // what Linux calls the default table, all of it 0

Result<uint32_t> read_table(UserPtr<void> memory, uint32_t bytes) {
    AddressSpace& space = *current_process().space;
    if (!space.local_descriptors()) return 0u;
    bytes = bytes < kLocalDescriptorsMost * 8 ? bytes : kLocalDescriptorsMost * 8;
    uint64_t piece[32];
    uint32_t done = 0;
    while (done < bytes) {
        const uint32_t copied = read_local_descriptors(space, piece, done / 8) * 8;
        if (!copied) break;
        const uint32_t wanted = copied < bytes - done ? copied : bytes - done;
        TRY(copy_to_user(memory.address() + done, piece, wanted));
        done += wanted;
    }
    TRY(clear_user(memory.address() + done, bytes - done));
    return bytes;
}

Result<uint32_t> read_default(UserPtr<void> memory, uint32_t bytes) {
    bytes = bytes < kDefaultBytes ? bytes : kDefaultBytes;
    TRY(clear_user(memory.address(), bytes));
    return bytes;
}

// The old way to write knows no "usable" bit, and takes base and limit 0 for "remove".
Result<uint32_t> write_entry(UserPtr<void> memory, uint32_t bytes, bool old_way) {
    if (bytes != sizeof(UserDescriptor)) return Errno::inval;
    const UserDescriptor d = TRY(read_user(memory.cast<UserDescriptor>()));
    if (d.entry >= kLocalDescriptorsMost) return Errno::inval;
    if ((d.flags >> 1 & 3) == kContentsConforming && (old_way || !(d.flags & kNotPresent)))
        return Errno::inval;
    uint64_t descriptor = 0;
    const bool remove = (old_way && !d.base && !d.limit) || (is_empty(d) && !(d.flags & kUsable));
    if (!remove) descriptor = to_descriptor(d);
    if (old_way) descriptor &= ~(uint64_t(1) << 52);
    AddressSpace& space = *current_process().space;
    Result<void> done = set_local_descriptor(space, d.entry, descriptor);
    // A long table is a run of frames, which may have to be made first.
    if (done.is_error() && compact_for(kTableOrderMost))
        done = set_local_descriptor(space, d.entry, descriptor);
    TRY(done);
    return 0u;
}

}  // namespace

Result<uint32_t> modify_ldt(uint32_t function, UserPtr<void> memory, uint32_t bytes) {
    switch (function) {
        case kReadTable: return read_table(memory, bytes);
        case kReadDefault: return read_default(memory, bytes);
        case kWriteOld: return write_entry(memory, bytes, true);
        case kWrite: return write_entry(memory, bytes, false);
        default: return Errno::nosys;
    }
}

void load_thread_segments(const Thread& thread) {
    for (uint32_t i = 0; i < GDT_TLS_COUNT; ++i) this_cpu().gdt[GDT_TLS_FIRST + i] = thread.tls[i];
}

Result<void> set_thread_area(UserThread& thread, UserPtr<void> description) {
    UserDescriptor d = TRY(read_user(description.cast<UserDescriptor>()));
    uint64_t descriptor = to_descriptor(d);
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
