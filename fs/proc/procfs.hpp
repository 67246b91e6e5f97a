// procfs: the kernel's state as text files, in Linux's formats (proc(5)), and /proc/sys.
#pragma once

void procfs_init();  // registers the type "proc"
