// Placeholder: says hello on COM1 and halts.
#include <cstdint>

extern "C" [[noreturn]] void kernel_main(uint32_t, uint32_t) {
    for (const char* p = "orrery: placeholder kernel\n"; *p; ++p)
        asm volatile("outb %0, %w1" : : "a"(*p), "Nd"(0x3F8));
    for (;;) asm volatile("cli; hlt");
}
