// The names of POSIX message queues, who may open them, and the limits in /proc/sys/fs/mqueue.
// Locks: `table_lock` (a Mutex of rank ipc_table).
// Spec: mq_overview(7), mq_open(3), mq_unlink(3); Linux: names have no slash, and anybody may make
// queues and unlink their own, as in a sticky directory.
#include <algorithm>

#include "kernel/lib/start_up.hpp"
#include "fs/proc/proc_entry.hpp"
#include "kernel/linux/posix_queue.hpp"

namespace {

constexpr uint32_t kMostMessages = 65536, kMostBytes = 16u << 20, kLongestName = 255;

std::string_view name_of(const PosixQueue& queue) { return queue.name(); }

constinit Mutex table_lock{LockRank::ipc_table};
using NameTree = OrderedTree<PosixQueue, &PosixQueue::name_node, &name_of>;
constinit NameTree* names GUARDED_BY(table_lock) = nullptr;  // never destroyed
constinit List<PosixQueue, &PosixQueue::all_node> all_queues GUARDED_BY(table_lock);

// --- /proc/sys/fs/mqueue

constinit struct {
    Atomic<uint32_t> queues = 256, messages = 10, bytes = 8192, default_messages = 10,
                     default_bytes = 8192;
} most;
constexpr ProcEntry kQueueSettings[] = {
    {.name = "queues_max", .number = &most.queues, .most = INT32_MAX},
    {.name = "msg_max", .number = &most.messages, .least = 1, .most = kMostMessages},
    {.name = "msgsize_max", .number = &most.bytes, .least = 128, .most = kMostBytes},
    {.name = "msg_default", .number = &most.default_messages, .least = 1, .most = kMostMessages},
    {.name = "msgsize_default", .number = &most.default_bytes, .least = 128, .most = kMostBytes},
};
constexpr ProcEntry kQueueDirectory[] = {{.name = "mqueue", .children = kQueueSettings}};
PROC_FILES(proc_sys_fs, kQueueDirectory);

// --- names

Result<void> check_name(std::string_view name) {
    if (name.size() > kLongestName) return Errno::nametoolong;
    if (name.empty()) return Errno::noent;
    if (name == "." || name == ".." || name.find('/') != name.npos) return Errno::acces;
    return {};
}

PosixQueue* find(std::string_view name) REQUIRES(table_lock) {
    PosixQueue* queue = names->find_not_below(name);
    return queue && queue->name() == name ? queue : nullptr;
}

Result<void> check_limits(const Credentials& who, const PosixQueue::Limits& wanted) {
    const bool free = who.may(Capability::sys_resource);
    const uint32_t messages = free ? kMostMessages : most.messages.relaxed();
    const uint32_t bytes = free ? kMostBytes : most.bytes.relaxed();
    const bool good =
        wanted.messages && wanted.bytes && wanted.messages <= messages && wanted.bytes <= bytes;
    return good ? Result<void>() : Errno::inval;
}

Result<void> check_user(const Credentials& who, const PosixQueue& fresh, uint64_t limit)
    REQUIRES(table_lock) {
    uint64_t bytes = fresh.charged_bytes();
    uint32_t count = 0;
    for (PosixQueue& queue : all_queues) {
        ++count;
        if (queue.uid == who.euid) bytes += queue.charged_bytes();
    }
    if (count >= most.queues && !who.may(Capability::sys_resource)) return Errno::nospc;
    return bytes > limit ? Errno::mfile : Result<void>();
}

Result<Ref<PosixQueue>> make_queue(const Credentials& who, const PosixQueueRequest& request)
    REQUIRES(table_lock) {
    PosixQueue::Limits limits{std::min(most.default_messages, most.messages),
                              std::min(most.default_bytes, most.bytes)};
    if (request.limits) {
        limits = *request.limits;
        TRY(check_limits(who, limits));
    }
    Ref<PosixQueue> queue = TRY(make_ref<PosixQueue>(request.name, limits));
    TRY(check_user(who, *queue, request.user_limit));
    queue->mode = request.mode & 0777;
    queue->uid = who.fsuid;
    queue->gid = who.fsgid;
    all_queues.push_back(*queue);
    names->insert(*queue);
    queue->add_ref();  // its name's
    return queue;
}

Result<void> check_open(const Credentials& who, const PosixQueue& queue, uint32_t flags) {
    constexpr uint32_t kWanted[] = {kMayRead, kMayWrite, kMayRead | kMayWrite};
    return check_permission(Ownership{queue.mode, queue.uid, queue.gid}, who,
                            kWanted[flags & kOpenAccessMode]);
}

}  // namespace

