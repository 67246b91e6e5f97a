// Event counters: a 64-bit number that writes add to and reads take, for one program to tell
// another, or a poll() loop, that something has happened. Spec: eventfd(2).
#pragma once

#include "fs/file.hpp"

// An open file on a new counter. A read takes all of it, or 1 if `one_by_one` (EFD_SEMAPHORE);
// of `flags` only O_NONBLOCK counts. ENOMEM.
Result<Ref<File>> make_event_counter(uint32_t initial, uint32_t flags, bool one_by_one);
