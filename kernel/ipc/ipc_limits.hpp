// The limits of System V IPC that the superuser sets in /proc/sys/kernel.
// Locks: none; each is one word, and what exists already may be beyond it.
// Spec: proc(5); msgget(2), shmget(2), semget(2).
#pragma once

#include "kernel/lib/atomic.hpp"

struct IpcLimits {
    Atomic<uint32_t> message_bytes = 8192;                     // msgmax: of one
    Atomic<uint32_t> queue_bytes = 16384;                      // msgmnb: that a new queue may hold
    Atomic<uint32_t> queues = 32768;                           // msgmni
    Atomic<uint32_t> segment_bytes = UINT32_MAX - (1u << 24);  // shmmax
    Atomic<uint32_t> segment_pages = UINT32_MAX;               // shmall: at most what there is
    Atomic<uint32_t> segments = 32768;                         // shmmni
    // sem
    Atomic<uint32_t> semaphores = 32000;         // of one set
    Atomic<uint32_t> all_semaphores = 1u << 30;  // of all sets
    Atomic<uint32_t> operations = 500;           // of one semop
    Atomic<uint32_t> sets = 32768;
};
extern IpcLimits ipc_limits;
