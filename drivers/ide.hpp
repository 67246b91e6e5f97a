// IDE disks, by DMA or programmed I/O (IdeMode): hda and hdb on the first channel, hdc and hdd on the
// second. CD-ROM drives (cd_drive.hpp) are named likewise.
// Spec: ATA/ATAPI-6; PCI IDE Controller Specification 1.0 (native and legacy mode).
#pragma once

// Finds the channels (by PCI, else at their traditional ports) and registers their disks.
void ide_init();
