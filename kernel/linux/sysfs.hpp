// What other files add to /sys (sysfs.cpp). A disk's files get its place among all disks in
// ProcTarget::which.
#pragma once

#include "drivers/block.hpp"
#include "fs/proc/proc_entry.hpp"

extern ProcDirectory sys_disk;  // of each whole disk
BlockDevice* sys_disk_of(const ProcTarget& target);
