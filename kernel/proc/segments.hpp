// A program's own segment descriptors: set_thread_area(2), modify_ldt(2).
#pragma once

#include "kernel/proc/process.hpp"

// set_thread_area(2): entry_number -1 allocates; the number used.
Result<void> set_thread_area(UserThread& thread, UserPtr<void> description);
Result<void> get_thread_area(UserThread& thread, UserPtr<void> description);
// modify_ldt(2): bytes read, or 0. ENOSYS, EINVAL, EFAULT, ENOMEM.
Result<uint32_t> modify_ldt(uint32_t function, UserPtr<void> memory, uint32_t bytes);
void load_thread_segments(const Thread& thread);  // into this CPU's GDT; interrupts off
