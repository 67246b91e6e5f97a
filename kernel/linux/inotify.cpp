// See inotify.hpp.
#include "kernel/linux/inotify.hpp"

#include "kernel/lib/preemption.hpp"
#include "kernel/lib/start_up.hpp"
#include "fs/proc/proc_entry.hpp"
#include "kernel/syscall/arguments.hpp"
#include "mm/frames.hpp"

constinit InotifyLimits inotify_limits{};

namespace {

constinit SpinLock inotify_lock{LockRank::file_events};

constexpr ProcEntry kInotifySettings[] = {
    {.name = "max_user_instances", .number = &inotify_limits.files, .most = INT32_MAX},
    {.name = "max_user_watches", .number = &inotify_limits.watches, .most = INT32_MAX},
    {.name = "max_queued_events", .number = &inotify_limits.events, .most = INT32_MAX},
};
constexpr ProcEntry kInotifyDirectory[] = {{.name = "inotify", .children = kInotifySettings}};
PROC_FILES(proc_sys_fs, kInotifyDirectory);

uint32_t padded(std::string_view name) {
    return name.empty() ? 0 : static_cast<uint32_t>(align_up(name.size() + 1, 16u));
}

}  // namespace

// For a file system that leaves: all of them.
struct Inotifies {
    static constinit List<Inotify, &Inotify::all_node_> list;
};
constinit List<Inotify, &Inotify::all_node_> Inotifies::list;

// --- watches

// With inotify_lock held, as all below but where it says so.
static void note_wanted(InodeWatches& watches) {
    uint32_t wanted = 0;
    for (Watch& watch : watches.list) wanted |= watch.mask;
    watches.wanted.store(wanted & kWatchEvents);
}

Watch* Inotify::take(Watch& watch) {
    auto* watches = watch.inode->attached.get<InodeWatches>();
    watches_.remove(watch);
    watches->list.remove(watch);
    note_wanted(*watches);
    UserAccount::uncharge(payer_->inotify_watches, 1);
    file_watches.subtract(1);
    return &watch;
}

Result<int> Inotify::change(Watch& watch, uint32_t mask) {
    if (mask & kWatchMakeOnly) return Errno::exist;
    constexpr uint32_t kKept = kWatchEvents | kWatchNotRemoved | kWatchOnce;
    watch.mask = (mask & kKept) | (mask & kWatchAdd ? watch.mask : 0);
    note_wanted(*watch.inode->attached.get<InodeWatches>());
    return watch.number;
}

Result<int> Inotify::watch(Inode& inode, uint32_t mask) {
    InodeWatches* watches = TRY(inode.attached.get_or_make<InodeWatches>());
    Box<Watch> fresh = TRY(make_box<Watch>());
    fresh->inode = Ref<Inode>(inode);
    fresh->owner = this;
    LockGuard guard(inotify_lock);
    for (Watch& watch : watches->list)
        if (watch.owner == this) return change(watch, mask);
    if (!UserAccount::charge(payer_->inotify_watches, 1, inotify_limits.watches))
        return Errno::nospc;
    do {
        last_number_ = last_number_ == INT32_MAX ? 1 : last_number_ + 1;
        Watch* there = watches_.find_not_below(last_number_);
        if (!there || there->number != last_number_) break;
    } while (true);
    fresh->number = last_number_;
    watches_.insert(*fresh);
    watches->list.push_back(*fresh);
    file_watches.add(1);
    return change(*fresh.leak(), mask & ~kWatchMakeOnly);
}

Result<void> Inotify::unwatch(int number) {
    Box<Watch> gone;
    LockGuard guard(inotify_lock);
    Watch* watch = watches_.find_not_below(number);
    if (!watch || watch->number != number) return Errno::inval;
    gone = Box<Watch>(take(*watch));
    queue({number, kWatchEnded}, {});
    readers_.wake_all();
    return {};
}

