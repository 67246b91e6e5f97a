// The commands of fcntl(2) that lock: called for those that descriptors.cpp doesn't know.
#pragma once

#include "fs/file.hpp"

Result<int> lock_command(File& file, uint32_t command,
                         uint32_t argument);  // EINVAL: no such command
