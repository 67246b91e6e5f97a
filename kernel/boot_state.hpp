// What the boot found out, for the rooms that ask later.
#pragma once

#include "boot/boot_info.hpp"
#include "boot/options.hpp"

const BootInfo& boot_information();
const BootOptions& boot_options();

// --- for main: what the loader's information and the command line ask for
void connect_log_and_panic();
void read_boot_information(uint32_t magic, uint32_t information);
void connect_host();      // the second serial port: output of --exec, the trace; else a terminal
void add_boot_modules();  // files that the loader put into memory: RAM disks, input
