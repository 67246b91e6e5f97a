// See kernel/lib/random.hpp. A key's first block gives half of itself and replaces the key by the other half;
// what was given is erased: nobody who sees the state later can tell what was given out before.
// Spec: D. J. Bernstein, Fast-key-erasure random-number generators (2017).
#include "kernel/lib/random.hpp"

#include <algorithm>

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/chacha.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sync/spin_lock.hpp"

// What the compiler puts below a frame's return address (ORRERY_STACK_PROTECTOR) and compares at its end.
extern "C" {
constinit uint32_t __stack_chk_guard = 0;
}

namespace {

constinit IrqSpinLock random_lock{LockRank::random};
constinit ChaChaKey key GUARDED_BY(random_lock) = {};
// What the last blocks gave and nobody took yet: the last `spare_bytes`, the rest is erased.
constexpr uint32_t kMoreBlocks = 3;
constexpr uint32_t kSpareMost = sizeof(ChaChaKey) + kMoreBlocks * sizeof(ChaChaBlock);
constinit std::array<uint8_t, kSpareMost> spare GUARDED_BY(random_lock) = {};
constinit uint32_t spare_bytes GUARDED_BY(random_lock) = 0;

ChaChaKey half_of(const ChaChaBlock& block, uint32_t half) {
    ChaChaKey out;
    std::copy_n(block.begin() + half * 8, 8, out.begin());
    return out;
}

// A new key, and the other half of the block that it is from.
ChaChaKey next_half() REQUIRES(random_lock) {
    const ChaChaBlock block = chacha20_block(key, 0);
    key = half_of(block, 0);
    return half_of(block, 1);
}

// Most requests are for a few bytes, and some blocks are enough for many of them.
void take_spare(uint8_t* to, uint32_t bytes) {
    LockGuard guard(random_lock);
    if (bytes > spare_bytes) {
        const ChaChaKey former = key, half = next_half();
        uint8_t* at = spare.data();
        __builtin_memcpy(at, &half, sizeof half);
        at += sizeof half;
        for (uint32_t counter = 1; counter <= kMoreBlocks; ++counter, at += sizeof(ChaChaBlock)) {
            const ChaChaBlock block = chacha20_block(former, counter);
            __builtin_memcpy(at, &block, sizeof block);
        }
        spare_bytes = spare.size();
    }
    uint8_t* from = spare.data() + (spare.size() - spare_bytes);
    __builtin_memcpy(to, from, bytes);
    __builtin_memset(from, 0, bytes);
    spare_bytes -= bytes;
}

void stir(uint64_t word) {
    LockGuard guard(random_lock);
    key[0] ^= static_cast<uint32_t>(word);
    key[1] ^= static_cast<uint32_t>(word >> 32);
    static_cast<void>(next_half());
    spare_bytes = 0;
}

// How long it takes to read a port outside the CPU varies.
void stir_in_jitter() {
    constexpr uint16_t kSystemPort = 0x61;  // reading it changes nothing
    for (int sample = 0; sample < 64; ++sample) {
        static_cast<void>(in8(kSystemPort));
        stir(read_tsc());
    }
}

// Spec: Intel SDM vol. 1, 7.3.17.
void stir_in_hardware_numbers() {
    constexpr uint32_t kRdrand = 1u << 30;
    if (!(cpu_features().ecx1 & kRdrand)) return;
    for (int i = 0; i < 8; ++i) {
        uint32_t number;
        bool good;
        asm volatile("rdrand %0; setc %1" : "=r"(number), "=qm"(good)::"cc");
        if (good) stir(number);
    }
}

}  // namespace

// Frames that are in use compare with the guard that they began with: there are only this one and
// kernel_main()'s, which has no end.
__attribute__((no_stack_protector)) void random_init(bool has_seed, uint32_t seed) {
    if (has_seed) {
        stir(seed);
    } else {
        stir(realtime_now().raw());
        stir_in_hardware_numbers();
        stir_in_jitter();
    }
    uint32_t guard;
    random_bytes(&guard, sizeof guard);
    __stack_chk_guard = guard & ~0xffu;  // a string that overruns ends at the zero
}

void random_bytes(void* to, uint32_t bytes) {
    auto* at = static_cast<uint8_t*>(to);
    if (bytes <= kSpareMost) return take_spare(at, bytes);
    ChaChaKey own;
    {
        LockGuard guard(random_lock);
        own = next_half();
    }
    for (uint32_t counter = 0; bytes; ++counter) {
        const ChaChaBlock block = chacha20_block(own, counter);
        const uint32_t piece = std::min<uint32_t>(bytes, sizeof block);
        __builtin_memcpy(at, &block, piece);
        at += piece;
        bytes -= piece;
    }
}
