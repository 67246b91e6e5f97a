// The channel to the host's runner (`scripts/run --exec`), on a virtio console or else on COM2: the
// command's output, its input, its exit status, and a panic's report, apart from the console.
//
//   guest to host   type (1 byte), length (2, little-endian), payload
//                   'O' output   'E' error output   'X' exit status (1 byte)   'P' panic report
//                   'T' a piece of the trace (kernel/trace/reader.hpp)
//                   'R' asks for input: how much at most (4 bytes, little-endian)
//   host to guest   only in answer to 'R': length (2 bytes, little-endian), so many bytes; 0: no more
//
// Invariant: one request is under way at a time, and never while bytes of its answer are unread.
// In repeatable runs the input is a boot module instead, because an answer takes the host's time.
// Locks: an IrqSpinLock (rank host_link) guards the state; a sender owns the line while `sending`,
// which waits for the host with interrupts on. A panic sends at once.
#pragma once

#include <span>
#include <string_view>

#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

class WaitQueue;

enum class HostStream : uint8_t { output = 'O', error = 'E' };

bool host_link_init();  // false: no wire. After the PCI scan.
bool host_link_present();
void host_link_write(HostStream stream, std::span<const uint8_t> bytes);
void host_link_exit(uint8_t status);
// At once, without sleeping: for when the machine is about to stop.
void host_link_trace(std::span<const uint8_t> piece);
void host_link_panic(std::string_view report);

// 0 bytes: end of the input. Errors: EAGAIN; restart after a signal (the answer is kept).
Result<uint32_t> host_link_read(std::span<uint8_t> to, bool non_blocking);
bool host_link_readable();  // asks for input if there is none, so that it can become true
WaitQueue& host_link_read_queue();
void host_link_use_input(PhysAddr start, uint32_t bytes);  // in the direct map
