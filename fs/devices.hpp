// Which driver stands behind a device node: a table of number ranges, filled at start-up. Opening
// a node of any file system that holds one comes here; blocks go to drivers/block.hpp's disks.
// Locks: none; entries are added at start-up only.
#pragma once

#include "fs/cached_file.hpp"

struct CharacterDevice {
    uint32_t major;
    uint32_t first_minor = 0;
    uint32_t count = 1;
    // `flags` as open(2), creation flags included (a terminal looks at O_NOCTTY).
    Result<Ref<File>> (*open)(Inode& node, uint32_t minor, uint32_t flags);
    CharacterDevice* next = nullptr;
};
void register_character_device(CharacterDevice& device);  // must live forever

// Opens the device behind `node`, whose mode says character or block. ENXIO: there is none.
Result<Ref<File>> open_device(Inode& node, uint32_t flags);

// What files of devices have in common: the node's attributes. Derive from it.
class DeviceFile : public InodeFile {
  public:
    using InodeFile::InodeFile;
    Result<void> truncate(uint64_t) override { return Errno::inval; }
};
