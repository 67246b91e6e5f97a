// The registers of a stopped tracee, in the forms in which ptrace(2) passes them.
// Locks: none; the thread is stopped.
// Spec: Linux i386 asm/user_32.h, elf.h; SDM vol. 1, 8.1.10 and 10.5.1; vol. 3B, 17.2.
#pragma once

#include "kernel/linux/tracee.hpp"

// Sets by their note types in core files: NT_PRSTATUS, NT_PRFPREG, NT_PRXFPREG.
constexpr uint32_t kGeneralSet = 1, kFloatSet = 2, kExtendedSet = 0x46e62b7f;

void wait_until_off_cpu(UserThread& thread);  // then the registers that a switch saves are saved

using RegisterImage = uint8_t[512];  // as long as the longest
// Of a thread that does not run; how many bytes. EINVAL: no such set; EIO: the processor has it not.
Result<uint32_t> read_register_set(const UserThread& thread, uint32_t set, RegisterImage& to);
// Copies at most `room` bytes of a set to the caller's memory at `at`, or changes the set by what is there;
// how many. EINVAL: no such set, or not a multiple of its words; EFAULT, EIO.
Result<uint32_t> copy_register_set(UserThread& thread, uint32_t set, bool change, VirtAddr at,
                                   uint32_t room);
// The same with an iovec, whose length becomes that of what was copied.
Result<void> copy_register_range(UserThread& thread, uint32_t set, bool change,
                                 UserPtr<struct UserRange> range);
// One word of `struct user`. EIO: no such one, or a value that it may not have; EINVAL: bad breakpoint.
Result<void> peek_user_area(UserThread& thread, uint32_t offset, UserPtr<uint32_t> to);
Result<void> poke_user_area(UserThread& thread, uint32_t offset, uint32_t value);