// When the last reference goes, the table does not find it any more: its name is gone.
PosixQueue::~PosixQueue() {
    if (all_node.linked()) {
        LockGuard guard(table_lock);
        all_node.unlink();
    }
    while (PosixMessage* message = messages_.first()) {
        messages_.remove(*message);
        PosixMessage::release(message);
    }
}

Result<Ref<File>> open_posix_queue(const Credentials& who, const PosixQueueRequest& request) {
    TRY(check_name(request.name));
    Ref<PosixQueue> queue;
    Ref<PosixQueueFile> file;
    {
        LockGuard guard(table_lock);
        queue = Ref<PosixQueue>(find(request.name));
        if (queue) {
            if ((request.flags & kOpenCreate) && (request.flags & kOpenExclusive))
                return Errno::exist;
            TRY(check_open(who, *queue, request.flags));
        } else {
            if (!(request.flags & kOpenCreate)) return Errno::noent;
            queue = TRY(make_queue(who, request));
        }
    }
    const uint32_t flags = request.flags & (kOpenAccessMode | kOpenNonBlock);
    return Ref<File>(TRY(make_ref<PosixQueueFile>(flags, std::move(queue))));
}

namespace {

// Null: every caller may.
Result<void> remove_name(const Credentials* who, std::string_view name) {
    Ref<PosixQueue> queue;  // freed after the lock
    LockGuard guard(table_lock);
    PosixQueue* found = find(name);
    if (!found) return Errno::noent;
    if (who && !who->may(Capability::fowner) && who->fsuid != found->uid) return Errno::perm;
    names->remove(*found);
    queue = Ref<PosixQueue>::adopt(found);
    return {};
}

}  // namespace

Result<void> unlink_posix_queue(const Credentials& who, std::string_view name) {
    TRY(check_name(name));
    return remove_name(&who, name);
}

// --- as files

Result<void> remove_posix_queue(std::string_view name) { return remove_name(nullptr, name); }

Ref<PosixQueue> find_posix_queue(std::string_view name) {
    LockGuard guard(table_lock);
    return Ref<PosixQueue>(find(name));
}

Ref<PosixQueue> next_posix_queue(uint32_t number) {
    LockGuard guard(table_lock);
    for (PosixQueue& queue : all_queues)
        if (queue.number >= number && queue.name_node.linked()) return Ref<PosixQueue>(queue);
    return nullptr;
}

Result<Ref<PosixQueue>> make_posix_queue(const Credentials& who, const PosixQueueRequest& request) {
    TRY(check_name(request.name));
    LockGuard guard(table_lock);
    if (find(request.name)) return Errno::exist;
    return make_queue(who, request);
}

void change_posix_queue(PosixQueue& queue, const SetAttributes& changes) {
    LockGuard guard(table_lock);
    if (changes.set_mode) queue.mode = changes.mode & 0777;
    if (changes.set_uid) queue.uid = changes.uid;
    if (changes.set_gid) queue.gid = changes.gid;
}

// Unlocked looks at single words.
Attributes attributes_of(const PosixQueue& queue) {
    Attributes a;
    a.mode = kTypeRegular | queue.mode;
    a.uid = queue.uid;
    a.gid = queue.gid;
    a.size = 80;  // as Linux says
    a.device = device_number(0, 11);
    a.inode = InodeNo(queue.number);
    a.accessed = a.modified = a.changed = queue.made;
    return a;
}

namespace {
void posix_queues_init() NO_LOCK_ANALYSIS {  // at start-up
    names = new (std::nothrow) NameTree;
    VERIFY(names);
}
AT_START_UP(posix_queues_init);
}  // namespace
