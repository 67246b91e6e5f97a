// The strings of execve: program name, environment, arguments, collected from the old address space
// and written to the new one's stack in the order of the System V i386 ABI.
//
//   high  execfn | env strings | arg strings | "i686" | 16 random bytes | (align)
//         auxiliary vector | envp[] 0 | argv[] 0 | argc      <- esp, 16-aligned
#pragma once

#include "kernel/arch/user_access.hpp"
#include "kernel/lib/vector.hpp"
#include "mm/address_space.hpp"

struct AuxiliaryEntry {
    uint32_t type, value;
};

struct StackPlan {
    uint32_t esp;
    uint32_t arguments_start, arguments_end, environment_start, environment_end, auxiliary_start;
};

class ArgumentBlock {
  public:
    // Null-terminated arrays of user pointers. EFAULT, E2BIG (over `limit` bytes), ENOMEM.
    Result<void> add_arguments(UserPtr<uint32_t> pointers, uint32_t limit);
    Result<void> add_environment(UserPtr<uint32_t> pointers, uint32_t limit);
    Result<void> add_argument(std::string_view text);
    Result<void> add_environment_string(std::string_view text);
    // For #! scripts: drops argv[0] and puts these in front.
    Result<void> replace_first(std::span<const std::string_view> fresh);
    uint32_t argument_count() const { return argument_count_; }

    // Lays it all out below `top` of `space`. `auxiliary` lacks AT_EXECFN, AT_PLATFORM, AT_RANDOM
    // and AT_NULL, which are added.
    Result<StackPlan> write(AddressSpace& space, VirtAddr top, std::string_view program,
                            std::span<const AuxiliaryEntry> auxiliary) const;

  private:
    static Result<void> append(Vector<char>& to, std::string_view text);
    Result<uint32_t> collect(Vector<char>& to, UserPtr<uint32_t> pointers, uint32_t limit);

    Vector<char> arguments_, environment_;  // strings with their NULs, one after the other
    uint32_t argument_count_ = 0, environment_count_ = 0;
};
