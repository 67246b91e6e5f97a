// Interrupts from devices: lines 0-15, who handles them, and whether this CPU takes them.
// Locks: handlers run with interrupts off and take only locks of type IrqSpinLock.
#pragma once

#include <cstdint>

#include "kernel/lib/result.hpp"

constexpr uint32_t kFlagTrap = 1u << 8;        // EFLAGS.TF: single step
constexpr uint32_t kFlagInterrupts = 1u << 9;  // EFLAGS.IF

inline uint32_t read_flags() {
    uint32_t flags;
    asm volatile("pushfl; popl %0" : "=r"(flags));
    return flags;
}
inline bool interrupts_enabled() { return read_flags() & kFlagInterrupts; }
inline void disable_interrupts() { asm volatile("cli" ::: "memory"); }
inline void enable_interrupts() { asm volatile("sti" ::: "memory"); }

// Interrupts are off on this CPU while it lives, and after that what they were before.
class InterruptsOff {
  public:
    InterruptsOff() : flags_(read_flags()) { disable_interrupts(); }
    ~InterruptsOff() {
        if (flags_ & kFlagInterrupts) enable_interrupts();
    }
    bool were_off() const { return !(flags_ & kFlagInterrupts); }
    InterruptsOff(const InterruptsOff&) = delete;
    InterruptsOff& operator=(const InterruptsOff&) = delete;

  private:
    uint32_t flags_;
};

// For loops that wait for another CPU: a pause, and an answer to its TLB shoot-down, if it waits for
// that (page_table.cpp).
void serve_shoot_down();

// One handler on a line; lines may be shared. The object must live forever.
struct InterruptHandler {
    const char* name;
    void (*handle)(void* context);  // interrupts off; ignores what isn't its device's
    void* context = nullptr;
    InterruptHandler* next = nullptr;
};

// A vector of the local APIC (lapic.hpp): timer, or from another CPU. Before it may come.
void set_local_handler(uint32_t vector, void (*handle)());

// Adds the handler and unmasks the line (0-15; EINVAL otherwise).
Result<void> attach_interrupt(uint32_t line, InterruptHandler& handler);

// Within a handler: whether the interrupt came while a program ran (ring 3).
bool interrupted_user_mode();

// What /proc/interrupts counts (interrupt_counts.hpp), and the trace names: the lines of devices, after
// them the vectors of the local APIC; and exceptions. `tag` is Linux's name of a local one.
const InterruptHandler* interrupt_handlers(uint32_t line);
struct LocalInterrupt {
    const char *tag, *name, *meaning;
};
extern const LocalInterrupt kLocalInterrupts[3];
const char* interrupt_name(uint32_t number);  // null: nobody handles it
