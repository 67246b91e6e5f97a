// devfs: /dev, a fixed directory of device nodes and a few links. Nodes can change owner, mode and
// times, in memory; names can't be added or removed.
// Spec: Linux's devices.txt for names and numbers.
#pragma once

#include <cstdint>
#include <string_view>

// Registers the type "devfs" and the devices that have no driver of their own. After the disks are
// known and the host link, if any, is up.
void devfs_init();
// One more name, for ever; one caller at a time. `mode` with the type.
void devfs_add(std::string_view name, uint32_t mode, uint32_t special_device);
