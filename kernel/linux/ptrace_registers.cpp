// See ptrace_registers.hpp.
#include "kernel/linux/ptrace_registers.hpp"

#include <algorithm>

#include "fs/io.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/gate.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/sched/dispatcher.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

constexpr uint32_t kNoCall = UINT32_MAX;
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
    if (word == kCallWord) return f.vector == kVectorSystemCall ? value : kNoCall;
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
        if (f.vector == kVectorSystemCall && value == kNoCall &&
            tracee_of(thread)->at_call != CallStop::entry)
            f.vector = 0;  // an interrupted call is not begun again
        if (f.vector == kVectorSystemCall) f.error = value;
    } else {
        f.*kOrder[word] = value;
    }
    return {};
}

// --- x87: an FXSAVE image in the form of FSAVE, and back

struct FloatImage {  // as FSAVE
    uint32_t control, status, tags, eip, selectors, operand, operand_selector;
    uint8_t registers[8][10];
};
struct ExtendedImage {  // as FXSAVE begins
    uint16_t control, status, tags, opcode;
    uint32_t eip, selector, operand, operand_selector, mxcsr, mxcsr_mask;
    uint8_t registers[8][16];
};
static_assert(offsetof(ExtendedImage, registers) == 32);
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
    __builtin_memcpy(&out, state.bytes, sizeof out);
    if (!fpu_has_fxsr()) return out;
    ExtendedImage in;
    __builtin_memcpy(&in, state.bytes, sizeof in);
    constexpr uint32_t kUpper = 0xffff0000;
    out = {.control = kUpper | in.control,
           .status = kUpper | in.status,
           .tags = kUpper,
           .eip = in.eip,
           .selectors = (in.selector & 0xffff) | uint32_t{in.opcode} << 16,
           .operand = in.operand,
           .operand_selector = kUpper | in.operand_selector,
           .registers = {}};
    for (uint32_t i = 0; i < 8; ++i) {
        __builtin_memcpy(out.registers[i], in.registers[i], sizeof out.registers[i]);
        const uint32_t physical = ((in.status >> 11) + i) % 8;
        const uint32_t tag = in.tags >> physical & 1 ? tag_of(out.registers[i]) : 3;
        out.tags |= tag << 2 * physical;
    }
    return out;
}

void from_float_image(const RegisterImage& image, FpuState& state) {
    if (!fpu_has_fxsr()) {
        __builtin_memcpy(state.bytes, image, sizeof(FloatImage));
        return;
    }
    FloatImage in;
    ExtendedImage out;
    __builtin_memcpy(&in, image, sizeof in);
    __builtin_memcpy(&out, state.bytes, sizeof out);
    out.control = static_cast<uint16_t>(in.control);
    out.status = static_cast<uint16_t>(in.status);
    out.opcode = static_cast<uint16_t>(in.selectors >> 16);
    out.tags = 0;
    out.eip = in.eip;
    out.selector = in.selectors & 0xffff;
    out.operand = in.operand;
    out.operand_selector = in.operand_selector & 0xffff;
    for (uint32_t i = 0; i < 8; ++i) {
        if ((in.tags >> 2 * i & 3) != 3) out.tags |= static_cast<uint16_t>(1u << i);
        __builtin_memcpy(out.registers[i], in.registers[i], sizeof in.registers[i]);
    }
    __builtin_memcpy(state.bytes, &out, sizeof out);
}

// --- watched addresses

uint32_t debug_register_at(uint32_t offset) { return (offset - 252) / 4; }  // huge: below them

uint32_t* debug_word(DebugRegisters& r, uint32_t which) {  // null: there is no such register
    return which < 4    ? &r.address[which]
           : which == 6 ? &r.status
           : which == 7 ? &r.control
                        : nullptr;
}

// Nothing of the kernel, no I/O, and an instruction is one byte long.
Result<void> check_control(const DebugRegisters& r) {
    for (uint32_t i = 0; i < 4; ++i) {
        if (!(r.control >> 2 * i & 3)) continue;
        const uint32_t kind = r.control >> (16 + 4 * i) & 3, length = r.control >> (18 + 4 * i) & 3;
        if (kind == 2 || length == 2 || (kind == 0 && length != 0)) return Errno::inval;
        if (r.address[i] & length || r.address[i] >= kUserTop.raw() - length - 1)
            return Errno::inval;
    }
    return {};
}

Result<void> set_debug_word(UserThread& thread, uint32_t which, uint32_t value) {
    constexpr uint32_t kControlBits = 0xffff03ff;
    DebugRegisters& watched = tracee_of(thread)->watched;
    DebugRegisters wanted = watched;
    uint32_t* word = debug_word(wanted, which);
    if (!word) return Errno::io;
    *word = word == &wanted.control ? value & kControlBits : value;
    TRY(check_control(wanted));
    watched = wanted;
    thread.debug_registers = watched.control ? &watched : nullptr;  // loaded when it gets the CPU
    return {};
}

}  // namespace

void wait_until_off_cpu(UserThread& thread) {
    auto runs = [&] {
        RunQueueGuard guard;
        return thread.state == ThreadState::running;
    };
    while (runs()) yield();
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

Result<uint32_t> copy_register_set(UserThread& thread, uint32_t set, bool change, VirtAddr at,
                                   uint32_t room) {
    constexpr uint32_t kUsed = 464;  // of an FXSAVE image; the rest is not the processor's
    RegisterImage image;
    room = std::min(room, TRY(read_register_set(thread, set, image)));
    if (!change) {
        TRY(copy_to_user(at, image, room));
        return room;
    }
    TRY(copy_from_user(image, at, room));
    if (set == kGeneralSet) {
        uint32_t words[kWords];
        __builtin_memcpy(words, image, sizeof words);
        for (uint32_t i = 0; i < room / 4; ++i) TRY(set_general_word(thread, i, words[i]));
    } else if (set == kFloatSet) {
        from_float_image(image, thread.fpu);
    } else {
        __builtin_memcpy(thread.fpu.bytes, image, std::min(room, kUsed));
        fpu_sanitise(thread.fpu);
    }
    return room;
}

Result<void> copy_register_range(UserThread& thread, uint32_t set, bool change,
                                 UserPtr<UserRange> range) {
    UserRange r = TRY(read_user(UserPtr<const UserRange>(range.address().raw())));
    if (r.bytes % 4) return Errno::inval;
    r.bytes = TRY(copy_register_set(thread, set, change, r.start, r.bytes));
    return write_user(range, r);
}

Result<void> peek_user_area(UserThread& thread, uint32_t offset, UserPtr<uint32_t> to) {
    constexpr uint32_t kUserBytes = 284;
    if (offset % 4 || offset >= kUserBytes) return Errno::io;
    const uint32_t* debug = debug_word(tracee_of(thread)->watched, debug_register_at(offset));
    const bool general = offset < kWords * 4;  // between them: what a core file of old had
    const uint32_t value = general ? general_word(thread, offset / 4) : debug ? *debug : 0;
    return write_user(to, value);
}

Result<void> poke_user_area(UserThread& thread, uint32_t offset, uint32_t value) {
    if (offset % 4) return Errno::io;
    if (offset < kWords * 4) return set_general_word(thread, offset / 4, value);
    return set_debug_word(thread, debug_register_at(offset), value);
}
