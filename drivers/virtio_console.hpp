// Port 1 of a virtio console: bytes to and from the host in whole buffers, with a thousandth of the
// port accesses that a UART takes. Only the emulator's host link uses it.
// Invariant: one descriptor a queue, so its buffer is either the device's or ours.
// Locks: none; the host link serialises senders, the receiving queue is the interrupt handler's.
// Spec: Virtual I/O Device 1.1: 2.6 (split queues), 4.1.4.8 (legacy PCI), 5.3 (console).
#pragma once

#include "drivers/byte_wire.hpp"

// Null if there is none. Received bytes go to `receive`.
ByteWire* virtio_console_init(ByteWire::Receiver receive, void* context);
