// See host_link.hpp. One sender at a time owns the line; what others want to send waits for that one.
#include "drivers/host_link.hpp"

#include <algorithm>

#include "drivers/serial.hpp"
#include "drivers/virtio_console.hpp"
#include "kernel/arch/memory_layout.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/sync/wait_queue.hpp"

namespace {

constexpr uint32_t kMaxPayload = 0xFFFF;
constexpr uint32_t kMaxAnswer = 4096;
constexpr uint8_t kRequestFrame = 'R', kExitFrame = 'X', kPanicFrame = 'P', kTraceFrame = 'T';

// The answer to a request, as its bytes arrive.
struct Answer {
    uint8_t bytes[kMaxAnswer] = {};
    uint32_t length = 0;        // as announced; right once header_bytes is 2
    uint32_t header_bytes = 0;  // of the length, arrived
    uint32_t arrived = 0, taken = 0;

    bool complete() const { return header_bytes == 2 && arrived == length; }
};

struct HostLink {
    IrqSpinLock lock{LockRank::host_link};
    ByteWire* wire = nullptr;               // null: there is none
    bool sending GUARDED_BY(lock) = false;  // the line has an owner, and these:
    uint8_t header[3] = {};
    std::span<const uint8_t> unsent_header, unsent_payload;  // of the frame under way
    bool request_wanted GUARDED_BY(lock) = false;            // to be sent by the line's next owner
    bool request_out GUARDED_BY(lock) = false;               // its answer isn't complete
    bool end_of_input GUARDED_BY(lock) = false;
    Answer answer GUARDED_BY(lock);
    std::span<const uint8_t> memory_input GUARDED_BY(lock);
    bool uses_memory = false;
};
constinit HostLink host_line;
constinit WaitQueue line_free, input_arrived;

// --- the line

// The host may be slow to take what we send; then the sender sleeps a tick and looks again.
void wait_for_wire() {
    constexpr uint32_t kPolls = 2000;  // a UART's FIFO takes as long at 115200 baud
    while (!host_line.wire->wait_empty(kPolls))
        park({.interruptible = false,
              .deadline = monotonic_now() + kNanosecondsPerTick,
              .reason = "host link"});
}

void send_bytes(std::span<const uint8_t>& bytes) {
    while (!bytes.empty()) {
        wait_for_wire();
        bytes = bytes.subspan(host_line.wire->write_burst(bytes));
    }
}

void prepare_frame(uint8_t type, std::span<const uint8_t> payload) {
    host_line.header[0] = type;
    host_line.header[1] = static_cast<uint8_t>(payload.size());
    host_line.header[2] = static_cast<uint8_t>(payload.size() >> 8);
    host_line.unsent_header = host_line.header;
    host_line.unsent_payload = payload;
}

void send_frame(uint8_t type, std::span<const uint8_t> payload) {
    prepare_frame(type, payload);
    send_bytes(host_line.unsent_header);
    send_bytes(host_line.unsent_payload);
}

void send_request() {
    uint8_t most[4] = {kMaxAnswer & 0xFF, kMaxAnswer >> 8, 0, 0};
    send_frame(kRequestFrame, most);
}

// Sends the request that others left, until there is none, and lets the line go.
void release_line() {
    for (;;) {
        {
            LockGuard guard(host_line.lock);
            if (!host_line.request_wanted) {
                host_line.sending = false;
                line_free.wake_one();
                return;
            }
            host_line.request_wanted = false;
        }
        send_request();
    }
}

void send(uint8_t type, std::span<const uint8_t> payload) {
    {
        LockGuard guard(host_line.lock);
        if (!host_line.wire) return;
        line_free.wait(host_line.lock, []() NO_LOCK_ANALYSIS { return !host_line.sending; },
                       {.interruptible = false, .reason = "host link"});
        host_line.sending = true;
    }
    send_frame(type, payload);
    release_line();
}

// --- input

bool input_ready() REQUIRES(host_line.lock) {
    return host_line.answer.arrived > host_line.answer.taken || host_line.end_of_input ||
           host_line.uses_memory;
}

// Never sleeps for the line: poll() calls this between joining queues and sleeping on them.
void request_input() {
    {
        LockGuard guard(host_line.lock);
        if (!host_line.wire || input_ready() || host_line.request_out) return;
        host_line.answer.header_bytes = host_line.answer.arrived = host_line.answer.taken = 0;
        host_line.request_out = host_line.request_wanted = true;
        if (host_line.sending) return;
        host_line.sending = true;
    }
    release_line();
}

// In the interrupt handler.
void receive(void*, std::span<const uint8_t> bytes) {
    LockGuard guard(host_line.lock);
    Answer& a = host_line.answer;
    while (!bytes.empty() && host_line.request_out) {
        if (a.header_bytes < 2) {
            a.length = a.header_bytes ? a.length | bytes[0] << 8 : bytes[0];
            ++a.header_bytes;
            bytes = bytes.subspan(1);
            if (a.header_bytes == 2) a.length = std::min(a.length, kMaxAnswer);
        } else {
            auto n = std::min<size_t>(bytes.size(), a.length - a.arrived);
            std::copy_n(bytes.begin(), n, a.bytes + a.arrived);
            a.arrived += static_cast<uint32_t>(n);
            bytes = bytes.subspan(n);
        }
        if (!a.complete()) continue;
        host_line.request_out = false;
        host_line.end_of_input = a.length == 0;
        input_arrived.wake_all();
    }
}

uint32_t take_from_memory(std::span<uint8_t> to) {
    LockGuard guard(host_line.lock);
    auto n = std::min(to.size(), host_line.memory_input.size());
    std::copy_n(host_line.memory_input.begin(), n, to.begin());
    host_line.memory_input = host_line.memory_input.subspan(n);
    return static_cast<uint32_t>(n);
}

}  // namespace

