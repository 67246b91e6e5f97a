// Local descriptors, accesses through segment registers, and faults as values.
// Spec: modify_ldt(2); Intel SDM vol. 3A, 3.4 (segments), 5.4-5.6 (checks), 6.15 (exceptions).
#pragma once

#include <string>

struct Segment {
    unsigned entry, base, limit;  // limit: the last byte's offset
    bool writable = true, code = false, present = true;
};
void install(const Segment& segment);
bool is_present(unsigned entry);
constexpr unsigned selector(unsigned entry) { return entry << 3 | 4 | 3; }  // local, ring 3
inline unsigned address_of(const void* pointer) { return reinterpret_cast<unsigned>(pointer); }

constexpr int kNotPresentVector = 11;
struct Fault {
    int signal = 0;  // 0: there was none
    int vector = 0;
    unsigned error = 0;
};
std::string text(const Fault& fault);
void catch_faults();
// What deals with a fault; true: the instruction is to run again. Null: nobody.
void on_fault(bool (*handler)(const Fault&));
Fault run_guarded(void (*run)(void*), void* argument);
template <typename Action>
Fault attempt(Action& action) {
    return run_guarded([](void* it) { (*static_cast<Action*>(it))(); }, &action);
}
template <typename Action>
Fault attempt(Action&& action) {
    return attempt(action);
}

inline void load_fs(unsigned value) { asm volatile("movl %0, %%fs" ::"r"(value) : "memory"); }
inline void load_ss(unsigned value) {
    asm volatile("movl %%ss, %%ecx; movl %0, %%ss; movl %%ecx, %%ss" ::"r"(value) : "ecx");
}
inline unsigned read_fs(unsigned offset) {
    unsigned value;
    asm volatile("movl %%fs:(%1), %0" : "=r"(value) : "r"(offset) : "memory");
    return value;
}
inline void write_fs(unsigned offset, unsigned value) {
    asm volatile("movl %0, %%fs:(%1)" ::"r"(value), "r"(offset) : "memory");
}
// The limit of a segment, as LSL tells; -1: none that we may use.
inline int limit_of(unsigned of) {
    unsigned limit;
    bool valid;
    asm volatile("lsl %2, %0; setz %1" : "=&r"(limit), "=q"(valid) : "r"(of) : "cc");
    return valid ? static_cast<int>(limit) : -1;
}
inline bool may_write(unsigned segment) {
    bool valid;
    asm volatile("verw %w1; setz %0" : "=q"(valid) : "r"(segment) : "cc");
    return valid;
}
unsigned far_call(unsigned segment, unsigned offset);  // what it left in EAX
