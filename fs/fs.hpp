// Start-up of the file room, and what it does when memory is short.
#pragma once

// Sizes the caches after the memory there is, registers file system types and the reclaimer.
void fs_init();
