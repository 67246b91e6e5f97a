// IoCounts: what a thread has read and written. Spec: proc(5), /proc/PID/io.
// Locks: a thread's are its own; who looks at another's may see one half of a number changed.
#pragma once

#include "kernel/lib/result.hpp"

class Thread;

struct IoCounts {
    uint64_t chars_read = 0, chars_written = 0;  // by read(2), write(2) and their kin
    uint64_t read_calls = 0, write_calls = 0;
    uint64_t bytes_read = 0;       // from a disk
    uint64_t bytes_written = 0;    // to a disk: whole pages of the cache that it made dirty
    uint64_t bytes_cancelled = 0;  // of such pages, those it cut off before they were written

    void add(const IoCounts& other) {
        chars_read += other.chars_read;
        chars_written += other.chars_written;
        read_calls += other.read_calls;
        write_calls += other.write_calls;
        bytes_read += other.bytes_read;
        bytes_written += other.bytes_written;
        bytes_cancelled += other.bytes_cancelled;
    }
};

IoCounts& own_io_counts();  // of the running thread

// call() reads or writes, and says how much or why not; the running thread's counts hear of it.
template <typename F, typename T = Thread>
[[gnu::always_inline]] inline Result<uint32_t> counted_read(F&& call) {
    Result<uint32_t> done = call();
    IoCounts& io = T::current().io;
    ++io.read_calls;
    if (done.is_ok()) io.chars_read += done.value();
    return done;
}
template <typename F, typename T = Thread>
[[gnu::always_inline]] inline Result<uint32_t> counted_write(F&& call) {
    Result<uint32_t> done = call();
    IoCounts& io = T::current().io;
    ++io.write_calls;
    if (done.is_ok()) io.chars_written += done.value();
    return done;
}