bool host_link_init() {
    host_line.wire = virtio_console_init(receive, nullptr);
    if (host_line.wire) return true;
    if (com2().initialise() && com2().start_receiving("hostlink", receive, nullptr).is_ok())
        host_line.wire = &com2();
    else
        log_error("host link: neither a virtio console nor a UART at COM2");
    return host_line.wire;
}

bool host_link_present() { return host_line.wire; }

void host_link_write(HostStream stream, std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
        auto n = std::min<size_t>(bytes.size(), kMaxPayload);
        send(static_cast<uint8_t>(stream), bytes.first(n));
        bytes = bytes.subspan(n);
    }
}

void host_link_exit(uint8_t status) {
    send(kExitFrame, {&status, 1});
    if (host_line.wire) wait_for_wire();
}

// First the rest of the frame that was under way, or the host would take ours for a part of it.
static void send_frame_now(uint8_t type, std::span<const uint8_t> payload) {
    if (!host_line.wire) return;
    auto send_now = [](std::span<const uint8_t>& bytes) {
        while (!bytes.empty() && host_line.wire->wait_empty())
            bytes = bytes.subspan(host_line.wire->write_burst(bytes));
    };
    send_now(host_line.unsent_header);
    send_now(host_line.unsent_payload);
    prepare_frame(type, payload.first(std::min<size_t>(payload.size(), kMaxPayload)));
    send_now(host_line.unsent_header);
    send_now(host_line.unsent_payload);
    host_line.wire->wait_empty();
}

void host_link_panic(std::string_view report) {
    send_frame_now(kPanicFrame, {reinterpret_cast<const uint8_t*>(report.data()), report.size()});
}

void host_link_trace(std::span<const uint8_t> piece) { send_frame_now(kTraceFrame, piece); }

Result<uint32_t> host_link_read(std::span<uint8_t> to, bool non_blocking) {
    if (to.empty()) return 0u;
    if (host_line.uses_memory) return take_from_memory(to);
    if (!host_line.wire) return 0u;
    request_input();
    LockGuard guard(host_line.lock);
    if (!input_ready() && non_blocking) return Errno::again;
    if (input_arrived.wait(host_line.lock, input_ready, {.reason = "host input"}) ==
        Woken::interrupted)
        return Errno::restart;
    Answer& a = host_line.answer;
    auto n = std::min<size_t>(to.size(), a.arrived - a.taken);
    std::copy_n(a.bytes + a.taken, n, to.begin());
    a.taken += static_cast<uint32_t>(n);
    return static_cast<uint32_t>(n);
}

bool host_link_readable() {
    request_input();
    LockGuard guard(host_line.lock);
    return input_ready();
}

WaitQueue& host_link_read_queue() { return input_arrived; }

void host_link_use_input(PhysAddr start, uint32_t bytes) NO_LOCK_ANALYSIS {  // at start-up
    if (start.raw() >= kDirectMapLimit || bytes > kDirectMapLimit - start.raw())
        return log_error("host link: input module lies above the direct map; ignored");
    host_line.memory_input = {static_cast<const uint8_t*>(to_virtual(start)), bytes};
    host_line.uses_memory = true;
}
