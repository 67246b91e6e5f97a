// inotify: an open file that tells what happens to the files and directories that it watches.
//
//      inode --- InodeWatches --- Watch --- Inotify: its watches, by number
//                 what any of them wants       the events that were not read yet, in order
//
// An event finds the watches with its inode, so others cost nothing. A watch keeps its inode in memory, until
// the file is deleted or its file system leaves. Equal events that follow each other are one; beyond the
// limit of a queue one event says that others were lost.
// Locks: `inotify_lock` (a spin lock, rank file_events) guards all watches and queues. No inode is let go
// while it is held.
// Spec: inotify(7).
#pragma once

#include "fs/file_events.hpp"
#include "fs/user_account.hpp"
#include "kernel/lib/ordered_tree.hpp"
#include "kernel/linux/anonymous_file.hpp"

constexpr uint32_t kWatchEvents = 0xfff, kEventsLost = 0x4000, kWatchEnded = 0x8000,
                   kWatchOnlyDirectory = 1u << 24, kWatchNoFollow = 1u << 25,
                   kWatchNotRemoved = 1u << 26, kWatchMakeOnly = 1u << 28, kWatchAdd = 1u << 29,
                   kEventOfDirectory = 1u << 30, kWatchOnce = 1u << 31;

// struct inotify_event, then the name.
struct WatchEvent {
    int32_t watch = -1;
    uint32_t mask = 0, cookie = 0, name_bytes = 0;
    bool operator==(const WatchEvent&) const = default;
};
static_assert(sizeof(WatchEvent) == 16);

struct QueuedEvent {
    ListNode node;
    WatchEvent event;
    String name;
    // A name is followed by zeros, one at least, up to a multiple of 16.
    uint32_t bytes() const { return static_cast<uint32_t>(sizeof event) + event.name_bytes; }
};
using EventQueue = List<QueuedEvent, &QueuedEvent::node>;

class Inotify;
struct Watch {
    TreeNode by_number;
    ListNode of_inode;
    Ref<Inode> inode;
    Inotify* owner = nullptr;
    int number = 0;
    uint32_t mask = 0;
    int key() const { return number; }
};

struct InodeWatches final : Attachment {
    static constexpr char kKind = 0;
    List<Watch, &Watch::of_inode> list;  // inotify_lock
    Atomic<uint32_t> wanted = 0;         // by any of them
};

class Inotify final : public AnonymousFile {
  public:
    static constexpr char kKind = 0;
    Inotify(uint32_t flags, Ref<UserAccount> payer)
        : AnonymousFile(flags, "anon_inode:inotify"), payer_(std::move(payer)) {
        set_flags(kOpenReadOnly | (flags & kOpenNonBlock));
    }
    ~Inotify() override;
    const void* kind() const override { return &kKind; }

    // The number of the watch of this inode. EEXIST, ENOSPC, ENOMEM.
    Result<int> watch(Inode& inode, uint32_t mask);
    Result<void> unwatch(int number);  // EINVAL

    Result<uint32_t> read_at(ByteSink& to, uint64_t) override;
    uint32_t poll(PollTable* table) override;
    void put_details(TextSink& to) override;
    Result<int32_t> ioctl(uint32_t request, uint32_t argument) override;

    // What happened to an inode that is watched. Any context that may take a spin lock.
    static void happened(Inode& inode, const FileEvent& event);
    static void leave(FileSystem& file_system);

  private:
    Result<int> change(Watch& watch, uint32_t mask);
    Watch* take(Watch& watch);  // out of both lists; the caller deletes it without the lock
    void queue(const WatchEvent& event, std::string_view name);
    QueuedEvent* take_event(uint32_t room, bool& too_small);

    const Ref<UserAccount> payer_;
    // All under inotify_lock.
    OrderedTree<Watch, &Watch::by_number, &Watch::key> watches_;
    EventQueue events_;
    uint32_t event_count_ = 0, event_bytes_ = 0;
    int last_number_ = 0;
    QueuedEvent lost_;  // says that events were; queued at most once
    ListNode all_node_;
    friend struct Inotifies;
    WaitQueue readers_;
};

// /proc/sys/fs/inotify
struct InotifyLimits {
    Atomic<uint32_t> files = 128, watches = 0, events = 16384;
};
extern InotifyLimits inotify_limits;
