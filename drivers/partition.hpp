// Partitions: parts of a disk that are block devices themselves, hda1 on hda.
#pragma once

// Looks for a partition table on each disk. After the disks are known; sleeps.
void partitions_init();
