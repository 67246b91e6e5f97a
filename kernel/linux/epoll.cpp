// See epoll.hpp.
#include "kernel/linux/epoll.hpp"

#include <algorithm>

#include "kernel/lib/start_up.hpp"
#include "fs/proc/proc_entry.hpp"
#include "kernel/sched/thread.hpp"
#include "mm/frames.hpp"

namespace {

constexpr uint32_t kModes = kEpollExclusive | kEpollWakeUp | kEpollOneShot | kEpollEdge;

constinit Mutex watched_files{LockRank::watched_files};
constinit uint32_t last_walk GUARDED_BY(watched_files) = 0;

// How many items the sets of each user have, and how many they may have.
struct UserItems {
    ListNode node;
    uint32_t uid = 0, count = 0;
};
constinit List<UserItems, &UserItems::node> users GUARDED_BY(watched_files);  // those that have any
constinit Atomic<uint32_t> most_items = 0;

UserItems* find_user(uint32_t uid) REQUIRES(watched_files) {
    for (UserItems& user : users)
        if (user.uid == uid) return &user;
    return nullptr;
}

Result<void> count_item(uint32_t uid) REQUIRES(watched_files) {
    UserItems* user = find_user(uid);
    if ((user ? user->count : 0) >= most_items) return Errno::nospc;
    if (!user) {
        user = new (std::nothrow) UserItems;
        if (!user) return Errno::nomem;
        user->uid = uid;
        users.push_back(*user);
    }
    ++user->count;
    return {};
}

void forget_item(uint32_t uid) NO_LOCK_ANALYSIS {  // with watched_files
    UserItems* user = find_user(uid);
    if (--user->count) return;
    users.remove(*user);
    delete user;
}

constexpr ProcEntry kEpollSettings[] = {
    {.name = "max_user_watches", .number = &most_items, .most = INT32_MAX},
};
constexpr ProcEntry kEpollDirectory[] = {{.name = "epoll", .children = kEpollSettings}};
PROC_FILES(proc_sys_fs, kEpollDirectory);

// Joins the queues of one item's file that bear news of what it asks for, in the order in which the
// file names them: mostly the same ones as last time.
class Joining final : public PollTable {
  public:
    Joining(EpollItem& item, EpollSpot& first) : item_(item), next_(&first) {}
    bool failed() const { return failed_; }
    // Whatever was joined for what isn't asked for any more.
    void leave_rest() {
        for (; next_; next_ = next_->next) next_->leave();
    }

  private:
    void join(WaitQueue& queue, uint32_t events, RefCounted* owner) override {
        if (!(with_normal_bits(events) & item_.events)) return;
        if (!next_) {
            next_ = new (std::nothrow) EpollSpot(item_);
            if (!next_) {
                failed_ = true;
                return;
            }
            last_->next = next_;
        }
        next_->join(queue, owner);
        last_ = std::exchange(next_, next_->next);
    }

    EpollItem& item_;
    EpollSpot* next_;
    EpollSpot* last_ = nullptr;
    bool failed_ = false;
};

}  // namespace

// --- spots and items

bool EpollSpot::notify() {
    if (!(item_.events & ~kModes)) return false;  // a one-shot that was told
    item_.set.put_ready(item_, EpollSet::End::back);
    return item_.set.tell();
}

// A queue with an owner of its own is that of the thread that added the file, and stays it (signalfd(2)).
void EpollSpot::join(WaitQueue& queue, RefCounted* owner) {
    const bool exclusive = item_.events & kEpollExclusive;
    if (queue_ && owner && owner_) return queue_->watch(*this, exclusive);
    if (queue_ != &queue) {
        leave();
        queue_ = &queue;
        owner_ = Ref<RefCounted>(owner);
    }
    queue.watch(*this, exclusive);
}

void EpollSpot::leave() {
    if (queue_) std::exchange(queue_, nullptr)->unwatch(*this);
    owner_ = nullptr;
}

void EpollItem::leave_all() {
    first_.leave();
    while (EpollSpot* more = first_.next) {
        first_.next = more->next;
        more->leave();
        delete more;
    }
}

