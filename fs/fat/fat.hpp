// FAT12, FAT16 and FAT32, read-only: files whose blocks are linked by a table.
#pragma once

void fat_init();  // registers the type "vfat"
