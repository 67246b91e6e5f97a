// What the boot found out, for the rooms that ask later.
#pragma once

#include "boot/boot_info.hpp"
#include "boot/options.hpp"

const BootInfo& boot_information();
const BootOptions& boot_options();