uint32_t EpollItem::join_and_ask(bool& joined) {
    Joining table(*this, first_);
    const uint32_t state = with_normal_bits(file.poll(&table));
    table.leave_rest();
    joined = !table.failed();
    return state & events;
}

// --- the ready list

void EpollSet::put_ready(EpollItem& item, End end) {
    LockGuard guard(ready_lock_);
    if (item.ready_node.linked()) return;
    if (end == End::front)
        ready_.push_front(item);
    else
        ready_.push_back(item);
    ++ready_count_;
}

EpollItem* EpollSet::take_ready() {
    LockGuard guard(ready_lock_);
    EpollItem* item = ready_.pop_front();
    if (item) --ready_count_;
    return item;
}

uint32_t EpollSet::ready_count() {
    LockGuard guard(ready_lock_);
    return ready_count_;
}

bool EpollSet::tell() {
    const bool woken = sleepers_.wake_one();
    pollers_.wake_all();
    return woken;
}

// --- what is watched

EpollItem* EpollSet::find(const File& file, int fd) const {
    EpollItem* item = items_.find_not_below(EpollItem::key_of(file, fd));
    return item && &item->file == &file && item->fd == fd ? item : nullptr;
}

// watched_files is held, and guards the trees against change.
uint32_t EpollSet::depth_below(const EpollSet& avoid) NO_LOCK_ANALYSIS {
    if (this == &avoid) return kMostNesting + 1;
    if (walk_ == last_walk) return walk_depth_;
    uint32_t deepest = 0;
    for (EpollItem* item = items_.first(); item && deepest <= kMostNesting;
         item = items_.next(*item))
        if (auto* inner = file_as<EpollSet>(item->file))
            deepest = std::max(deepest, inner->depth_below(avoid));
    walk_ = last_walk;
    return walk_depth_ = deepest + 1;
}

uint32_t EpollSet::depth_above() NO_LOCK_ANALYSIS {
    if (walk_ == last_walk) return walk_depth_;
    uint32_t deepest = 0;
    if (auto* watches = attached.get<FileWatches>())
        for (FileWatch& watch : watches->list)
            deepest = std::max(deepest, static_cast<EpollItem&>(watch).set.depth_above());
    walk_ = last_walk;
    return walk_depth_ = deepest + 1;
}

Result<void> EpollSet::check_nesting(File& file) NO_LOCK_ANALYSIS {
    auto* inner = file_as<EpollSet>(file);
    if (!inner) return {};
    ++last_walk;
    const uint32_t below = inner->depth_below(*this);
    ++last_walk;
    return below + depth_above() > kMostNesting ? Errno::loop : Result<void>();
}

Result<void> EpollSet::ask_first(EpollItem& item) {
    bool joined;
    if (item.join_and_ask(joined)) {
        put_ready(item, End::back);
        tell();
    }
    return joined ? Result<void>() : Errno::nomem;
}

Result<void> EpollSet::add(File& file, int fd, const EpollEvent& event) {
    constexpr uint32_t kWithExclusive = kEpollExclusive | kEpollWakeUp | kEpollEdge | kPollAlways |
                                        kPollIn | kPollOut | kPollReadNormal | kPollWriteNormal;
    if ((event.events & kEpollExclusive) &&
        ((event.events & ~kWithExclusive) || file_as<EpollSet>(file)))
        return Errno::inval;
    LockGuard watches_guard(watched_files);
    TRY(check_nesting(file));
    LockGuard guard(lock_);
    if (find(file, fd)) return Errno::exist;
    FileWatches* watches = TRY(file.attached.get_or_make<FileWatches>());
    auto* item = new (std::nothrow) EpollItem(*this, file, fd);
    if (!item) return Errno::nomem;
    if (Result<void> counted = count_item(uid_); counted.is_error()) {
        delete item;
        return counted;
    }
    item->events = event.events | kPollAlways;
    __builtin_memcpy(item->data, event.data, sizeof item->data);
    items_.insert(*item);
    watches->list.push_back(*item);
    Result<void> asked = ask_first(*item);
    if (asked.is_error()) drop(*item);
    return asked;
}

