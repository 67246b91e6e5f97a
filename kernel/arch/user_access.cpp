// See user_access.hpp. The faulting instructions are in user_copy.S.
#include "kernel/arch/user_access.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/lib/preemption.hpp"

extern "C" {
uint32_t copy_guarded(void* to, const void* from, uint32_t bytes);
uint32_t clear_guarded(void* to, uint32_t bytes);
uint32_t copy_string_guarded(char* to, const char* from, uint32_t limit);
uint32_t exchange_guarded(uint32_t* at, uint32_t* expected, uint32_t desired);
}

namespace {

// How many bytes of [start, start + bytes) lie in user space, below kUserTop. `bytes` may be as large
// as a program likes: start + bytes may be beyond 2^32.
// Lab 2.3: stub { (void)start; return bytes; }
uint32_t bytes_below_top(VirtAddr start, uint32_t bytes) {
    if (start >= kUserTop) return 0;
    const uint32_t room = kUserTop - start;
    return bytes < room ? bytes : room;
}
uint32_t clip(VirtAddr start, uint32_t bytes) {
    if (this_cpu().reschedule) [[unlikely]]
        preemption_point();
    return bytes_below_top(start, bytes);
}
void* pointer(VirtAddr address) { return reinterpret_cast<void*>(address.raw()); }

// Each half is one instruction on whichever CPU it runs on; only the sum over all is ever read, so
// a switch between the two, to another CPU even, does no harm.
template <uint32_t kCounter>
void count(uint32_t bytes) {
    asm volatile("addl %0, %%fs:%c1\n\tadcl $0, %%fs:%c2"
                 :
                 : "r"(bytes), "i"(kCounter), "i"(kCounter + 4)
                 : "cc");
}
void count_in(uint32_t bytes) { count<offsetof(Cpu, copied.in)>(bytes); }
void count_out(uint32_t bytes) { count<offsetof(Cpu, copied.out)>(bytes); }

}  // namespace

uint32_t copy_from_user_partly(void* to, VirtAddr from, uint32_t bytes) {
    const uint32_t allowed = clip(from, bytes);
    const uint32_t done = allowed - copy_guarded(to, pointer(from), allowed);
    count_in(done);
    return done;
}

uint32_t copy_to_user_partly(VirtAddr to, const void* from, uint32_t bytes) {
    const uint32_t allowed = clip(to, bytes);
    const uint32_t done = allowed - copy_guarded(pointer(to), from, allowed);
    count_out(done);
    return done;
}

// `bytes` from the program's memory: all of them, else EFAULT. copy_guarded() tells how many it did not
// copy because an address faulted; count_in() those that were copied in full, for the statistics.
// Lab 2.3: stub { copy_guarded(to, pointer(from), clip(from, bytes)); count_in(bytes); return {}; }
Result<void> copy_from_user(void* to, VirtAddr from, uint32_t bytes) {
    if (clip(from, bytes) != bytes || copy_guarded(to, pointer(from), bytes)) return Errno::fault;
    count_in(bytes);
    return {};
}

Result<void> copy_to_user(VirtAddr to, const void* from, uint32_t bytes) {
    if (clip(to, bytes) != bytes || copy_guarded(pointer(to), from, bytes)) return Errno::fault;
    count_out(bytes);
    return {};
}

Result<void> clear_user(VirtAddr to, uint32_t bytes) {
    if (clip(to, bytes) != bytes || clear_guarded(pointer(to), bytes)) return Errno::fault;
    return {};
}

// The string's length without its NUL. EFAULT if memory that is not the program's comes before the NUL and
// before to.size() bytes are read; ENAMETOOLONG if to.size() bytes are read and none is the NUL.
// copy_string_guarded(to, from, limit) reads `limit` bytes at most, and returns the length, `limit` when
// there was no NUL, UINT32_MAX when an address faulted.
// Lab 2.3: stub { const uint32_t length = copy_string_guarded(to.data(), static_cast<const char*>(pointer(from)), clip(from, to.size())); if (length == to.size()) return Errno::nametoolong; return length == UINT32_MAX ? 0 : length; }
Result<uint32_t> copy_string_from_user(std::span<char> to, VirtAddr from) {
    auto room = static_cast<uint32_t>(to.size());
    uint32_t limit = clip(from, room);
    uint32_t length =
        copy_string_guarded(to.data(), static_cast<const char*>(pointer(from)), limit);
    if (length == UINT32_MAX || (length == limit && limit < room)) return Errno::fault;
    if (length == limit) return Errno::nametoolong;
    return length;
}

Result<uint32_t> exchange_user_if(UserPtr<uint32_t> at, uint32_t expected, uint32_t desired) {
    auto* word = static_cast<uint32_t*>(pointer(at.address()));
    if (clip(at.address(), sizeof *word) != sizeof *word) return Errno::fault;
    if (exchange_guarded(word, &expected, desired)) return Errno::fault;
    return expected;
}

UserCopyTotals user_copy_totals() {
    UserCopyTotals totals;
    for (uint32_t i = 0; i < cpu_count; ++i) {
        if (!cpus[i]) continue;
        totals.in += cpus[i]->copied.in;
        totals.out += cpus[i]->copied.out;
    }
    return totals;
}
