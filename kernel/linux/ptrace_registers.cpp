// See ptrace_registers.hpp.
#include "kernel/linux/ptrace_registers.hpp"

#include <algorithm>

#include "fs/io.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

constexpr uint32_t kCallGate = 0x80, kNoCall = UINT32_MAX;
constexpr uint32_t kSettableFlags = 0x00250dd5;  // as sigreturn's

// struct user_regs_struct, word by word; the call's number is in the frame's error code.
enum Word : uint32_t { kFlagsWord = 14, kCallWord = 11, kWords = 17 };
constexpr uint32_t TrapFrame::*kOrder[kWords] = {
    &TrapFrame::ebx,      &TrapFrame::ecx,    &TrapFrame::edx, &TrapFrame::esi, &TrapFrame::edi,
    &TrapFrame::ebp,      &TrapFrame::eax,    &TrapFrame::ds,  &TrapFrame::es,  &TrapFrame::fs,
    &TrapFrame::gs,       &TrapFrame::error,  &TrapFrame::eip, &TrapFrame::cs,  &TrapFrame::eflags,
    &TrapFrame::user_esp, &TrapFrame::user_ss};
bool is_segment(uint32_t word) { return (word >= 7 && word <= 10) || word == 13 || word == 16; }
bool must_select(uint32_t word) { return word == 13 || word == 16; }  // %cs, %ss: never null

uint32_t general_word(const UserThread& thread, uint32_t word) {
    const TrapFrame& f = thread.user_frame();
    const uint32_t value = f.*kOrder[word];
    if (word == kCallWord) return f.vector == kCallGate ? value : kNoCall;
    if (word == kFlagsWord) return value & ~kFlagTrap;  // the tracer's own
    return is_segment(word) ? value & 0xffff : value;
}

// Whatever it selects, ring 3 does; IRET and the segment loads refuse the rest.
Result<void> set_general_word(UserThread& thread, uint32_t word, uint32_t value) {
    TrapFrame& f = thread.user_frame();
    if (is_segment(word)) {
        value &= 0xffff;
        if (must_select(word) && (value & 3) != 3) return Errno::io;
        f.*kOrder[word] = value ? value | 3 : 0;
    } else if (word == kFlagsWord) {
        f.eflags = (f.eflags & ~kSettableFlags) | (value & kSettableFlags);
    } else if (word == kCallWord) {
        if (f.vector == kCallGate && value == kNoCall &&
            tracee_of(thread)->at_call != CallStop::entry)
            f.vector = 0;  // an interrupted call is not begun again
        if (f.vector == kCallGate) f.error = value;
    } else {
        f.*kOrder[word] = value;
    }
    return {};
}

// --- x87: an FXSAVE image in the form of FSAVE, and back

struct FloatImage {
    uint32_t control, status, tags, eip, selectors, operand, operand_selector;
    uint8_t registers[8][10];
};
static_assert(sizeof(FloatImage) == 108);

uint32_t tag_of(const uint8_t* value) {  // 0 a number, 1 zero, 2 special
    uint32_t exponent = (value[8] | value[9] << 8) & 0x7fff;
    const bool zero = std::all_of(value, value + 8, [](uint8_t byte) { return byte == 0; });
    if (exponent == 0x7fff) return 2;
    if (exponent == 0) return zero ? 1 : 2;
    return value[7] & 0x80 ? 0 : 2;
}

FloatImage to_float_image(const FpuState& state) {
    FloatImage out;
    if (!fpu_has_fxsr()) {
        __builtin_memcpy(&out, state.bytes, sizeof out);
        return out;
    }
    const uint8_t* b = state.bytes;
    auto half = [&](uint32_t at) { return static_cast<uint32_t>(b[at] | b[at + 1] << 8); };
    out.control = 0xffff0000 | half(0);
    out.status = 0xffff0000 | half(2);
    out.tags = 0xffff0000;
    const uint32_t top = half(2) >> 11 & 7;
    for (uint32_t i = 0; i < 8; ++i) {
        __builtin_memcpy(out.registers[i], b + 32 + 16 * i, 10);
        const uint32_t physical = (top + i) % 8;
        const uint32_t tag = b[4] >> physical & 1 ? tag_of(out.registers[i]) : 3;
        out.tags |= tag << 2 * physical;
    }
    __builtin_memcpy(&out.eip, b + 8, 4);
    out.selectors = half(12) | half(6) << 16;
    __builtin_memcpy(&out.operand, b + 16, 4);
    out.operand_selector = 0xffff0000 | half(20);
    return out;
}

void from_float_image(const FloatImage& in, FpuState& state) {
    if (!fpu_has_fxsr()) {
        __builtin_memcpy(state.bytes, &in, sizeof in);
        return;
    }
    uint8_t* b = state.bytes;
    auto put = [&](uint32_t at, uint32_t value) {
        b[at] = static_cast<uint8_t>(value);
        b[at + 1] = static_cast<uint8_t>(value >> 8);
    };
    put(0, in.control);
    put(2, in.status);
    b[4] = 0;
    for (uint32_t i = 0; i < 8; ++i) {
        if ((in.tags >> 2 * i & 3) != 3) b[4] |= static_cast<uint8_t>(1u << i);
        __builtin_memcpy(b + 32 + 16 * i, in.registers[i], 10);
    }
    put(6, in.selectors >> 16);
    __builtin_memcpy(b + 8, &in.eip, 4);
    put(12, in.selectors);
    __builtin_memcpy(b + 16, &in.operand, 4);
    put(20, in.operand_selector);
}

// --- watched addresses

constexpr uint32_t kDebugArea = 252, kDebugStatus = 6, kDebugControl = 7;

