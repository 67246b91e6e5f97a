// Open files in messages, and the collector of sockets that only messages refer to.
//
// A socket is a root if its file has references beside those in messages: a descriptor, or a call
// that runs. What lies in the inbox of a reached socket, or of one in its backlog, is reached too.
// The rest can't be reached any more: their inboxes are emptied, and the counts do the rest.
//
// The collector looks at one socket after the other while others run. That is safe:
// - A count in messages rises after the reference is taken and falls before it is given back, so
//   a socket that is looked at in between seems to be a root.
// - Only receiving a file (or accepting a socket) can make a root of something that is none. Both
//   count in `receptions`, while they hold the lock of the inbox that the collector would look
//   into; if the count has changed when all is marked, the round does not count.
// Locks: `collecting` (Mutex, rank socket_collector): one collector; the marks are its own.
#include "kernel/linux/socket_rights.hpp"

#include "kernel/linux/socket_names.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/lib/preemption.hpp"
#include "kernel/sched/thread.hpp"

namespace {

constinit Atomic<uint32_t> sockets_in_flight = 0;  // references in messages to sockets
constinit Atomic<uint32_t> receptions = 0;
constinit Atomic<uint32_t> next_round = 64;  // the number in flight that asks for one
constinit Atomic<uint32_t> last_visits = 0;  // of the last round
constinit Atomic<uint32_t> paid_visits = 0;  // by closes since then
constinit Mutex collecting{LockRank::socket_collector};

}  // namespace

// A round visits all sockets; one is due when that makes kPerClose visits for each close since.
void collect_after_close() {
    constexpr uint32_t kPerClose = 64;
    if (!sockets_in_flight.relaxed()) return;
    const uint32_t paid = paid_visits.add(kPerClose);
    if (paid >= last_visits.relaxed()) collect_sockets();
}
void collect_before_send() {
    const uint32_t many = next_round.relaxed();
    if (sockets_in_flight.relaxed() >= many) collect_sockets();
}
void note_reception() { receptions.add(1); }

Result<void> SocketRights::add(Ref<File> file) {
    if (files_.size() == kMost) return Errno::inval;
    return files_.push_back(std::move(file));
}

void SocketRights::count(int by) {
    for (Ref<File>& file : files_)
        if (Socket* socket = socket_behind(*file)) {
            LockGuard guard(socket->lock_);
            socket->in_flight_ += static_cast<uint32_t>(by);
            sockets_in_flight.add(static_cast<uint32_t>(by));
        }
    in_flight_ = by > 0;
}

void SocketRights::sent() { count(1); }

Result<void> SocketRights::charge(Ref<UserAccount> payer, uint32_t most) {
    if (!UserAccount::charge(payer->files_in_messages, files_.size(), most))
        return Errno::toomanyrefs;
    payer_ = std::move(payer);
    charged_ = files_.size();
    return {};
}

SocketRights::~SocketRights() {
    if (in_flight_) count(-1);
    if (payer_) UserAccount::uncharge(payer_->files_in_messages, charged_);
}

void SocketRights::receive(Box<SocketRights>& rights, Box<SocketRights>& to, bool copy) {
    if (copy) {
        Result<Box<SocketRights>> fresh = make_box<SocketRights>();
        if (fresh.is_error()) return;
        for (Ref<File>& file : rights->files_)
            if (fresh.value()->add(file).is_error()) return;
        to = fresh.release_value();
    } else {
        rights->count(-1);
        to = std::move(rights);
    }
    note_reception();
}

// --- the end of messages

namespace {

// Closing a file in a message may close a socket with messages in which are files, and so on: a
// thread that is at it already only takes note of more, for its stack is small.
struct Releaser {
    Thread* thread = &Thread::current();
    SocketRecords records;
    Releaser* next = nullptr;
};
constinit SpinLock releasers_lock{LockRank::socket_names};
constinit Releaser* releasers = nullptr;

bool leave_to_outer(SocketRecords& dead) {
    LockGuard guard(releasers_lock);
    for (Releaser* r = releasers; r; r = r->next)
        if (r->thread == &Thread::current()) {
            r->records.splice_back(dead);
            return true;
        }
    return false;
}

}  // namespace

