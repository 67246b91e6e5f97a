// The inside of execve, for the first process, whose arguments are the kernel's own.
#pragma once

#include "kernel/proc/argument_block.hpp"
#include "kernel/proc/process.hpp"

// `shown`: the name that the program and a script's interpreter are told.
Result<void> execute_with(const Path& base, std::string_view name, ArgumentBlock& arguments,
                          std::string_view shown);
