// A laboratory of the kernel's own semaphores and monitors: /proc/sync_lab (sync_lab.cpp).
#pragma once

void sync_lab_init();
