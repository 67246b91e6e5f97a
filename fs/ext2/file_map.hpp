// The ioctls of a regular file that tell where its blocks lie. See file_map.cpp.
#pragma once

#include "fs/ext2/inode.hpp"

namespace ext2 {

// FIBMAP (for the superuser only, which the caller checks), FIGETBSZ, FIEMAP (EBADR for unknown flags);
// others ENOTTY.
Result<int32_t> map_ioctl(Ext2Inode& file, uint32_t request, uint32_t argument);

}  // namespace ext2
