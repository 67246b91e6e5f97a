// The order of all locks, outermost first: a CPU or thread takes a lock only while every lock it
// holds has a smaller rank. Sleeping locks (Mutex) come before all spin locks, because nobody
// sleeps while holding one of those. Debug builds check it.
#pragma once

#include <cstdint>

enum class LockRank : uint8_t {
    // Mutexes: may be held across a sleep.
    mount_table = 10,
    swap_calls = 11,     // swapon and swapoff, and the files that are areas
    rename = 12,         // serialises moves of directories between parents
    watched_files = 12,  // which epoll sets watch which files
    epoll = 13,          // what one epoll set watches; outer set before one in it
    file_offset = 13,    // the offset of one open file
    directory = 14,      // one directory's names; parent before child
    inode = 16,          // one file's contents and size
    tty_write = 17,
    resources = 18,         // the deadlock manager: all parties and types
    file_locks = 19,        // record locks and flock, and who waits for them
    ipc_table = 15,         // ids and permissions of one kind of System V IPC
    socket_collector = 15,  // who looks for sockets that only messages refer to
    compaction = 19,        // who compacts memory
    process_timers = 19,    // the timers of one process
    address_space = 20,     // the regions of one address space
    file_system = 22,       // the metadata of one mounted file system
    page_cache_fill = 24,
    block_device = 26,
    sync_lab = 28,  // a run of /proc/sync_lab
    // Spin locks: never held across a sleep.
    process_tree = 40,    // parents, children, groups, sessions, the pid table
    address_spaces = 41,  // the list of all of them
    process = 42,         // one process: signals, descriptors
    user_accounts = 44,   // which user has which account
    dentry_cache = 46,
    inode_cache = 47,    // the table of all inodes in memory
    inode_records = 48,  // the records of one file system's inodes
    write_back = 49,     // what the write-back thread is asked for
    page_cache = 50,
    pipe = 52,
    socket_names = 51,  // which socket has which name; the list of all sockets
    socket = 53,        // one socket: its state, its peer
    ipc_object = 53,    // one semaphore set, message queue
    tty = 54,
    host_link = 55,
    futex = 56,
    deadlock_look = 58,  // whether the deadlock watcher is asked to look
    semaphore = 57,      // the queues of a kernel semaphore or monitor
    block_queue = 58,
    reclaim = 59,  // rounds of the reclaim thread
    wait_queue = 60,
    timer_file = 59,
    epoll_ready = 62,  // which files of an epoll set have news
    timers = 64,
    run_queue = 70,
    swap = 71,          // swap slots, the swap cache, pages that may be evicted
    page_tables = 72,   // spare user page tables
    virtual_area = 74,  // kernel stacks and other ranges of the virtual area
    heap = 76,
    frame_stock = 78,  // one CPU's single free frames
    frames = 80,
    random = 84,
    interrupt_table = 86,
    log = 92,
    console = 94,  // innermost: panics and logs may come from anywhere
};