Inotify::~Inotify() {
    for (;;) {
        Box<Watch> gone;
        LockGuard guard(inotify_lock);
        Watch* first = watches_.first();
        if (!first) break;
        gone = Box<Watch>(take(*first));
    }
    {
        LockGuard guard(inotify_lock);
        if (all_node_.linked()) all_node_.unlink();
    }
    if (lost_.node.linked()) lost_.node.unlink();
    while (QueuedEvent* event = events_.pop_front()) delete event;
    UserAccount::uncharge(payer_->inotify_files, 1);
}

// --- events

void Inotify::queue(const WatchEvent& event, std::string_view name) {
    const QueuedEvent* last = events_.back();
    if (last && last->event == event && last->name == name) return;
    if (lost_.node.linked() && event_count_ >= inotify_limits.events) return;
    QueuedEvent* fresh = nullptr;
    if (event_count_ < inotify_limits.events) {
        fresh = new (std::nothrow) QueuedEvent;
        Result<String> text = String::from(name);
        if (text.is_error()) delete std::exchange(fresh, nullptr);
        if (fresh) fresh->name = text.release_value(), fresh->event = event;
    }
    if (!fresh && lost_.node.linked()) return;
    if (!fresh) fresh = &lost_, lost_.event = {-1, kEventsLost};
    events_.push_back(*fresh);
    ++event_count_;
    event_bytes_ += fresh->bytes();
}

QueuedEvent* Inotify::take_event(uint32_t room, bool& too_small) {
    LockGuard guard(inotify_lock);
    QueuedEvent* first = events_.front();
    too_small = first && first->bytes() > room;
    if (!first || too_small) return nullptr;
    events_.remove(*first);
    --event_count_;
    event_bytes_ -= first->bytes();
    return first;
}

void Inotify::happened(Inode& inode, const FileEvent& event) {
    auto* watches = inode.attached.get<InodeWatches>();
    if (!watches) return;
    const bool ends = event.what & (kFileDeleted | kFileUnmounted);
    if (!(watches->wanted.load() & event.what) && !ends) return;
    // What happens to a watched directory's own name is told as of any file.
    const bool own_name = event.what & (kFileMoved | kFileDeleted | kFileUnmounted);
    const uint32_t shown = event.what | (event.directory && !own_name ? kEventOfDirectory : 0);
    List<Watch, &Watch::of_inode> gone;  // of_inode is free once a watch was taken
    {
        LockGuard guard(inotify_lock);
        Watch* next;
        for (Watch* watch = watches->list.front(); watch; watch = next) {
            next = watches->list.next(*watch);
            Inotify& owner = *watch->owner;
            const bool wanted = (watch->mask & event.what) || event.what == kFileUnmounted;
            if (!wanted && !ends) continue;
            if (event.removed && !event.name.empty() && (watch->mask & kWatchNotRemoved)) continue;
            const int number = watch->number;
            const bool once = wanted && (watch->mask & kWatchOnce);
            if (wanted) owner.queue({number, shown, event.cookie, padded(event.name)}, event.name);
            if (ends || once) {
                gone.push_back(*owner.take(*watch));
                owner.queue({number, kWatchEnded}, {});
            }
            owner.readers_.wake_all();
        }
    }
    while (Watch* watch = gone.pop_front()) delete watch;
}

// Rare; looks at all watches, a few at a time.
void Inotify::leave(FileSystem& file_system) {
    if (!file_watches.relaxed()) return;
    for (;;) {
        Ref<Inode> inode;
        {
            LockGuard guard(inotify_lock);
            for (Inotify& each : Inotifies::list) {
                for (Watch* watch = each.watches_.first(); watch && !inode;
                     watch = each.watches_.next(*watch))
                    if (&watch->inode->file_system() == &file_system) inode = watch->inode;
                if (inode) break;
            }
        }
        if (!inode) return;
        happened(*inode, {.what = kFileUnmounted});
        preemption_point();
    }
}

// --- the open file

