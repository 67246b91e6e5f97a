// How a named pipe is opened: kernel/ipc, which knows pipes, installs the function at start-up.
// It keeps the pipe's buffer in node.rendezvous while it is open. ENXIO until installed.
#pragma once

#include "fs/inode.hpp"

extern Result<Ref<File>> (*open_fifo)(Inode& node, uint32_t flags);