void release_records(SocketRecords& dead) {
    if (dead.empty() || leave_to_outer(dead)) return;
    Releaser self;
    self.records.splice_back(dead);
    {
        LockGuard guard(releasers_lock);
        self.next = std::exchange(releasers, &self);
    }
    // Only this thread puts more there.
    while (SocketRecord* record = self.records.pop_front()) {
        delete record;
        preemption_point();
    }
    LockGuard guard(releasers_lock);
    Releaser** at = &releasers;
    while (*at != &self) at = &(*at)->next;
    *at = self.next;
}

// --- the collector

class SocketCollector {
  public:
    uint32_t visits = 0;
    // What the unreached hold goes to the two lists.
    void run(SocketRecords& dead, Socket::Backlog& refused) {
        const uint32_t before = receptions.load();
        list_all();
        while (Socket* socket = pop()) {
            mark_from(*socket);
            preemption_point();
        }
        if (before == receptions.load()) empty_unreached(dead, refused);
        while (Socket* socket = all_) {
            all_ = socket->next_listed_;
            Ref<Socket>::adopt(socket);
            preemption_point();
        }
    }

  private:
    using Mark = Socket::Mark;

    void list_all() {
        SocketNames::for_each([&](Socket& socket) {  // with a reference
            ++visits;
            socket.next_listed_ = std::exchange(all_, &socket);
            socket.mark_ = Mark::listed;
        });
        for (Socket* socket = all_; socket; socket = socket->next_listed_) {
            LockGuard guard(socket->lock_);
            if (!socket->file_) continue;  // fresh, closing, or in a backlog
            if (socket->in_flight_ && socket->file_->ref_count() == socket->in_flight_)
                socket->mark_ = Mark::suspect;
            else
                reach(*socket);
        }
    }
    // What was made since then is not on the list, and what it holds is a root or new too.
    void reach(Socket& socket) {
        if (socket.mark_ == Mark::unlisted || socket.mark_ == Mark::reached) return;
        socket.mark_ = Mark::reached;
        socket.next_marked_ = std::exchange(marked_, &socket);
    }
    Socket* pop() {
        Socket* socket = marked_;
        if (socket) marked_ = socket->next_marked_;
        return socket;
    }
    void mark_from(Socket& socket) {
        LockGuard guard(socket.inbox_lock_);
        for (Socket& waiting : socket.backlog_) reach(waiting);
        socket.inbox_.for_each_rights([&](SocketRights& rights) {
            for (Ref<File>& file : rights.files())
                if (Socket* inside = socket_behind(*file)) reach(*inside);
        });
    }
    void empty_unreached(SocketRecords& dead, Socket::Backlog& refused) {
        for (Socket* socket = all_; socket; socket = socket->next_listed_)
            if (socket->mark_ == Mark::suspect) {
                LockGuard guard(socket->inbox_lock_);
                socket->inbox_.take_all(dead);
                refused.splice_back(socket->backlog_);
                socket->backlog_count_ = 0;
            }
    }

    Socket* all_ = nullptr;
    Socket* marked_ = nullptr;
};

void collect_sockets() {
    if (!collecting.try_lock()) return;  // the one at work may miss this, the next one won't
    SocketRecords dead;
    Socket::Backlog refused;
    paid_visits.store_relaxed(0);
    SocketCollector collector;
    collector.run(dead, refused);
    last_visits.store_relaxed(collector.visits);
    const uint32_t left = sockets_in_flight.relaxed();
    next_round.store_relaxed(std::max(64u, 2 * left));
    collecting.unlock();
    release_records(dead);
    while (Socket* socket = refused.pop_front()) Ref<Socket>::adopt(socket)->close(true);
}
