// When dirty pages are written: by age (30 s), by amount (the thread keeps it below a tenth of memory, a
// fifth makes writers do it themselves), before the machine stops, and on request. A thread of the
// kernel looks twice a second; every five seconds it lets file systems write their metadata too. The
// figures are /proc/sys/vm/dirty_*, as Linux's documentation of them has it.
// Locks: none held by callers; see page_dirty.cpp.
#pragma once

#include "kernel/lib/atomic.hpp"
#include "kernel/lib/result.hpp"
#include "kernel/lib/types.hpp"

void write_back_start();  // the thread; called once

// Writes about so many pages of files, of caches that have been dirty since before that time; how
// many it did. 0: there are none.
uint32_t write_back_pages(uint32_t wanted, Nanoseconds dirty_before);
// So much that writers write back themselves.
bool too_much_is_dirty();
// Called before a write takes its locks: waits its turn when too much is dirty. A thread of the kernel
// does not: what it writes may be what the dirty pages wait for.
void write_back_balance();

struct WriteBackSettings {  // each read without a lock
    // Of memory: at so many per cent, or (if not 0) so many bytes, the thread writes, or writers do.
    Atomic<uint32_t> background_ratio = 10, background_bytes = 0, ratio = 20, bytes = 0;
    Atomic<uint32_t> expire_centiseconds = 3000;   // so old is old
    Atomic<uint32_t> interval_centiseconds = 500;  // between looks for what is old; 0: never
};
extern WriteBackSettings write_back_settings;

class FileSystem;
// All dirty pages of files of this one; the first error.
Result<void> write_back_file_system(const FileSystem& file_system);

Nanoseconds write_back_clock();
