// O_ASYNC: news of a file is a signal to its owner. Watchers on the file's queues hear of it, perhaps in an
// interrupt, and hand the file to a kernel thread, which asks the file what is so and sends the signal.
//
//   file's queue --- AsyncSpot --- AsyncFile --> files_with_news --> thread "sigio" --> FileOwner::send()
//
// Invariant: an AsyncFile is off all queues, and off that list, before its file's last reference is gone.
// Locks: `joining` (a Mutex) for who joins a file's queues; `async_lock` for the list.
// Spec: fcntl(2) F_SETFL, O_ASYNC in open(2), ioctl FIOASYNC.
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/file_owner.hpp"
#include "kernel/sched/scheduler.hpp"
#include "kernel/syscall/arguments.hpp"

namespace {

class AsyncFile;

class AsyncSpot final : public Watcher {
  public:
    AsyncSpot(AsyncFile& of, WaitQueue& queue, uint32_t events, RefCounted* owner)
        : of_(of), queue_(queue), events_(events), owner_(owner) {}
    bool notify() override;
    bool is_on(const WaitQueue& queue) const { return &queue_ == &queue; }
    void join() { queue_.watch(*this); }
    void leave() { queue_.unwatch(*this); }
    ListNode of_node;

  private:
    AsyncFile& of_;
    WaitQueue& queue_;
    const uint32_t events_;
    Ref<RefCounted> owner_;  // keeps the queue
};

class AsyncFile final : public Attachment, private PollTable {
  public:
    static constexpr char kKind = 0;
    explicit AsyncFile(File& file) : file_(file) {}
    ~AsyncFile() override { VERIFY(spots_.empty()); }
    Result<void> start(int fd);
    void stop();
    void note(uint32_t events);
    void tell();

    ListNode news_node;  // async_lock
    File& file() { return file_; }

  private:
    void join(WaitQueue& queue, uint32_t events, RefCounted* owner) override;
    uint32_t join_and_ask() { return with_normal_bits(file_.poll(this)); }

    File& file_;
    List<AsyncSpot, &AsyncSpot::of_node> spots_;  // joining
    bool failed_ = false;                         // joining
    int fd_ = -1;                                 // async_lock
    uint32_t news_ = 0;                           // async_lock
};

constinit Mutex joining{LockRank::watched_files};
constinit List<AsyncFile, &AsyncFile::news_node> files_with_news GUARDED_BY(async_lock);
constinit WaitQueue sigio_sleeps;
constinit bool sigio_runs GUARDED_BY(joining) = false;

bool AsyncSpot::notify() { return of_.note(events_), false; }

void AsyncFile::join(WaitQueue& queue, uint32_t events, RefCounted* owner) {
    for (AsyncSpot& spot : spots_)
        if (spot.is_on(queue)) return spot.join();
    auto* fresh = new (std::nothrow) AsyncSpot(*this, queue, with_normal_bits(events), owner);
    if (!fresh) {
        failed_ = true;
        return;
    }
    spots_.push_back(*fresh);
    fresh->join();
}

void AsyncFile::note(uint32_t events) {
    {
        LockGuard guard(async_lock);
        news_ |= events;
        if (!news_node.linked()) files_with_news.push_back(*this);
    }
    sigio_sleeps.wake_one();
}

Result<void> AsyncFile::start(int fd) {
    LockGuard guard(joining);
    failed_ = false;
    join_and_ask();
    LockGuard news_guard(async_lock);
    fd_ = fd;
    return failed_ ? Errno::nomem : Result<void>();
}

void AsyncFile::stop() {
    LockGuard guard(joining);
    while (AsyncSpot* spot = spots_.pop_front()) {
        spot->leave();
        delete spot;
    }
    LockGuard news_guard(async_lock);
    if (news_node.linked()) news_node.unlink();
    news_ = 0;
}

// In the kernel's thread, which holds a reference to the file.
void AsyncFile::tell() {
    uint32_t state, news;
    int fd;
    {
        LockGuard guard(joining);
        if (spots_.empty()) return;  // O_ASYNC was taken back meanwhile
        state = join_and_ask();
        LockGuard news_guard(async_lock);
        news = std::exchange(news_, 0);
        fd = fd_;
    }
    Result<FileOwner*> owner = owner_of(file_);
    if (owner.is_error()) return;
    constexpr struct {
        uint32_t events;
        int code;
    } kCodes[] = {{kPollIn, kPollNewsIn},
                  {kPollOut, kPollNewsOut},
                  {kPollPriority, kPollNewsPriority},
                  {kPollError, kPollNewsError},
                  {kPollHangUp, kPollNewsHangUp}};
    for (const auto& [events, code] : kCodes)
        if (state & (news | kPollAlways) & events) return owner.value()->send(code, fd);
}

// The next file with news, which stays open for now; null: there is none. One that is being closed is left.
Ref<File> take_file(AsyncFile*& next) {
    LockGuard guard(async_lock);
    while ((next = files_with_news.pop_front()))
        if (next->file().try_add_ref()) return Ref<File>::adopt(&next->file());
    return nullptr;
}
bool has_news() {
    LockGuard guard(async_lock);
    return !files_with_news.empty();
}

[[noreturn]] void send_signals(void*) {
    for (;;) {
        AsyncFile* next;
        while (const Ref<File> file = take_file(next)) next->tell();
        Waiter waiter;
        sigio_sleeps.add(waiter);
        if (!has_news()) park({.interruptible = false, .deadline = {}, .reason = "sigio"});
        sigio_sleeps.remove(waiter);
    }
}

Result<void> start_thread_once() {
    LockGuard guard(joining);
    if (sigio_runs) return {};
    Ref<Thread> thread = TRY(Thread::create("sigio", send_signals, nullptr));
    sigio_runs = true;
    start_thread(*thread);
    return {};
}

Result<void> switch_async(File& file, int fd, bool on) {
    if (on) {
        TRY(start_thread_once());
        AsyncFile* async = TRY(file.attached.get_or_make<AsyncFile>(file));
        Result<void> done = async->start(fd);
        if (done.is_error()) async->stop();
        TRY(done);
    } else if (auto* async = file.attached.get<AsyncFile>()) {
        async->stop();
    }
    file.set_flags(on ? file.flags() | kOpenAsync : file.flags() & ~kOpenAsync);
    return {};
}

constinit HookList<File&, const void*>::Hook async_close{[](File& file, const void* owner) {
    auto* async = file.attached.get<AsyncFile>();
    if (async && owner == &file) async->stop();
}};

void async_files_init() {
    set_asynchronous = switch_async;
    file_closed.add(async_close);
}
AT_START_UP(async_files_init);

}  // namespace
