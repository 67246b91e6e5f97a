// Port I/O and the few privileged instructions that C++ cannot say.
#pragma once

#include <cstdint>

inline void out8(uint16_t port, uint8_t value) {
    asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}
inline void out16(uint16_t port, uint16_t value) {
    asm volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}
inline void out32(uint16_t port, uint32_t value) {
    asm volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}
inline uint8_t in8(uint16_t port) {
    uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline uint16_t in16(uint16_t port) {
    uint16_t value;
    asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline uint32_t in32(uint16_t port) {
    uint32_t value;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
// `count` is in elements.
inline void in16_repeat(uint16_t port, void* to, uint32_t count) {
    asm volatile("rep insw" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}
inline void in32_repeat(uint16_t port, void* to, uint32_t count) {
    asm volatile("rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}
inline void out32_repeat(uint16_t port, const void* from, uint32_t count) {
    asm volatile("rep outsl" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}
inline void out8_repeat(uint16_t port, const void* from, uint32_t count) {
    asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
}
inline uint64_t read_tsc() {
    uint64_t value;
    asm volatile("rdtsc" : "=A"(value));
    return value;
}
