// TraceEvent: 32 bytes that say what happened. TraceRing: the last 2^n of them on one CPU.
// A writer takes a slot by one instruction (XADD), which an interrupt on the same CPU cannot split;
// the handler's events then lie behind. It fills the slot and marks it with its lap last, so a
// reader on any CPU tells a whole event from one under way or of an earlier lap.
// Locks: none. One CPU writes; all may read, and must check `written` again afterwards.
#pragma once

#include "kernel/lib/atomic.hpp"
#include "kernel/trace/events.hpp"

struct TraceEvent {
    uint64_t tsc;
    uint8_t type, cpu;
    uint16_t lap;  // of the ring, from 1; 0 in the binary form
    int32_t tid;   // of the running thread; 0: idle, negative: of the kernel
    uint32_t args[4];
};
static_assert(sizeof(TraceEvent) == 32 && alignof(TraceEvent) <= 8);

class TraceRing {
  public:
    constexpr TraceRing() = default;
    // 2^shift events of memory that stays; its contents don't matter.
    void use(TraceEvent* memory, uint32_t shift) {
        events_ = memory;
        shift_ = shift;
    }
    uint32_t capacity() const { return 1u << shift_; }
    uint32_t address() const { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(events_)); }
    uint32_t written() const { return written_.load(); }

    [[gnu::always_inline]] void write(uint64_t tsc, uint32_t cpu, TraceType type, int32_t tid,
                                      uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
        uint32_t index = 1;
        asm volatile("xaddl %0, %1" : "+r"(index), "+m"(written_));
        TraceEvent& event = events_[index & ((1u << shift_) - 1)];
        event.tsc = tsc;
        event.tid = tid;
        event.args[0] = a;
        event.args[1] = b;
        event.args[2] = c;
        event.args[3] = d;
        asm volatile("" ::: "memory");
        // Type, CPU and lap in one store.
        const uint32_t word = static_cast<uint32_t>(type) | cpu << 8 | lap_of(index) << 16;
        __builtin_memcpy(&event.type, &word, sizeof word);
    }

    // Copies event number `index`; false if it is under way, or overwritten by now.
    bool read(uint32_t index, TraceEvent& to) const {
        asm volatile("" ::: "memory");
        to = events_[index & (capacity() - 1)];
        asm volatile("" ::: "memory");
        return written() - index <= capacity() && to.lap == (lap_of(index) & 0xffff);
    }

    // Readers start behind what was there.
    void clear() { cleared_.store(written()); }
    uint32_t first() const {
        const uint32_t all = written(), kept = all - capacity();
        const uint32_t cleared = cleared_.load();
        return all - cleared > capacity() ? kept : cleared;
    }
    uint32_t lost() const { return first() - cleared_.load(); }

  private:
    uint32_t lap_of(uint32_t index) const { return (index >> shift_) + 1; }

    TraceEvent* events_ = nullptr;
    uint32_t shift_ = 0;
    Atomic<uint32_t> written_ = 0, cleared_ = 0;  // numbers of events ever, modulo 2^32
};
