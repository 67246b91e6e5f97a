// What the wing adds to fcntl(2), by file: each takes the commands that are its own. See fcntl.cpp.
#pragma once

#include "fs/file.hpp"

Result<int> lock_command(File& file, uint32_t command, uint32_t argument);   // lock_calls.cpp
Result<int> seal_command(File& file, uint32_t command, uint32_t argument);   // memfd_create.cpp
Result<int> owner_command(File& file, uint32_t command, uint32_t argument);  // file_owner.cpp
Result<int> notice_command(File& file, int fd, uint32_t events);             // dnotify.cpp
Result<int> lease_command(File& file, int fd, uint32_t command, uint32_t argument);  // leases.cpp
