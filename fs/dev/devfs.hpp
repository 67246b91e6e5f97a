// devfs: /dev, a fixed directory of device nodes and a few links. Nodes can change owner, mode and
// times, in memory; names can't be added or removed.
// Spec: Linux's devices.txt for names and numbers.
#pragma once

// Registers the type "devfs" and the devices that have no driver of their own. After the disks are
// known and the host link, if any, is up.
void devfs_init();