Result<uint32_t> Inotify::read_at(ByteSink& to, uint64_t) {
    uint32_t done = 0;
    for (;;) {
        bool too_small;
        QueuedEvent* event = take_event(to.remaining(), too_small);
        if (too_small) return done ? Result(done) : Errno::inval;
        if (!event && done) return done;
        if (!event) {
            if (non_blocking()) return Errno::again;
            LockGuard guard(inotify_lock);
            const Woken woken = readers_.wait(inotify_lock, [&] { return !events_.empty(); },
                                              {.reason = "inotify_read"});
            if (woken != Woken::condition) return Errno::restart;
            continue;
        }
        const uint32_t name = static_cast<uint32_t>(event->name.view().size());
        bool whole = to.put(&event->event, sizeof event->event) == sizeof event->event;
        if (name)
            whole = whole && to.put(event->name.view().data(), name) == name &&
                    to.put_zeros(event->event.name_bytes - name) == event->event.name_bytes - name;
        done += event->bytes();
        if (event != &lost_) delete event;
        if (!whole) return Errno::fault;
    }
}

uint32_t Inotify::poll(PollTable* table) {
    if (table) table->watch(readers_, kPollIn);
    LockGuard guard(inotify_lock);
    return events_.empty() ? 0 : kPollIn;
}

// A line for each watch, as Linux has it but for the file handle.
void Inotify::put_details(TextSink& to) {
    for (int number = 0;;) {
        Watch copy;
        {
            LockGuard guard(inotify_lock);
            const Watch* watch = watches_.find_not_below(number);
            if (!watch) return;
            copy.number = watch->number, copy.mask = watch->mask, copy.inode = watch->inode;
        }
        const Attributes a = copy.inode->attributes();
        format_to(to, "inotify wd:{:x} ino:{:x} sdev:{:x} mask:{:x} ignored_mask:0\n",
                  static_cast<uint32_t>(copy.number), a.inode.raw(), a.device, copy.mask);
        if (copy.number == INT32_MAX) return;
        number = copy.number + 1;
    }
}

Result<int32_t> Inotify::ioctl(uint32_t request, uint32_t argument) {
    constexpr uint32_t kReadable = 0x541b;  // FIONREAD
    if (request != kReadable) return Errno::notty;
    uint32_t bytes;
    {
        LockGuard guard(inotify_lock);
        bytes = event_bytes_;
    }
    TRY(write_user(UserPtr<uint32_t>(argument), bytes));
    return 0;
}

// --- calls

Result<int> make_inotify(uint32_t flags) {
    const Ref<UserAccount> payer = current_process().account;
    if (!UserAccount::charge(payer->inotify_files, 1, inotify_limits.files)) return Errno::mfile;
    Result<Ref<Inotify>> made = make_ref<Inotify>(flags, payer);
    if (made.is_error()) {
        UserAccount::uncharge(payer->inotify_files, 1);
        return made.error();
    }
    {
        LockGuard guard(inotify_lock);
        Inotifies::list.push_back(*made.value());
    }
    return install(Ref<File>(made.release_value()), flags & kOpenCloseOnExec);
}

namespace {

constinit HookList<Inode&, const FileEvent&>::Hook event_hook{Inotify::happened};
constinit HookList<FileSystem&>::Hook leave_hook{Inotify::leave};
constinit HookList<File&, const void*>::Hook close_hook{[](File& file, const void* owner) {
    if (owner != &file || (file.flags() & kOpenPath)) return;
    happened(file.path(), file.writable() ? kFileClosedWritten : kFileClosed);
}};

void inotify_init() {
    file_event.add(event_hook);
    file_system_leaves.add(leave_hook);
    file_closed.add(close_hook);
    // A watch and its inode take about 600 bytes: the watches of one user at most a tenth of memory.
    inotify_limits.watches.store(std::max(memory_totals().total / 10 * (kPageSize / 512), 8192u));
}
AT_START_UP(inotify_init);

}  // namespace
