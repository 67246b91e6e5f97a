// tmpfs: files that live in memory only. Options: size= and nr_inodes= (limits; suffixes k, m, g,
// and % of memory for size), mode=, uid=, gid= of its root.
#pragma once

void tmpfs_init();  // registers the type "tmpfs"
