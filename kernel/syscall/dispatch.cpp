// The dispatcher of int 0x80: number in eax, result or -errno in eax. What becomes of the arguments
// is said in system_call.hpp.
// Locks: none; the table changes at start-up only.
#include "kernel/arch/traps.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/syscall/system_call.hpp"
#include "kernel/trace/trace.hpp"
#include "mm/reclaim.hpp"

extern const SystemCallList __system_calls_begin[], __system_calls_end[];

namespace {

// Gathered from the lists of all files that have handlers.
constinit SystemCallEntry entries[kSystemCallNumbers] = {};
constinit const char* names[kSystemCallNumbers] = {};
constinit bool waits_for_memory[kSystemCallNumbers] = {};

void fill_table() {
    for (const SystemCallList* list = __system_calls_begin; list < __system_calls_end; ++list)
        for (const SystemCall& call : std::span(list->first, list->count)) {
            VERIFY(!names[call.number]);
            names[call.number] = call.name;
            entries[call.number] = call.entry;
            waits_for_memory[call.number] = list->wait_for_memory;
        }
}

// --- what is not implemented

constinit bool reported[kSystemCallNumbers + 1] = {};  // the last: all numbers beyond the table

[[gnu::cold, gnu::noinline]] int32_t not_implemented(uint32_t number) {
    uint32_t slot = number < kSystemCallNumbers ? number : kSystemCallNumbers;
    // The C library asks for these at each start, and does without them: no news.
    constexpr uint32_t kRseq = 386, kClone3 = 435;
    const bool expected = number == kRseq || number == kClone3;
    if (!expected && !std::exchange(reported[slot], true)) {
        const char* name = system_call_name(number);
        log_info("{}[{}]: system call {} ({}) is not implemented",
                 static_cast<const char*>(Thread::current().name), current_process().pid, number,
                 name ? name : "unknown");
    }
    return -static_cast<int32_t>(Errno::nosys);
}

constexpr uint32_t kLowestError = 0u - 4095;
constexpr int32_t kNoMemory = -static_cast<int32_t>(Errno::nomem);

// ENOMEM is what a program sees when waiting for memory is of no use.
int32_t call_again(TrapFrame& frame, SystemCallEntry entry) {
    if (!wait_for_memory()) return kNoMemory;
    return to_eax(with_memory([&]() -> Result<int32_t> {
        const int32_t result = entry(frame);
        return result == kNoMemory ? Result<int32_t>(Errno::nomem) : Result(result);
    }));
}

[[gnu::noinline, gnu::cold]] int32_t failed(TrapFrame& frame, SystemCallEntry entry,
                                            uint32_t number, int32_t result) {
    if (result == kNoMemory && waits_for_memory[number]) result = call_again(frame, entry);
    // Signal delivery makes a repetition or EINTR of it; it must run even if the signal is gone.
    if (result == -static_cast<int32_t>(Errno::restart) ||
        result == -static_cast<int32_t>(Errno::restart_no_handler))
        Thread::current().interrupt_pending = true;
    return result;
}

// Out of the way of calls that aren't traced: inlined they cost those 20 instructions.
[[gnu::noinline, gnu::cold]] void trace_call(const TrapFrame& frame) {
    trace<TraceType::call_event>(frame.eax, frame.ebx, frame.ecx, frame.edx);
}
[[gnu::noinline, gnu::cold]] void trace_call_done(const TrapFrame& frame) {
    trace<TraceType::call_done_event>(frame.error, frame.eax);
}

// The handler of call `number`, which a program may have made up: null if there is none.
// Lab 2.2: stub { return entries[number % kSystemCallNumbers]; }
inline SystemCallEntry entry_of(uint32_t number) {
    return number < kSystemCallNumbers ? entries[number] : nullptr;
}

void system_call(TrapFrame& frame) {
    uint32_t number = frame.eax;
    const SystemCallEntry entry = entry_of(number);
    if (trace_wanted<TraceType::call_event>()) [[unlikely]]
        trace_call(frame);
    int32_t result = entry ? entry(frame) : not_implemented(number);
    if (static_cast<uint32_t>(result) >= kLowestError) [[unlikely]]
        result = failed(frame, entry, number, result);
    frame.eax = static_cast<uint32_t>(result);
    if (trace_wanted<TraceType::call_done_event>()) [[unlikely]]
        trace_call_done(frame);
}

}  // namespace

const char* system_call_name(uint32_t number) {
    return number < kSystemCallNumbers ? names[number] : nullptr;
}

namespace {
constinit TraceNames call_names{"call", system_call_name, kSystemCallNumbers};
}

void system_calls_init() {
    fill_table();
    add_trace_names(call_names);
    trap_hooks.system_call = system_call;
}
