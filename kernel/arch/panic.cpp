// See panic.hpp. Uses nothing that may itself be broken: no heap, no locks, bounded reads.
#include "kernel/arch/panic.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/lapic.hpp"
#include "kernel/arch/traps.hpp"
#include "kernel/lib/format.hpp"
#include "kernel/lib/symbols.hpp"
#include "kernel/lib/verify.hpp"
#include "kernel/sched/thread.hpp"

extern "C" const char trap_entry_start[], trap_entry_end[];
extern "C" const char __kernel_start[], __kernel_end[];

constinit PanicHooks panic_hooks{};

namespace {

constinit Atomic<bool> panicking = false;
constinit uint32_t panicking_cpu = 0;
constinit char report[4096] = {};
constinit BufferSink report_sink{std::span<char>(report)};

template <typename... Args>
void say(std::string_view format, const Args&... args) {
    char line[160];
    std::string_view text = format_in(line, format, args...);
    report_sink.put(text);
    if (panic_hooks.write) panic_hooks.write(text);
}

// Frame pointers are followed only within the stack of the current thread (or the boot stack,
// which is part of the kernel image).
bool on_kernel_stack(uint32_t address) {
    if (address & 3) return false;
    auto start = reinterpret_cast<uint32_t>(__kernel_start);
    auto end = reinterpret_cast<uint32_t>(__kernel_end);
    if (address >= start && address < end - 72) return true;
    Thread* thread = this_cpu().current;
    return thread && address >= thread->stack_bottom.raw() && address < thread->stack_top() - 8;
}

void say_location(uint32_t number, uint32_t address) {
    uint32_t offset = 0;
    const char* known = symbol_name(address, &offset);
    // A template's name may be longer than a line.
    const std::string_view name = std::string_view(known ? known : "?").substr(0, 80);
    const char* file = nullptr;
    uint32_t line = 0;
    if (source_line(address, &file, &line))
        say(" #{:<2} {:08x} {}+0x{:x} at {}:{}\n", number, address, name, offset, file, line);
    else
        say(" #{:<2} {:08x} {}+0x{:x}\n", number, address, name, offset);
}

void say_backtrace(uint32_t eip, uint32_t ebp) {
    auto entry_start = reinterpret_cast<uint32_t>(trap_entry_start);
    auto entry_end = reinterpret_cast<uint32_t>(trap_entry_end);
    say("backtrace:\n");
    say_location(0, eip);
    for (uint32_t depth = 1; depth < 13 && on_kernel_stack(ebp); ++depth) {
        const auto* words = reinterpret_cast<const uint32_t*>(ebp);
        uint32_t back = words[1];
        if (back == 0) return;
        say_location(depth, back);
        ebp = words[0];
        // The trap entry's frame pointer is the trap frame itself.
        if (back >= entry_start && back < entry_end && on_kernel_stack(ebp)) {
            const auto& frame = *reinterpret_cast<const TrapFrame*>(ebp);
            if (frame.from_user()) {
                say("     trap {} from user eip {:08x}\n", exception_name(frame.vector), frame.eip);
                return;
            }
            say("     trap {}\n", exception_name(frame.vector));
            say_location(++depth, frame.eip);
            ebp = frame.ebp;
        }
    }
}

void say_registers(const TrapFrame& f) {
    uint32_t esp =
        f.from_user() || f.vector == 8 ? f.user_esp : reinterpret_cast<uint32_t>(&f.user_esp);
    say("eax {:08x}  ebx {:08x}  ecx {:08x}  edx {:08x}\n", f.eax, f.ebx, f.ecx, f.edx);
    say("esi {:08x}  edi {:08x}  ebp {:08x}  esp {:08x}\n", f.esi, f.edi, f.ebp, esp);
    say("eip {:08x}  eflags {:08x}  cs {:04x} ds {:04x} es {:04x} fs {:04x} gs {:04x}\n", f.eip,
        f.eflags, f.cs & 0xffff, f.ds & 0xffff, f.es & 0xffff, f.fs & 0xffff, f.gs & 0xffff);
}

void say_machine() {
    say("cr0 {:08x}  cr2 {:08x}  cr3 {:08x}  cr4 {:08x}\n", read_cr0(), read_cr2(), read_cr3(),
        read_cr4());
    if (Thread* thread = this_cpu().current)
        say("cpu {}  thread {} ({})  stack {:08x}-{:08x}\n", this_cpu().id, thread->tid,
            static_cast<const char*>(thread->name), thread->stack_bottom, thread->stack_top());
    if (panic_hooks.is_stack_guard && panic_hooks.is_stack_guard(read_cr2()))
        say("cr2 lies in a guard page: the kernel stack overflowed\n");
}

[[noreturn]] void stop() {
    if (panic_hooks.finished) panic_hooks.finished(report_sink.view());
    stop_for_panic();
}

[[noreturn]] void stop_for_bug() {
    say("the kernel stops here: this is a bug in the kernel, please report it\n");
    stop();
}

void begin(std::string_view what) {
    disable_interrupts();
    if (panicking.exchange(true)) {
        if (panicking_cpu != this_cpu().id) stop_for_panic();
        if (panic_hooks.write) panic_hooks.write("\npanic within a panic\n");
        stop_for_panic();
    }
    panicking_cpu = this_cpu().id;
    lapic_send_nmi_to_others();  // they stop
    say("\nKERNEL PANIC: {}\n", what);
}

}  // namespace

bool panic_elsewhere() { return panicking.load(); }
void stop_for_panic() {
    for (;;) asm volatile("cli; hlt");
}

[[gnu::noinline]] void panic(std::string_view what, const char* file, int line) {
    begin(what);
    if (file) say("at {}:{}\n", file, line);
    // The other registers are the caller's scratch.
    uint32_t ebx, esi, edi, esp;
    asm volatile("movl %%ebx, %0; movl %%esi, %1; movl %%edi, %2; movl %%esp, %3"
                 : "=m"(ebx), "=m"(esi), "=m"(edi), "=m"(esp));
    say("ebx {:08x}  esi {:08x}  edi {:08x}  esp {:08x}  eflags {:08x}\n", ebx, esi, edi, esp,
        read_flags());
    say_machine();
    auto ebp = reinterpret_cast<uint32_t>(__builtin_frame_address(0));
    const auto* words = reinterpret_cast<const uint32_t*>(ebp);
    say_backtrace(words[1], words[0]);
    stop_for_bug();
}

void panic_with_frame(const TrapFrame& frame, std::string_view what) {
    begin(what);
    say("{}, error code {:08x}\n", exception_name(frame.vector), frame.error);
    say_registers(frame);
    say_machine();
    say_backtrace(frame.eip, frame.ebp);
    stop_for_bug();
}

void cannot_start(std::string_view why) {
    disable_interrupts();
    say("\norrery cannot start: {}\n", why);
    stop();
}

void verify_failed(const char* condition, const char* file, int line) {
    char text[160];
    panic(format_in(text, "VERIFY({}) failed", condition), file, line);
}

// libstdc++'s checks (-D_GLIBCXX_ASSERTIONS) end here.
namespace std {
void __glibcxx_assert_fail(const char* file, int line, const char*,
                           const char* condition) noexcept {
    char text[160];
    panic(format_in(text, "library check failed: {}", condition ? condition : "unreachable"), file,
          line);
}
}  // namespace std
extern "C" [[noreturn]] void __cxa_pure_virtual() { panic("pure virtual function called"); }
extern "C" [[noreturn]] void __stack_chk_fail() { panic("stack protector: a buffer overran"); }
