// A system call is its number, its name and its handler, in a list at the end of the file that has
// the handler:
//     constexpr SystemCall kReadCalls[] = {CALL(3, read, sys_read), …};
//     SYSTEM_CALLS(kReadCalls);
// The handler's signature says at compile time how the registers are read: in the order ebx ecx edx
// esi edi ebp; 64-bit integers take two, low half first; TrapFrame& takes none. A Result's error
// becomes -errno. 16 in a handler's name: the variant with 16-bit ids.
// Locks: handlers are called with none, and with interrupts on.
// Spec: System V i386 ABI supplement as Linux uses it; syscall(2); Linux i386 asm/unistd_32.h.
#pragma once

#include <array>

#include "kernel/syscall/arguments.hpp"
#include "kernel/syscall/time_types.hpp"

using SystemCallEntry = int32_t (*)(TrapFrame&);

struct SystemCall {
    uint16_t number;
    const char* name;
    SystemCallEntry entry;  // null: only its name is known
};
struct SystemCallList {
    const SystemCall* first;
    uint32_t count;
    bool wait_for_memory;
};

#define CALL(number, name, handler) \
    { number, #name, Unpack<&handler>::entry }
// The linker script gathers the lists; dispatch.cpp makes its table of them.
#define SYSTEM_CALLS(list) REGISTER_SYSTEM_CALLS(list, false)
// Calls that have done nothing when they fail with ENOMEM: they wait for reclaim and run again.
#define SYSTEM_CALLS_THAT_WAIT(list) REGISTER_SYSTEM_CALLS(list, true)
#define REGISTER_SYSTEM_CALLS(list, wait)                                              \
    [[gnu::section(".init.data.system_calls"),                                         \
      gnu::used]] constinit const SystemCallList list##_registered = {std::data(list), \
                                                                      std::size(list), wait}

constexpr uint32_t kSystemCallNumbers = 463;  // one more than the largest

// "read"; null if the number means nothing.
const char* system_call_name(uint32_t number);

// Installs the dispatcher as the handler of int 0x80.
void system_calls_init();

// --- unpacking

template <uint32_t index>
uint32_t register_of(const TrapFrame& frame) {
    static_assert(index < 6, "a system call has six registers for arguments");
    constexpr uint32_t TrapFrame::*kOrder[] = {&TrapFrame::ebx, &TrapFrame::ecx, &TrapFrame::edx,
                                               &TrapFrame::esi, &TrapFrame::edi, &TrapFrame::ebp};
    return frame.*kOrder[index];
}

// How many registers an argument takes: none for the frame itself, two for 64 bits.
// Lab 2.2: stub { return std::is_reference_v<T> ? 0 : 1; }
template <typename T>
constexpr uint32_t registers_of() {
    return std::is_reference_v<T> ? 0 : sizeof(T) == 8 ? 2 : 1;
}

// The argument of type T that begins at register `first` (register_of<first>(frame)).
// Lab 2.2: stub { if constexpr (std::is_reference_v<T>) return frame; else return static_cast<T>(register_of<first>(frame)); }
template <typename T, uint32_t first>
T argument(TrapFrame& frame) {
    if constexpr (std::is_same_v<T, TrapFrame&>)
        return frame;
    else if constexpr (sizeof(T) == 8)
        return static_cast<T>(register_of<first>(frame) |
                              static_cast<uint64_t>(register_of<first + 1>(frame)) << 32);
    else
        return static_cast<T>(register_of<first>(frame));
}

template <typename... Args>
constexpr std::array<uint32_t, sizeof...(Args) + 1> first_registers() {
    std::array<uint32_t, sizeof...(Args) + 1> first{};
    [[maybe_unused]] uint32_t i = 0, next = 0;
    ((first[i++] = next, next += registers_of<Args>()), ...);
    return first;
}

template <typename R>
int32_t to_eax(R result) {
    return static_cast<int32_t>(result);
}
template <typename T>
int32_t to_eax(Result<T> result) {
    if (result.is_error()) [[unlikely]]
        return -static_cast<int32_t>(result.error());
    if constexpr (std::is_void_v<T>)
        return 0;
    else
        return static_cast<int32_t>(result.value());
}

// One table entry per handler.
template <auto handler>
struct Unpack;
template <typename R, typename... Args, R (*handler)(Args...)>
struct Unpack<handler> {
    static int32_t entry(TrapFrame& frame) {
        return call(frame, std::make_integer_sequence<uint32_t, sizeof...(Args)>());
    }

  private:
    static constexpr auto kFirst = first_registers<Args...>();
    template <uint32_t... i>
    static int32_t call(TrapFrame& frame, std::integer_sequence<uint32_t, i...>) {
        if constexpr (std::is_void_v<R>) {
            handler(argument<Args, kFirst[i]>(frame)...);
            return 0;
        } else {
            return to_eax(handler(argument<Args, kFirst[i]>(frame)...));
        }
    }
};
