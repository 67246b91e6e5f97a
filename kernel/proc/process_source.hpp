// What /proc shows of processes: kernel/proc's side of fs/proc/process_source.hpp.
#pragma once

void process_source_init();
