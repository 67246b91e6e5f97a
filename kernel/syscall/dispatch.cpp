// The dispatcher of int 0x80: number in eax, arguments in ebx ecx edx esi edi ebp, result or
// -errno in eax. Unpacking is deduced from each handler's signature, at compile time.
// Spec: System V i386 ABI supplement as Linux uses it; syscall(2).
// Locks: none.
#include <array>

#include "kernel/arch/traps.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/syscall/ipc_handlers.hpp"
#include "kernel/syscall/table.hpp"
#include "kernel/trace/trace.hpp"

namespace {

template <uint32_t index>
uint32_t register_of(const TrapFrame& frame) {
    static_assert(index < 6, "a system call has six registers for arguments");
    constexpr uint32_t TrapFrame::*kOrder[] = {&TrapFrame::ebx, &TrapFrame::ecx, &TrapFrame::edx,
                                               &TrapFrame::esi, &TrapFrame::edi, &TrapFrame::ebp};
    return frame.*kOrder[index];
}

// How many registers an argument takes: none for the frame itself, two for 64 bits.
template <typename T>
constexpr uint32_t kRegisters = std::is_reference_v<T> ? 0
                                : sizeof(T) == 8       ? 2
                                                       : 1;

// The argument of type T that begins at register `first`.
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
    ((first[i++] = next, next += kRegisters<Args>), ...);
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

using Entry = int32_t (*)(TrapFrame&);

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

constexpr auto make_entries() {
    std::array<Entry, kSystemCallNumbers> entries{};
#define CALL(number, name, handler) entries[number] = Unpack<&handler>::entry;
#define NAMED(number, name)
    FOR_EACH_SYSTEM_CALL(CALL, NAMED)
#undef CALL
#undef NAMED
    return entries;
}

constexpr auto make_names() {
    std::array<const char*, kSystemCallNumbers> names{};
#define CALL(number, name, handler) names[number] = #name;
#define NAMED(number, name) names[number] = #name;
    FOR_EACH_SYSTEM_CALL(CALL, NAMED)
#undef CALL
#undef NAMED
    return names;
}

constexpr auto kEntries = make_entries();
constexpr auto kNames = make_names();

// --- what is not implemented

constinit bool reported[kSystemCallNumbers + 1] = {};  // the last: all numbers beyond the table

[[gnu::cold, gnu::noinline]] int32_t not_implemented(uint32_t number) {
    uint32_t slot = number < kSystemCallNumbers ? number : kSystemCallNumbers;
    if (!std::exchange(reported[slot], true)) {
        const char* name = system_call_name(number);
        log_info("{}[{}]: system call {} ({}) is not implemented",
                 static_cast<const char*>(Thread::current().name), current_process().pid, number,
                 name ? name : "unknown");
    }
    return -static_cast<int32_t>(Errno::nosys);
}

bool wants_restart(int32_t result) {
    return result == -static_cast<int32_t>(Errno::restart) ||
           result == -static_cast<int32_t>(Errno::restart_no_handler);
}

// Out of the way of calls that aren't traced: inlined they cost those 20 instructions.
[[gnu::noinline, gnu::cold]] void trace_call(const TrapFrame& frame) {
    trace<TraceType::call_event>(frame.eax, frame.ebx, frame.ecx, frame.edx);
}
[[gnu::noinline, gnu::cold]] void trace_call_done(const TrapFrame& frame) {
    trace<TraceType::call_done_event>(frame.error, frame.eax);
}

void system_call(TrapFrame& frame) {
    uint32_t number = frame.eax;
    Entry entry = number < kSystemCallNumbers ? kEntries.data()[number] : nullptr;
    if (trace_wanted<TraceType::call_event>()) [[unlikely]]
        trace_call(frame);
    int32_t result = entry ? entry(frame) : not_implemented(number);
    frame.eax = static_cast<uint32_t>(result);
    if (trace_wanted<TraceType::call_done_event>()) [[unlikely]]
        trace_call_done(frame);
    // Signal delivery makes a repetition or EINTR of it; it must run even if the signal is gone.
    if (wants_restart(result)) [[unlikely]]
        Thread::current().interrupt_pending = true;
}

}  // namespace

const char* system_call_name(uint32_t number) {
    return number < kSystemCallNumbers ? kNames.data()[number] : nullptr;
}

namespace {
constinit TraceNames call_names{"call", system_call_name, kSystemCallNumbers};
}

void system_calls_init() {
    add_trace_names(call_names);
    trap_hooks.system_call = system_call;
}