Result<void> EpollSet::modify(File& file, int fd, const EpollEvent& event) {
    if (event.events & kEpollExclusive) return Errno::inval;
    LockGuard guard(lock_);
    EpollItem* item = find(file, fd);
    if (!item) return Errno::noent;
    if (item->events & kEpollExclusive) return Errno::inval;
    item->events = event.events | kPollAlways;
    __builtin_memcpy(item->data, event.data, sizeof item->data);
    return ask_first(*item);
}

Result<void> EpollSet::remove(File& file, int fd) {
    LockGuard watches_guard(watched_files);
    LockGuard guard(lock_);
    EpollItem* item = find(file, fd);
    if (!item) return Errno::noent;
    drop(*item);
    return {};
}

void EpollSet::drop(EpollItem& item) {
    items_.remove(item);
    item.watch_node.unlink();
    item.leave_all();  // nobody makes it ready again
    {
        LockGuard guard(ready_lock_);
        if (item.ready_node.linked()) {
            item.ready_node.unlink();
            --ready_count_;
        }
    }
    delete &item;
    forget_item(uid_);
}

EpollSet::~EpollSet() {
    LockGuard watches_guard(watched_files);
    LockGuard guard(lock_);
    while (EpollItem* item = items_.first()) drop(*item);
}

void forget_watched_file(File& file, const void* owner) {
    auto* watches = file.attached.get<FileWatches>();
    if (!watches || owner != &file) return;
    LockGuard watches_guard(watched_files);
    while (FileWatch* watch = watches->list.front()) {
        auto& item = static_cast<EpollItem&>(*watch);
        EpollSet& set = item.set;
        LockGuard guard(set.lock_);
        set.drop(item);
    }
}

// --- waiting

// Those that are ready at the beginning are looked at once; what comes meanwhile is for the next.
Result<uint32_t> EpollSet::harvest(UserPtr<EpollEvent> to, uint32_t room) {
    LockGuard guard(lock_);
    uint32_t found = 0;
    for (uint32_t left = ready_count(); left && found < room; --left) {
        EpollItem* item = take_ready();
        if (!item) break;
        bool joined;
        const uint32_t news = item->join_and_ask(joined);
        if (!joined) put_ready(*item, End::back);
        if (!news) continue;
        EpollEvent event{news, {item->data[0], item->data[1]}};
        if (write_user(to + found, event).is_error()) {
            put_ready(*item, End::front);
            return found ? Result(found) : Errno::fault;
        }
        ++found;
        if (item->events & kEpollOneShot)
            item->events &= kModes;
        else if (!(item->events & kEpollEdge))
            put_ready(*item, End::back);
    }
    return found;
}

Result<uint32_t> EpollSet::wait(UserPtr<EpollEvent> to, uint32_t room, bool waits,
                                Nanoseconds deadline) {
    Woken woken = Woken::condition;
    for (;;) {
        Result<uint32_t> found = harvest(to, room);
        const bool done = found.is_error() || found.value();
        // News woke only one of those who wait: the rest is for the others.
        if (done && ready_count()) sleepers_.wake_one();
        if (done || !waits || woken == Woken::timed_out) return found;
        if (woken == Woken::interrupted) return Errno::intr;
        Waiter waiter;
        sleepers_.add(waiter);
        woken =
            ready_count() ? Woken::condition : park({.deadline = deadline, .reason = "epoll_wait"});
        sleepers_.remove(waiter);
    }
}

uint32_t EpollSet::poll(PollTable* table) {
    if (table) table->watch(pollers_, kPollIn);
    LockGuard guard(lock_);
    for (uint32_t left = ready_count(); left; --left) {
        EpollItem* item = take_ready();
        if (!item) break;
        bool joined;
        const uint32_t news = item->join_and_ask(joined);
        if (news || !joined) put_ready(*item, End::front);
        if (news) return kPollIn;
    }
    return 0;
}

Result<Ref<File>> make_epoll_set(uint32_t uid) { return Ref<File>(TRY(make_ref<EpollSet>(uid))); }

namespace {
constinit HookList<File&, const void*>::Hook last_close{forget_watched_file};
void epoll_init() {
    file_closed.add(last_close);
    // As Linux has it: one user's items take a 25th of the memory.
    most_items.store(memory_totals().total / 25 * (kPageSize / sizeof(EpollItem)));
}
AT_START_UP(epoll_init);
}  // namespace
