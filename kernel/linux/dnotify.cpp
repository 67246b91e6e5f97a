// dnotify: signals for what happens in a directory that is open (F_NOTIFY), as it was before inotify. Each
// descriptor table has at most one notice of an open directory; it goes when that descriptor is closed.
// Locks: `notices_lock` (rank file_events) guards all notices; signals are sent without it.
// Spec: fcntl(2), "File and directory change notification".
#include "fs/file_events.hpp"
#include "fs/mount.hpp"
#include "kernel/lib/start_up.hpp"
#include "kernel/linux/fcntl.hpp"
#include "kernel/linux/file_owner.hpp"

namespace {

constexpr uint32_t kAgain = 1u << 31;  // DN_MULTISHOT

struct Notice {
    ListNode node;
    File* file = nullptr;
    const void* table = nullptr;  // of descriptors: whose it is
    int fd = -1;
    uint32_t events = 0;  // DN_
    uint32_t told = 0;    // the last event that was; later ones have higher numbers
};
struct Notices final : Attachment {
    static constexpr char kKind = 0;
    List<Notice, &Notice::node> list;
    Atomic<uint32_t> left = 0;  // the last move of a name out of here
};

constinit SpinLock notices_lock{LockRank::file_events};
constinit Atomic<uint32_t> notice_count = 0, events_seen = 0;

// DN_ACCESS and so on, by what happened to a name. A name that leaves and arrives in the same directory was
// renamed; both halves of a move have the same cookie.
uint32_t meaning_of(const FileEvent& event, Notices& notices) {
    constexpr uint32_t access = 1, modify = 2, create = 4, remove = 8, rename = 16, attribute = 32;
    const uint32_t what = event.what;
    const bool renamed = what & kNameArrived && event.cookie == notices.left.relaxed();
    if (what & kNameLeft) notices.left = event.cookie;
    return (what & kFileRead ? access : 0) | (what & kFileWritten ? modify : 0) |
           (what & (kNameMade | kNameArrived) ? create : 0) | (what & kNameRemoved ? remove : 0) |
           (what & kNameLeft ? remove : 0) | (renamed ? rename : 0) |
           (what & kFileChanged ? attribute : 0);
}

Notice* take(Notices& notices, Notice& notice) {
    notices.list.remove(notice);
    notice_count.subtract(1);
    file_watches.subtract(1);
    return &notice;
}

// The next that wants to know and was not told yet, and the number of its descriptor. Null: no more.
Ref<File> next_to_tell(Notices& notices, uint32_t events, uint32_t event, int& fd) {
    Box<Notice> over;
    LockGuard guard(notices_lock);
    for (Notice& notice : notices.list) {
        if (!(notice.events & events) || static_cast<int32_t>(event - notice.told) <= 0) continue;
        notice.told = event;
        if (!notice.file->try_add_ref()) continue;  // its last close is under way
        fd = notice.fd;
        Ref<File> file = Ref<File>::adopt(notice.file);
        if (!(notice.events & kAgain)) over = Box<Notice>(take(notices, notice));
        return file;
    }
    return {};
}

void tell(Inode& directory, const FileEvent& event) {
    auto* notices = notice_count.relaxed() ? directory.attached.get<Notices>() : nullptr;
    const uint32_t events = notices ? meaning_of(event, *notices) : 0;
    if (!events) return;
    const uint32_t number = events_seen.add(1);
    int fd = -1;
    while (Ref<File> file = next_to_tell(*notices, events, number, fd))
        if (Result<FileOwner*> owner = owner_of(*file); owner.is_ok())
            owner.value()->send(kPollNewsMessage, fd);
}

Notices* notices_of(const File& file) {
    Inode* inode = file.path() ? file.path().dentry().inode() : nullptr;
    return inode ? inode->attached.get<Notices>() : nullptr;
}

// Those of this table; all if it is the file itself.
void drop(File& file, const void* table) {
    Notices* notices = notice_count.relaxed() ? notices_of(file) : nullptr;
    if (!notices) return;
    for (;;) {
        Box<Notice> gone;
        LockGuard guard(notices_lock);
        for (Notice& notice : notices->list)
            if (notice.file == &file && (notice.table == table || table == &file)) {
                gone = Box<Notice>(take(*notices, notice));
                break;
            }
        if (!gone) return;
    }
}

constinit HookList<Inode&, const FileEvent&>::Hook event_hook{tell};
constinit HookList<File&, const void*>::Hook close_hook{drop};
void dnotify_init() {
    file_event.add(event_hook);
    file_closed.add(close_hook);
}
AT_START_UP(dnotify_init);

}  // namespace

// No events: no notice any more. ENOTDIR, ENOMEM.
Result<int> notice_command(File& file, int fd, uint32_t events) {
    const void* const table = current_process().files.get();
    if (!(events & ~kAgain)) return drop(file, table), 0;
    if (!file.path() || !file.path().dentry().is_directory()) return Errno::notdir;
    Notices& notices = *TRY(file.path().dentry().inode()->attached.get_or_make<Notices>());
    own_by_caller(*TRY(owner_of(file)));
    Box<Notice> fresh = TRY(make_box<Notice>());
    fresh->file = &file;
    fresh->table = table;
    fresh->fd = fd;
    fresh->events = events;
    LockGuard guard(notices_lock);
    for (Notice& notice : notices.list)
        if (notice.file == &file && notice.table == table) {
            notice.events |= events;
            notice.fd = fd;
            return 0;
        }
    notice_count.add(1);
    file_watches.add(1);
    notices.list.push_back(*fresh.leak());
    return 0;
}