// Nothing of the kernel, no I/O, and an instruction is one byte long.
Result<void> check_control(const DebugRegisters& r, uint32_t control) {
    for (uint32_t i = 0; i < 4; ++i) {
        if (!(control >> 2 * i & 3)) continue;
        const uint32_t kind = control >> (16 + 4 * i) & 3, length = control >> (18 + 4 * i) & 3;
        const uint32_t bytes = length + 1;
        if (kind == 2 || length == 2 || (kind == 0 && length != 0)) return Errno::inval;
        if (r.address[i] & length) return Errno::inval;
        if (r.address[i] >= kUserTop.raw() - bytes) return Errno::inval;
    }
    return {};
}

Result<void> set_debug_word(UserThread& thread, uint32_t which, uint32_t value) {
    constexpr uint32_t kControlBits = 0xffff03ff;
    DebugRegisters& watched = tracee_of(thread)->watched;
    DebugRegisters wanted = watched;
    if (which < 4)
        wanted.address[which] = value;
    else if (which == kDebugStatus)
        wanted.status = value;
    else if (which == kDebugControl)
        wanted.control = value & kControlBits;
    else
        return Errno::io;
    TRY(check_control(wanted, wanted.control));
    watched = wanted;
    thread.debug_registers = watched.control ? &watched : nullptr;  // loaded when it gets the CPU
    return {};
}

uint32_t debug_word(const UserThread& thread, uint32_t which) {
    const DebugRegisters& r = tracee_of(thread)->watched;
    return which < 4                ? r.address[which]
           : which == kDebugStatus  ? r.status
           : which == kDebugControl ? r.control
                                    : 0;
}

}  // namespace

void wait_until_off_cpu(UserThread& thread) {
    for (;;) {
        {
            RunQueueGuard guard;
            if (thread.state != ThreadState::running) return;
        }
        yield();
    }
}

Result<uint32_t> read_register_set(const UserThread& thread, uint32_t set, RegisterImage& to) {
    auto give = [&](const void* from, uint32_t bytes) {
        __builtin_memcpy(to, from, bytes);
        return bytes;
    };
    if (set == kGeneralSet) {
        uint32_t words[kWords];
        for (uint32_t i = 0; i < kWords; ++i) words[i] = general_word(thread, i);
        return give(words, sizeof words);
    }
    if (set == kFloatSet) {
        const FloatImage image = to_float_image(thread.fpu);
        return give(&image, sizeof image);
    }
    if (set != kExtendedSet) return Errno::inval;
    return fpu_has_fxsr() ? Result(give(thread.fpu.bytes, sizeof thread.fpu.bytes)) : Errno::io;
}

Result<uint32_t> get_register_set(UserThread& thread, uint32_t set, uint32_t to, uint32_t room) {
    RegisterImage image;
    room = std::min(room, TRY(read_register_set(thread, set, image)));
    TRY(copy_to_user(VirtAddr(to), image, room));
    return room;
}

Result<uint32_t> set_register_set(UserThread& thread, uint32_t set, uint32_t from, uint32_t room) {
    if (set == kGeneralSet) {
        uint32_t words[kWords];
        room = std::min<uint32_t>(room, sizeof words);
        TRY(copy_from_user(words, VirtAddr(from), room));
        for (uint32_t i = 0; i < room / 4; ++i) TRY(set_general_word(thread, i, words[i]));
        return room;
    }
    if (set == kFloatSet) {
        FloatImage image = to_float_image(thread.fpu);
        room = std::min<uint32_t>(room, sizeof image);
        TRY(copy_from_user(&image, VirtAddr(from), room));
        from_float_image(image, thread.fpu);
        return room;
    }
    if (set != kExtendedSet) return Errno::inval;
    if (!fpu_has_fxsr()) return Errno::io;
    constexpr uint32_t kUsed = 464;  // the rest is not the processor's
    room = std::min<uint32_t>(room, sizeof thread.fpu.bytes);
    TRY(copy_from_user(thread.fpu.bytes, VirtAddr(from), std::min(room, kUsed)));
    fpu_sanitise(thread.fpu);
    return room;
}

Result<void> get_register_range(UserThread& thread, uint32_t set, UserPtr<UserRange> range) {
    UserRange r = TRY(read_user(UserPtr<const UserRange>(range.address().raw())));
    if (r.bytes % 4) return Errno::inval;
    r.bytes = TRY(get_register_set(thread, set, r.start.raw(), r.bytes));
    return write_user(range, r);
}

Result<void> set_register_range(UserThread& thread, uint32_t set, UserPtr<UserRange> range) {
    UserRange r = TRY(read_user(UserPtr<const UserRange>(range.address().raw())));
    if (r.bytes % 4) return Errno::inval;
    r.bytes = TRY(set_register_set(thread, set, r.start.raw(), r.bytes));
    return write_user(range, r);
}

Result<void> peek_user_area(UserThread& thread, uint32_t offset, UserPtr<uint32_t> to) {
    constexpr uint32_t kUserBytes = 284;
    if (offset % 4 || offset >= kUserBytes) return Errno::io;
    uint32_t value = 0;  // of what a core file of old had there
    if (offset < kWords * 4) value = general_word(thread, offset / 4);
    if (offset >= kDebugArea) value = debug_word(thread, (offset - kDebugArea) / 4);
    return write_user(to, value);
}

Result<void> poke_user_area(UserThread& thread, uint32_t offset, uint32_t value) {
    if (offset % 4) return Errno::io;
    if (offset < kWords * 4) return set_general_word(thread, offset / 4, value);
    if (offset >= kDebugArea && offset < kDebugArea + 32)
        return set_debug_word(thread, (offset - kDebugArea) / 4, value);
    return Errno::io;
}
