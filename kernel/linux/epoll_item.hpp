// One file in an epoll set, and its places on the queues of that file. See epoll.hpp.
#pragma once

#include "fs/file.hpp"
#include "kernel/lib/ordered_tree.hpp"

class EpollSet;
class EpollItem;

// A place on one queue; leaves it when the queue is woken.
class EpollSpot final : public Watcher {
  public:
    explicit EpollSpot(EpollItem& item) : item_(item) {}
    bool notify() override;
    void join(WaitQueue& queue, RefCounted* owner);
    void leave();
    EpollSpot* next = nullptr;

  private:
    EpollItem& item_;
    WaitQueue* queue_ = nullptr;
    Ref<RefCounted> owner_;  // keeps *queue_
};

// Of a file: the items that watch it. Guarded by `watched_files` (epoll.cpp).
struct FileWatch {
    ListNode watch_node;
};
struct FileWatches final : Attachment {
    static constexpr char kKind = 0;
    List<FileWatch, &FileWatch::watch_node> list;
};

class EpollItem final : public FileWatch {
  public:
    EpollItem(EpollSet& of, File& watched, int number) : set(of), file(watched), fd(number) {}
    void leave_all();  // its queues

    // What the file says now that was asked for; joins its queues first, and so misses nothing.
    // False in `joined`: no memory for that.
    uint32_t join_and_ask(bool& joined);

    EpollSet& set;
    File& file;  // may have lost its last reference, but is not destroyed before the item
    const int fd;
    uint32_t events = 0;  // asked for, with EPOLLET and kin; only those after a one-shot
    uint32_t data[2] = {};
    TreeNode tree_node;
    ListNode ready_node;  // the set's ready_lock_

    static uint64_t key_of(const File& file, int fd) {
        return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(&file)) << 32 |
               static_cast<uint32_t>(fd);
    }
    uint64_t key() const { return key_of(file, fd); }

  private:
    EpollSpot first_{*this};
};
