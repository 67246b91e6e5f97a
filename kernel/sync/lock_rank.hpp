// The order of all locks, outermost first: a CPU or thread takes a lock only while every lock it
// holds comes before it in this list. Sleeping locks (Mutex) come before all spin locks, because
// no thread sleeps while it holds one of those. Debug builds check it (lock_check.cpp).
#pragma once

#include <cstdint>

enum class LockRank : uint8_t {
    // Mutexes: may be held across a sleep.
    mount_table,
    swap_calls,        // swapon and swapoff, and the files that are areas
    rename,            // serialises moves of directories between parents
    watched_files,     // which epoll sets watch which files
    epoll,             // what one epoll set watches; outer set before one in it
    file_offset,       // the offset of one open file
    proc_text,         // the text of one open file of /proc, while it is made
    directory,         // one directory's names; parent before child
    ipc_table,         // ids and permissions of one kind of System V IPC
    socket_collector,  // who looks for sockets that only messages refer to
    loop_device,       // which file stands behind a loop device
    inode,             // one file's contents and size
    tty_write,
    resources,       // the deadlock manager: all parties and types
    file_locks,      // record locks and flock, and who waits for them
    compaction,      // who compacts memory
    process_timers,  // the timers of one process
    address_space,   // the regions of one address space
    transaction,     // who adds to the running transaction of a journal, or ends it
    file_system,     // the metadata of one mounted file system
    page_cache_fill,
    block_device,
    sync_lab,  // a run of /proc/sync_lab
    // Spin locks: never held across a sleep.
    process_tree,    // parents, children, groups, sessions, the pid table
    address_spaces,  // the list of all of them
    process,         // one process: signals, descriptors
    user_accounts,   // which user has which account
    dentry_cache,
    inode_cache,    // the table of all inodes in memory
    inode_records,  // the records of one file system's inodes
    page_cache,
    socket_names,  // which socket has which name; the list of all sockets
    pipe,
    socket,            // one socket: its state, its peer
    ipc_object,        // one semaphore set, message queue
    pseudo_terminals,  // which there are
    file_events,       // who watches which files, and what was not read of it yet
    tty,
    host_link,
    futex,
    semaphore,      // the queues of a kernel semaphore or monitor
    deadlock_look,  // whether the deadlock watcher is asked to look
    block_queue,
    reclaim,  // rounds of the reclaim thread
    timer_file,
    wait_queue,
    epoll_ready,  // which files of an epoll set have news
    async_files,  // which files have news that are signals
    timers,
    run_queue,
    swap,          // swap slots, the swap cache, pages that may be evicted
    page_tables,   // spare user page tables
    virtual_area,  // kernel stacks and other ranges of the virtual area
    heap,
    frame_stock,  // one CPU's single free frames
    frames,
    random,
    interrupt_table,
    kernel_threads,
    log,
    console,  // innermost: panics and logs may come from anywhere
};

// Several locks of these ranks may be held, in an order of their own that the list tells.
constexpr bool may_nest(LockRank rank) {
    return rank == LockRank::epoll || rank == LockRank::directory;
}
