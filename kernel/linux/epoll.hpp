// Epoll sets: files to watch, and of those the ones with news, so that a wait costs what has happened
// and not what might.
//
//   file's queue --- Spot --- Item --- set: by (file, fd), all of them
//        | wakes: the spot leaves the queue    in order of news, those that are "ready"
//        +-> the item goes to the ready list, the set's waiters are woken
//
// A spot that was notified has left its queue. A wait takes the ready items, joins their queues
// again, asks each file what is so, and puts back those whose level is to be told again.
//
// Invariants: an item is in its set's tree and on its file's list of watches, or in neither; sets
// that watch sets form no circle, and no chain of more than kMostNesting.
// Items don't count as references of their files: the last close ends them (forget_watched_file).
// Locks: `watched_files` (a Mutex) guards lists of watches and comes with every change of a tree;
// each set's `lock_` (rank epoll) guards its tree and its items, and is held while files are asked
// and user memory is written; `ready_lock_` guards the ready list, which interrupts extend.
// Spec: epoll(7), epoll_ctl(2), epoll_wait(2).
#pragma once

#include "kernel/linux/anonymous_file.hpp"
#include "kernel/linux/epoll_item.hpp"

constexpr uint32_t kEpollExclusive = 1u << 28, kEpollWakeUp = 1u << 29, kEpollOneShot = 1u << 30,
                   kEpollEdge = 1u << 31;

struct EpollEvent {  // struct epoll_event of i386
    uint32_t events = 0;
    uint32_t data[2] = {};
};
static_assert(sizeof(EpollEvent) == 12);

class EpollSet final : public AnonymousFile {
  public:
    static constexpr uint32_t kMostNesting = 5;
    static constexpr char kKind = 0;

    explicit EpollSet(uint32_t uid) : AnonymousFile(0, "anon_inode:[eventpoll]"), uid_(uid) {}
    ~EpollSet() override;
    uint32_t poll(PollTable* table) override;
    const void* kind() const override { return &kKind; }

    // EEXIST, ENOENT, EINVAL (EPOLLEXCLUSIVE), ELOOP, ENOSPC, ENOMEM. The caller has `file` open
    // as `fd`, and it is pollable.
    Result<void> add(File& file, int fd, const EpollEvent& event);
    Result<void> modify(File& file, int fd, const EpollEvent& event);
    Result<void> remove(File& file, int fd);

    // Writes up to `room` events; how many. Waits until there is one if `waits`, up to `deadline`
    // (0: none). EINTR; EFAULT if not even the first could be written.
    Result<uint32_t> wait(UserPtr<EpollEvent> to, uint32_t room, bool waits, Nanoseconds deadline);

  private:
    friend class EpollSpot;
    friend void forget_watched_file(File& file, const void* owner);
    enum class End : bool { front, back };

    Result<uint32_t> harvest(UserPtr<EpollEvent> to, uint32_t room);
    EpollItem* find(const File& file, int fd) const REQUIRES(lock_);
    Result<void> check_nesting(File& file);
    void drop(EpollItem& item) REQUIRES(lock_);               // and deletes it
    Result<void> ask_first(EpollItem& item) REQUIRES(lock_);  // after it was added or changed
    bool tell();  // there is a ready item: any context; whether a sleeper was woken

    EpollItem* take_ready();
    void put_ready(EpollItem& item, End end);
    uint32_t ready_count();

    // How many sets are on the longest chain downwards, with this one; more than kMostNesting for a
    // circle through `avoid`. Upwards likewise. `watched_files` is held.
    uint32_t depth_below(const EpollSet& avoid);
    uint32_t depth_above();

    const uint32_t uid_;  // of its maker, for /proc/sys/fs/epoll/max_user_watches
    Mutex lock_{LockRank::epoll};
    OrderedTree<EpollItem, &EpollItem::tree_node, &EpollItem::key> items_ GUARDED_BY(lock_);
    IrqSpinLock ready_lock_{LockRank::epoll_ready};
    List<EpollItem, &EpollItem::ready_node> ready_ GUARDED_BY(ready_lock_);
    WaitQueue sleepers_;  // in wait(): each piece of news wakes one
    WaitQueue pollers_;   // who watches the set itself
    uint32_t ready_count_ GUARDED_BY(ready_lock_) = 0;
    // Of the walks for circles, under `watched_files`.
    uint32_t walk_ = 0, walk_depth_ = 0;
};

Result<Ref<File>> make_epoll_set(uint32_t uid);  // ENOMEM
