// FUTEX_WAKE_OP's third argument: a change to a word, and a comparison with what it was. Pure.
// Spec: futex(2), "FUTEX_WAKE_OP": op 31..28, cmp 27..24, operand 23..12, compared with 11..0.
#pragma once

#include <cstdint>

#include "kernel/lib/result.hpp"

struct FutexWordOperation {
    uint32_t code;
    static int32_t sign_extended(uint32_t twelve_bits) {
        return static_cast<int32_t>(twelve_bits << 20) >> 20;
    }
    Result<uint32_t> apply(uint32_t word) const {
        auto operand = static_cast<uint32_t>(sign_extended(code >> 12 & 0xfff));
        if (code >> 31) operand = 1u << (operand & 31);
        switch (code >> 28 & 7) {
            case 0: return operand;
            case 1: return word + operand;
            case 2: return word | operand;
            case 3: return word & ~operand;
            case 4: return word ^ operand;
            default: return Errno::nosys;
        }
    }
    Result<bool> holds_for(uint32_t word) const {
        auto old = static_cast<int32_t>(word);
        int32_t with = sign_extended(code & 0xfff);
        switch (code >> 24 & 15) {
            case 0: return old == with;
            case 1: return old != with;
            case 2: return old < with;
            case 3: return old <= with;
            case 4: return old > with;
            case 5: return old >= with;
            default: return Errno::nosys;
        }
    }
};
